"""One YAML document → the draft of a rule."""

from collections.abc import Callable, Mapping

from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaDetections, SigmaLogSource

from vigla_rules.conditions import check_condition, check_name, condition_expression
from vigla_rules.detections import detection_expression, read_detection
from vigla_rules.drafts import LogSource, Metadata, Placed, RuleDraft
from vigla_rules.expressions import Expression, any_of, predicates, size
from vigla_rules.findings import Code, Refusal, Remark
from vigla_rules.metadata import read_metadata
from vigla_rules.pipelines import apply_pipeline

MAX_NODES = 20_000
Warn = Callable[[Remark], None]


def read_rule(
    value: Mapping[str, object], path: str, index: int, placed: Placed, pipeline: ProcessingPipeline, warn: Warn
) -> RuleDraft:
    """Compiles one rule. Raises ``Refusal`` with the place of the fault inside the document."""
    meta, rule = read_metadata(value, path, index)
    read_logsource(value)
    detections = read_detections(value.get("detection"), ("detection",), (), warn)
    rule.detection = detections
    gates = apply_pipeline(pipeline, rule)
    selections = selection_expressions(detections, "detection")
    conditions: list[Expression] = []
    for at, parsed in enumerate(detections.parsed_condition):
        try:
            conditions.append(condition_expression(parsed, selections))
        except Refusal as refusal:
            raise refusal.below("detection", "condition", at) from None
    condition = any_of(conditions)
    check_size(condition)
    warn_about(meta, value, warn)
    source = _logsource(rule.logsource)
    return RuleDraft(
        meta=meta,
        placed=placed,
        # The gates now say which events it serves: what the pipeline put beside them would only narrow it again.
        logsource=LogSource(product=source.product) if gates and source.product else source,
        gates=gates,
        condition=condition,
        selections=tuple(selections.items()),
        lists=lists_of(condition),
    )


def read_logsource(value: Mapping[str, object]) -> LogSource:
    """The document's log source; raises ``Refusal`` (``bad-value``)."""
    source = value.get("logsource")
    if not isinstance(source, dict):
        raise Refusal(Code.BAD_VALUE, "no log source", "add `logsource: {product: ..., service: ...}`", ("logsource",))
    try:
        return _logsource(SigmaLogSource.from_dict(source))
    except SigmaError as error:
        raise Refusal(Code.BAD_VALUE, str(error), "name product, category or service", ("logsource",)) from None


def read_detections(section: object, at: tuple[str, ...], besides: tuple[str, ...], warn: Warn) -> SigmaDetections:
    """Selections and conditions of a ``detection`` (or ``filter``) map; ``besides`` are its keys that are neither."""
    if not isinstance(section, dict):
        raise Refusal(Code.BAD_VALUE, f"no map of selections under '{at[-1]}'", "add a selection and a condition", at)
    if "timeframe" in section:
        raise Refusal(
            Code.LEGACY_TIMEFRAME,
            "`timeframe` is ignored by pySigma",
            "write a correlation with `timespan`",
            (*at, "timeframe"),
        )
    names = [str(name) for name in section if name not in ("condition", *besides)]
    if not names or "condition" not in section:
        missing = "condition" if names else "selection"
        raise Refusal(Code.CONDITION_SYNTAX, f"no {missing}", "a rule needs a selection and a condition", at)
    conditions = section["condition"] if isinstance(section["condition"], list) else [section["condition"]]
    if not conditions:
        raise Refusal(Code.CONDITION_SYNTAX, "an empty list of conditions", "write one", (*at, "condition"))
    used: set[str] = set()
    for name in names:
        try:
            check_name(name)
        except Refusal as refusal:
            raise refusal.below(*at, name) from None
    for index, condition in enumerate(conditions):
        try:
            used |= check_condition(condition, names)
        except Refusal as refusal:
            raise refusal.below(*at, "condition", index) from None
    for name in names:
        if name not in used:
            warn(
                Remark("unused-selection", f"'{name}' is not used", "name it in the condition or drop it", (*at, name))
            )
    read = {name: read_detection(section[name], (*at, name), warn) for name in names}
    return SigmaDetections(read, [str(condition) for condition in conditions])


def selection_expressions(detections: SigmaDetections, section: str) -> dict[str, Expression]:
    """The expression of each selection, in document order."""
    found = {}
    for name, detection in detections.detections.items():
        try:
            found[name] = detection_expression(detection)
        except Refusal as refusal:
            raise refusal.below(section, name) from None
    return found


def check_size(condition: Expression) -> None:
    """Raises ``Refusal`` (``too-large``) beyond 20,000 nodes."""
    if (nodes := size(condition)) > MAX_NODES:
        raise Refusal(
            Code.TOO_LARGE, f"a condition of {nodes} nodes", f"at most {MAX_NODES}: use a list", ("detection",)
        )


def lists_of(condition: Expression) -> tuple[str, ...]:
    """Names of the lists that a condition asks, sorted."""
    names = {str(dict(test.arguments)["list"]) for test in predicates(condition) if test.op == "list"}
    return tuple(sorted(names))


def warn_about(meta: Metadata, value: Mapping[str, object], warn: Warn) -> None:
    """Warnings that concern any document."""
    if not meta.author:
        at = ("author",) if "author" in value else ("title",)
        warn(Remark("no-author", "no author", "name one: the licence asks for it on every message", at))


def _logsource(source: SigmaLogSource) -> LogSource:
    return LogSource(source.product or None, source.category or None, source.service or None)
