"""One YAML document → the draft of a Sigma filter."""

import re
from collections.abc import Mapping

from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaDetections

from vigla_rules.conditions import condition_expression
from vigla_rules.drafts import FilterDraft, Placed
from vigla_rules.findings import Code, Refusal, Remark
from vigla_rules.metadata import read_metadata
from vigla_rules.pipelines import apply_pipeline
from vigla_rules.rules import Warn, check_size, lists_of, read_detections, read_logsource, selection_expressions


def read_filter(
    value: Mapping[str, object], path: str, index: int, placed: Placed, pipeline: ProcessingPipeline, warn: Warn
) -> FilterDraft:
    """Compiles one filter; the pipeline maps its fields as it maps those of the rules it will be joined to."""
    meta, rule = read_metadata(value, path, index)
    logsource = read_logsource(value)
    section = value["filter"]
    if not isinstance(section, dict):
        raise Refusal(Code.BAD_FILTER, "no map under 'filter'", "add rules, a selection and a condition", ("filter",))
    references = _references(section)
    if isinstance(section.get("condition"), list):
        raise Refusal(Code.BAD_FILTER, "a list of conditions", "a filter has one condition", ("filter", "condition"))
    detections: SigmaDetections = read_detections(section, ("filter",), ("rules",), warn)
    rule.detection = detections
    apply_pipeline(pipeline, rule)  # what it adds stands in the rules already
    selections = selection_expressions(detections, "filter")
    try:
        condition = condition_expression(detections.parsed_condition[0], selections)
    except Refusal as refusal:
        raise refusal.below("filter", "condition") from None
    check_size(condition)
    if not re.search(r"\bnot\b", str(section["condition"])):
        reason = "a filter without `not` narrows its rules to what it matches"
        warn(Remark("filter-narrows", reason, "write `not selection` to leave these out", ("filter", "condition")))
    return FilterDraft(meta, placed, logsource, references, condition, lists_of(condition))


def _references(section: Mapping[str, object]) -> tuple[str, ...] | None:
    rules = section.get("rules")
    if isinstance(rules, str):
        return None if rules.lower() == "any" else (rules,)
    if isinstance(rules, list) and rules and all(isinstance(rule, str) for rule in rules):
        return tuple(rules)
    raise Refusal(Code.BAD_FILTER, "no rules", "name rules by name or id, or `rules: any`", ("filter", "rules"))
