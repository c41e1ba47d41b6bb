"""pySigma's own validators, without the two that download (they crash where there is no network)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.plugins import InstalledSigmaPlugins
from sigma.rule import SigmaDetectionItem, SigmaRule
from sigma.validation import SigmaValidator
from sigma.validators.base import SigmaRuleValidator, SigmaValidationIssue
from yaml import YAMLError

from vigla_rules.documents import Document, read_documents
from vigla_rules.files import RuleFile
from vigla_rules.findings import At, Finding, Refusal

DOWNLOADING = frozenset({"attacktag", "d3_fendtag"})
STRICTER_HERE = frozenset({"identifier_existence", "identifier_uniqueness", "duplicate_title", "tlptag", "tlpv2_tag"})
"""Those that say what ``check`` says itself, with a line."""
_ADVICE = {
    "AllWithoutContainsModifier": "write `contains|all`",
    "DanglingDetection": "name it in the condition or drop it",
    "DoubleWildcard": "one `*` says the same",
    "DuplicateReferences": "name it once",
    "DuplicateTag": "name it once",
    "EscapedWildcard": "is a literal `*` meant? else drop the backslash",
    "NumberAsString": "write the number without quotes",
    "WildcardInsteadOfEndswith": "use the modifier `endswith`",
    "WildcardInsteadOfStartswith": "use the modifier `startswith`",
    "WildcardsInsteadOfContainsModifier": "use the modifier `contains`",
}


def validate(files: Iterable[RuleFile]) -> Iterator[Finding]:
    """Issues as warnings; a file that pySigma cannot read has its finding already."""
    plugins = InstalledSigmaPlugins.autodiscover(include_backends=False, include_pipelines=False)
    found = cast("dict[str, type[SigmaRuleValidator]]", plugins.validators)  # declared as instances upstream
    chosen = {validator for name, validator in found.items() if name not in DOWNLOADING | STRICTER_HERE}
    for file in files:
        try:
            collection = SigmaCollection.from_yaml(file.data, collect_errors=True, resolve_references=False)
            documents = {_id(document): document for document in read_documents(file.data)}
        except (SigmaError, YAMLError, ValueError, TypeError, AttributeError, Refusal):
            continue
        for rule in collection.rules:
            if not isinstance(rule, SigmaRule) or rule.errors:
                continue
            document = documents.get(str(rule.id))
            for issue in SigmaValidator(chosen).validate_rule(rule):
                name = type(issue).__name__.removesuffix("Issue")
                line, column = document.place(_at(issue, document.value)) if document is not None else (1, 1)
                yield Finding(
                    file.path, line, column, "warning", f"pysigma-{name}", issue.description,
                    _ADVICE.get(name, "see pySigma's validators"), str(rule.id), str(rule.title),
                )  # fmt: skip


def _id(document: Document) -> str:
    return str(document.value.get("id")) if isinstance(document.value, dict) else ""


def _at(issue: SigmaValidationIssue, value: object) -> At:
    """The place that an issue is about, by what it carries."""
    if not isinstance(value, Mapping):
        return ()
    if (name := getattr(issue, "detection_name", None)) is not None:
        return ("detection", str(name))
    if (item := getattr(issue, "detection_item", None)) is not None:
        return next(_items(value.get("detection"), ("detection",), cast("SigmaDetectionItem", item)), ("detection",))
    if (text := getattr(issue, "string", None)) is not None:
        return next(_texts(value.get("detection"), ("detection",), str(text)), ("detection",))
    for attribute, key in (("tag", "tags"), ("reference", "references")):
        if (wanted := getattr(issue, attribute, None)) is not None:
            rows = value.get(key)
            named = [str(row).lower() for row in rows] if isinstance(rows, list) else []
            last = len(named) - 1 - named[::-1].index(str(wanted).lower()) if str(wanted).lower() in named else 0
            return (key, last)
    if (field := getattr(issue, "fieldname", None)) is not None:
        return (str(field),) if field in value else ("detection",)
    return ("logsource",) if hasattr(issue, "logsource") else ("title",)


def _items(value: object, at: At, item: SigmaDetectionItem) -> Iterator[At]:
    """Where a field with as many modifiers stands."""
    for key, member in _members(value):
        if isinstance(key, str) and key.split("|")[0] == (item.field or "") and key.count("|") == len(item.modifiers):
            yield (*at, key)
        yield from _items(member, (*at, key), item)


def _texts(value: object, at: At, text: str) -> Iterator[At]:
    for key, member in _members(value):
        if isinstance(member, str) and member == text:
            yield (*at, key)
        yield from _texts(member, (*at, key), text)


def _members(value: object) -> list[tuple[str | int, object]]:
    if isinstance(value, Mapping):
        return [(str(key), member) for key, member in value.items()]
    return list(enumerate(value)) if isinstance(value, list) else []
