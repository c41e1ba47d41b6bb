"""Event fields → fields of the index, by ``ecs.yml``: what the sensor wrote there when it raised an alert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vigla_rules.drafts import LogSource

TYPES = ("keyword", "ip", "long", "float", "boolean")


class UnfaithfulError(ValueError):
    """A rule that no query would say alike: the reason."""


@dataclass(frozen=True, slots=True)
class Target:
    """A field of the index. ``type``: one of ``TYPES``."""

    path: str
    type: str


@dataclass(frozen=True, slots=True)
class EcsMapping:
    """The alert index: fields by their rows, the log source by ``event.module`` and ``event.dataset``."""

    rows: Sequence[Mapping[str, Any]]
    logsources: Sequence[Mapping[str, Any]]

    def target(self, field: str, logsource: LogSource) -> Target:
        """Where a field of events of this log source is written; raises ``UnfaithfulError``."""
        for row in self.rows:
            if row["field"] == field and _source(row.get("when")).serves(logsource):
                return Target(str(row["ecs"]), str(row["type"]))
        raise UnfaithfulError(f"field '{field}' has no ECS name for this log source: add a row to ecs.yml")

    def scope(self, logsource: LogSource) -> list[tuple[str, str]]:
        """Fields and values that events of the log source have in the index."""
        found = [("event.module", logsource.product)] if logsource.product else []
        if logsource.category or logsource.product == "zeek":
            dataset = logsource.category or f"{logsource.product}.{logsource.service}"
            row = next((row for row in self.logsources if _source(row.get("when")).serves(logsource)), None)
            named = str(row["dataset"]) if row is not None and row.get("dataset") else dataset
            if logsource.category or logsource.service:
                found.append(("event.dataset", named))
        return found


@dataclass(frozen=True, slots=True)
class OwnNames:
    """An index of the events themselves, under their own names, texts as ``keyword``: nothing is renamed."""

    types: Mapping[str, str]

    def target(self, field: str, logsource: LogSource) -> Target:  # noqa: ARG002  # one shape for both mappings
        """The field itself; its type as ``ecs.yml`` knows it, else ``keyword``."""
        return Target(field, self.types.get(field, "keyword"))

    def scope(self, logsource: LogSource) -> list[tuple[str, str]]:  # noqa: ARG002
        """Nothing: which index holds which log source is the index's own matter."""
        return []


FieldMapping = EcsMapping | OwnNames


def ecs_mapping(ecs: Mapping[str, Any]) -> EcsMapping:
    """From the content of ``ecs.yml``."""
    return EcsMapping(ecs.get("fields") or [], ecs.get("logsources") or [])


def own_names(ecs: Mapping[str, Any]) -> OwnNames:
    """Types from ``ecs.yml``; a field of several types is text."""
    types: dict[str, str] = {}
    for row in ecs.get("fields") or []:
        known = types.setdefault(str(row["field"]), str(row["type"]))
        if known != row["type"]:
            types[str(row["field"])] = "keyword"
    return OwnNames(types)


def _source(when: object) -> LogSource:
    parts = when if isinstance(when, Mapping) else {}
    return LogSource(parts.get("product"), parts.get("category"), parts.get("service"))
