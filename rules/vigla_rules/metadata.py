"""What a rule says about itself, validated by pySigma."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from pathlib import PurePosixPath

import sigma.exceptions as errors
from sigma.rule import SigmaRule

from vigla_rules.documents import plain
from vigla_rules.drafts import Metadata
from vigla_rules.findings import Code, Refusal

_NAMESPACE = uuid.UUID("6d3d8f6e-4a1b-5f0e-9c55-0f7c0e0c7a11")
_KEYS: dict[type[errors.SigmaError], str] = {
    errors.SigmaIdentifierError: "id", errors.SigmaNameError: "name", errors.SigmaTitleError: "title",
    errors.SigmaLevelError: "level", errors.SigmaStatusError: "status", errors.SigmaTagError: "tags",
    errors.SigmaDateError: "date", errors.SigmaModifiedError: "modified", errors.SigmaFieldsError: "fields",
    errors.SigmaAuthorError: "author", errors.SigmaDescriptionError: "description",
    errors.SigmaReferencesError: "references", errors.SigmaFalsePositivesError: "falsepositives",
    errors.SigmaLicenseError: "license", errors.SigmaRelatedError: "related", errors.SigmaLogsourceError: "logsource",
}  # fmt: skip
_INERT = {"selection": {"field": "value"}, "condition": "selection"}


def read_metadata(value: Mapping[str, object], path: str, index: int) -> tuple[Metadata, SigmaRule]:
    """The metadata of one document, and pySigma's rule without a detection of its own.

    ``index`` is the document's place in its file, from 0. Raises ``Refusal`` (``bad-value``) for the first fault.
    """
    about: dict[str, object] = {key: member for key, member in value.items() if key not in ("correlation", "filter")}
    about |= {"detection": _INERT, "logsource": value.get("logsource") or {"product": "any"}}
    try:
        rule = SigmaRule.from_dict(about, collect_errors=True)
    except (TypeError, AttributeError, ValueError) as fault:  # pySigma's own checks do not catch every type
        raise Refusal(Code.BAD_VALUE, f"metadata: {fault}", "see the Sigma specification for its type") from None
    for error in rule.errors:
        key = _KEYS.get(type(error), "title")
        raise Refusal(Code.BAD_VALUE, str(error), f"mend '{key}'", (key,))
    stem = PurePosixPath(path).stem + (f"_{index + 1}" if index else "")
    if rule.id is None:
        wanted = uuid.uuid5(_NAMESPACE, f"{path}#{index}")
        raise Refusal(Code.BAD_VALUE, "the rule has no id", f"add `id: {wanted}`", ("title",))
    meta = Metadata(
        id=str(rule.id),
        name=rule.name or stem,
        path=path,
        title=str(rule.title),
        description=(rule.description or "").strip(),
        author=(rule.author or "").strip(),
        license=rule.license,
        status=str(rule.status) if rule.status else None,
        level=str(rule.level) if rule.level else None,
        date=rule.date.isoformat() if rule.date else None,
        modified=rule.modified.isoformat() if rule.modified else None,
        tags=tuple(str(tag) for tag in rule.tags),
        references=_texts(rule.references),
        falsepositives=_texts(rule.falsepositives),
        fields=tuple(name.replace(" ", "") for name in _texts(rule.fields)),
        similar=_similar(value.get("related")),
        digest=_digest(value),
    )
    return meta, rule


def _texts(values: object) -> tuple[str, ...]:
    return tuple(str(member) for member in values) if isinstance(values, list) else ()


def _similar(related: object) -> tuple[str, ...]:
    rows = related if isinstance(related, list) else []
    return tuple(str(row["id"]) for row in rows if isinstance(row, dict) and row.get("type") == "similar")


def _digest(value: Mapping[str, object]) -> str:
    """SHA-256 of the document's content: comments and layout do not count."""
    return hashlib.sha256(json.dumps(plain(dict(value)), sort_keys=True, ensure_ascii=False).encode()).hexdigest()
