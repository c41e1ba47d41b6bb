"""The pack's table from event fields to ECS (`ecs.json`), and its application to one event."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

LogSource = Mapping[str, str | None]
Event = Mapping[str, Any]

_KINDS = {"ip": "ip", "user": "user", "hosts": "host", "hash": "hash"}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One event field and where its value goes."""

    field: str
    ecs: str
    type: str
    related: str | None
    when: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LogSourceRow:
    """What a log source says about the event itself."""

    when: tuple[tuple[str, str], ...]
    category: tuple[str, ...]
    type: tuple[str, ...]
    protocol: str | None
    dataset: str | None


@dataclass(frozen=True, slots=True)
class EcsFields:
    """What an event gives: a nested ECS object and the `related.*` sets."""

    nested: dict[str, Any]
    related: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class EcsTable:
    """The table of a pack."""

    fields: tuple[FieldRow, ...]
    by_field: Mapping[str, tuple[FieldRow, ...]]
    logsources: tuple[LogSourceRow, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "EcsTable":
        """From the parsed `ecs.json`."""
        fields = tuple(
            FieldRow(row["field"], row["ecs"], row.get("type", "keyword"), row.get("related"), _when(row))
            for row in document.get("fields", [])
        )
        by_field: dict[str, list[FieldRow]] = {}
        for row in fields:
            by_field.setdefault(row.field, []).append(row)
        logsources = tuple(
            LogSourceRow(
                _when(row),
                tuple(row.get("category") or ("network",)),
                tuple(row.get("type") or ("info",)),
                row.get("protocol"),
                row.get("dataset"),
            )
            for row in document.get("logsources", [])
        )
        return cls(fields, {name: tuple(rows) for name, rows in by_field.items()}, logsources)

    def describe(self, logsource: LogSource) -> LogSourceRow:
        """The first row contained in the log source, with the data set filled in where the table leaves it open."""
        row = next((row for row in self.logsources if _contained(row.when, logsource)), _UNKNOWN)
        if row.dataset:
            return row
        product, service = logsource.get("product"), logsource.get("service")
        pair = f"{product}.{service}" if product and service else None
        dataset = logsource.get("category") or pair or product or "vigla"
        return LogSourceRow(row.when, row.category, row.type, row.protocol, dataset)

    def apply(self, event: Event, logsource: LogSource) -> EcsFields:
        """The ECS fields of an event: the first row that counts writes a path, later ones only add to `related`."""
        found = EcsFields({}, {})
        for row in self.fields:
            value = self._counts(row, event, logsource)
            if value is None:
                continue
            _put(found.nested, row.ecs, value)
            if row.related:
                seen = found.related.setdefault(row.related, [])
                seen.extend(
                    text for text in map(_text, value if isinstance(value, list) else [value]) if text not in seen
                )
        return found

    def kind(self, field: str, value: Any, logsource: LogSource) -> str:
        """The kind of entity a field names: that of its first row that counts."""
        for row in self.by_field.get(field, ()):
            if self._counts(row, {field: value}, logsource) is not None:
                return _KINDS.get(row.related or "", "value")
        return "value"

    def _counts(self, row: FieldRow, event: Event, logsource: LogSource) -> Any:
        value = event.get(row.field)
        if value is None or value == "" or not _contained(row.when, logsource):
            return None
        if isinstance(value, list):
            items = [item for item in (_typed(row.type, item) for item in value) if item is not None]
            return items or None
        return _typed(row.type, value)


_UNKNOWN = LogSourceRow((), ("network",), ("info",), None, None)


def _when(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in (row.get("when") or {}).items() if value is not None)


def _contained(when: tuple[tuple[str, str], ...], logsource: LogSource) -> bool:
    return all(logsource.get(key) == value for key, value in when)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _typed(kind: str, value: Any) -> Any:
    if value is None or value == "" or isinstance(value, dict | list):
        return None
    try:
        match kind:
            case "ip":
                return str(ip_address(str(value).strip()))
            case "long":
                return _whole(value)
            case "float":
                return None if isinstance(value, bool) else float(value)
            case "boolean":
                return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())
            case _:
                return _text(value)
    except ValueError:
        return None


def _whole(value: Any) -> int | None:
    """A whole number within Elasticsearch's `long`; a float only if nothing is lost."""
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        return None
    number = int(value)
    return number if -(2**63) <= number < 2**63 else None


def _put(nested: dict[str, Any], path: str, value: Any) -> None:
    *parents, leaf = path.split(".")
    for parent in parents:
        child = nested.setdefault(parent, {})
        if not isinstance(child, dict):
            return
        nested = child
    nested.setdefault(leaf, value)
