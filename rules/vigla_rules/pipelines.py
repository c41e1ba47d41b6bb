"""pySigma's processing pipelines by name, and the conditions they add, lifted out of a rule by their origin."""

import re
from collections.abc import Callable
from importlib import import_module
from typing import cast

import yaml
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

from vigla_rules.detections import detection_expression
from vigla_rules.expressions import Expression, Not
from vigla_rules.findings import Code, Refusal
from vigla_rules.pipeline_names import INSTALLED, UnknownPipelineError, pipeline_file

_ADDED = re.compile(r"(?P<negated>not )?(?P<name>\S+)(?: and \((?P<rest>.*)\))?", re.DOTALL)


def read_pipeline(names: tuple[str, ...]) -> ProcessingPipeline:
    """The named pipelines in the order given; raises ``UnknownPipelineError``."""
    joined = ProcessingPipeline()
    for name in names:
        joined += _one(name)
    return joined


def _one(name: str) -> ProcessingPipeline:
    if (place := INSTALLED.get(name)) is not None:
        module, _, function = place.entry.partition(":")
        return cast("Callable[[], ProcessingPipeline]", getattr(import_module(module), function))()
    try:
        return ProcessingPipeline.from_yaml(pipeline_file(name).decode())
    except (SigmaError, yaml.YAMLError, TypeError, KeyError, ValueError, AttributeError) as error:
        if isinstance(error, UnknownPipelineError):
            raise
        raise UnknownPipelineError(f"{name}: no pySigma pipeline ({error}); see pySigma's documentation") from error


def apply_pipeline(pipeline: ProcessingPipeline, rule: SigmaRule) -> tuple[Expression, ...]:
    """Changes the rule in place and returns what the pipeline asks beside it, out of the rule's own condition.

    A condition that the author wrote reads the event's body; one that a pipeline added reads the header (sigma.md, trap
    6). pySigma names those at random: they are told by their absence before, and their names go no further.
    """
    before = set(rule.detection.detections)
    try:
        pipeline.apply(rule)
    except SigmaError as error:
        raise Refusal(Code.BAD_VALUE, f"the pipeline refuses it: {error}", "leave it out of this pipeline") from None
    added = {name: found for name, found in rule.detection.detections.items() if name not in before}
    gates: tuple[Expression, ...] = ()
    for condition in rule.detection.parsed_condition:
        lifted: list[Expression] = []
        while (match := _ADDED.fullmatch(condition.condition)) and match["name"] in added:
            gate = detection_expression(added[match["name"]])
            lifted.append(Not(gate) if match["negated"] else gate)
            condition.condition = match["rest"] or ""
        gates = tuple(reversed(lifted))  # the same for each of the rule's conditions
    for name in added:
        del rule.detection.detections[name]
    return gates
