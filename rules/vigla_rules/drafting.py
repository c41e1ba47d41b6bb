"""One file of Sigma documents → drafts and findings. Nothing that a file holds can end the run."""

import copy
from collections.abc import Callable, Mapping

from sigma.processing.pipeline import ProcessingPipeline

from vigla_rules.correlations import read_correlation
from vigla_rules.documents import Document, read_documents
from vigla_rules.drafts import Draft, FileDrafts, Placed
from vigla_rules.files import RuleFile
from vigla_rules.filters import read_filter
from vigla_rules.findings import At, Code, Finding, Refusal, Remark
from vigla_rules.rules import read_rule

_KEPT_PLACES: tuple[At, ...] = (
    (), ("id",), ("title",), ("fields",), ("level",), ("detection",), ("correlation",), ("correlation", "rules"),
    ("correlation", "group-by"), ("correlation", "aliases"), ("correlation", "condition"), ("filter",),
    ("filter", "rules"), ("logsource",), ("author",), ("tags",), ("falsepositives",),
)  # fmt: skip


def read_file(file: RuleFile, pipeline: Callable[[], ProcessingPipeline]) -> FileDrafts:
    """All drafts of one file; a bad rule is a finding and leaves the others."""
    result = FileDrafts()
    try:
        documents = read_documents(file.data)
    except Refusal as refusal:
        result.findings.append(_finding(file, refusal, refusal.place))
        return result
    for index, (document, value) in enumerate(_merged(documents)):
        if not isinstance(value, Mapping):
            fault = Refusal(Code.YAML, "the document is no map of keys", "a rule begins with `title:`")
            result.findings.append(_finding(file, fault, document.place(())))
            continue
        _read_document(file, index, document, value, pipeline, result)
    return result


def _read_document(
    file: RuleFile,
    index: int,
    document: Document,
    value: Mapping[str, object],
    pipeline: Callable[[], ProcessingPipeline],
    result: FileDrafts,
) -> None:
    about = (str(value.get("id", "")), str(value.get("title", "")))

    def warn(remark: Remark) -> None:
        line, column = document.place(remark.at)
        result.findings.append(
            Finding(file.path, line, column, "warning", remark.code, remark.reason, remark.suggestion, *about)
        )

    try:
        result.drafts.append(_read(file, index, document, value, pipeline(), warn))
    except Refusal as refusal:
        result.findings.append(_finding(file, refusal, document.place(refusal.at), *about))
    except Exception as error:  # noqa: BLE001  # pySigma's unforeseen ones refuse this rule and never end the run
        fault = Refusal(
            Code.BAD_VALUE, f"pySigma failed: {type(error).__name__}: {error}", "simplify the rule and report this"
        )
        result.findings.append(_finding(file, fault, document.place(()), *about))


def _read(
    file: RuleFile,
    index: int,
    document: Document,
    value: Mapping[str, object],
    pipeline: ProcessingPipeline,
    warn: Callable[[Remark], None],
) -> Draft:
    placed = Placed(file.path, tuple((at, *document.place(at)) for at in _KEPT_PLACES if _has(value, at)))
    if "correlation" in value:
        return read_correlation(value, file.relative, index, placed, warn)
    if "filter" in value:
        return read_filter(value, file.relative, index, placed, pipeline, warn)
    return read_rule(value, file.relative, index, placed, pipeline, warn)


def _has(value: object, at: At) -> bool:
    for key in at:
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True


def _merged(documents: list[Document]) -> list[tuple[Document, object]]:
    """``action: global/reset/repeat`` resolved as pySigma's collection does."""
    template: dict[str, object] = {}
    before: dict[str, object] = {}
    found: list[tuple[Document, object]] = []
    for document in documents:
        value = document.value
        action = value.get("action") if isinstance(value, dict) else None
        if not isinstance(value, dict) or (action is None and ("correlation" in value or "filter" in value)):
            found.append((document, value))
        elif action is None:
            before = _deep(value, template)
            found.append((document, before))
        elif action == "global":
            template = before = {key: member for key, member in value.items() if key != "action"}
        elif action == "reset":
            template = {}
        elif action == "repeat":
            before = _deep(before, {key: member for key, member in value.items() if key != "action"})
            found.append((document, before))
        else:
            found.append((document, f"action {action!r}"))
    return found


def _deep(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    joined = copy.deepcopy(dict(base))
    for key, member in over.items():
        mine = joined.get(key)
        joined[key] = _deep(mine if isinstance(mine, dict) else {}, member) if isinstance(member, dict) else member
    return joined


def _finding(file: RuleFile, refusal: Refusal, place: tuple[int, int], rule_id: str = "", title: str = "") -> Finding:
    return Finding(file.path, *place, "error", refusal.code.value, refusal.reason, refusal.suggestion, rule_id, title)
