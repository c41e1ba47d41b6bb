"""Rules as SQL by pySigma 2.0.1 and its SQLite backend. Runs in the oracle's environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.pipelines.sysmon import sysmon_pipeline
from sigma.pipelines.windows import windows_logsource_pipeline
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import ValueListPlaceholderTransformation
from sigma.processing.transformations.base import PreprocessingTransformation
from sigma.rule import SigmaDetection, SigmaRule
from table import FULLTEXT, HEADER, TABLE

PIPELINES = {"sysmon": sysmon_pipeline, "windows-logsource": windows_logsource_pipeline}
_ADDED = re.compile(r"_cond_[a-z]{10}")
_WHERE = f"SELECT * FROM {TABLE} WHERE "  # noqa: S608  # what the backend writes in front


@dataclass
class ReadHeader(PreprocessingTransformation):
    """Lets the conditions that pipelines added read columns of their own, filled from the header alone."""

    def apply(self, rule: SigmaRule | SigmaCorrelationRule) -> None:
        super().apply(rule)
        if isinstance(rule, SigmaRule):
            for name, detection in rule.detection.detections.items():
                if _ADDED.fullmatch(name):
                    _rename(detection)


def _rename(detection: SigmaDetection) -> None:
    for item in detection.detection_items:
        if isinstance(item, SigmaDetection):
            _rename(item)
        elif item.field is not None:
            item.field = HEADER + item.field


def backend(
    pipelines: Sequence[str],
    *,
    header_columns: bool = False,
    lists: Mapping[str, list[str]] | None = None,
    **options: object,
) -> sqliteBackend:
    """The backend behind the named pipelines; ``lists`` are the values of placeholders."""
    joined = ProcessingPipeline()
    if lists:
        filled = ProcessingItem(ValueListPlaceholderTransformation())
        joined += ProcessingPipeline(items=[filled], vars=dict(lists))
    for name in pipelines:
        joined += PIPELINES[name]()
    if header_columns:
        joined += ProcessingPipeline(items=[ProcessingItem(ReadHeader(), identifier="read_header")], priority=1000)
    return sqliteBackend(joined, fulltext_field=FULLTEXT, **options)


@dataclass(frozen=True)
class Converted:
    """One rule's SQL condition; ``fault`` says why there is none."""

    id: str
    title: str
    where: str = ""
    fault: str = ""


def convert(text: str, through: sqliteBackend) -> Iterator[Converted]:
    """The rules of one file."""
    for rule in SigmaCollection.from_yaml(text).rules:
        if not isinstance(rule, SigmaRule):
            continue
        try:
            clauses = [str(query).removeprefix(_WHERE) for query in through.convert_rule(rule)]
        except Exception as error:  # noqa: BLE001  # the verdict on one rule is its fault, whatever it is
            yield Converted(str(rule.id), rule.title, fault=f"{type(error).__name__}: {error}")
            continue
        yield Converted(str(rule.id), rule.title, " OR ".join(f"({clause})" for clause in clauses))
