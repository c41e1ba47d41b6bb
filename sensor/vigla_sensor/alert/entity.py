"""Whom an alert is about: the first of the rule's `fields` that the event has, else the best of its ECS fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vigla_sensor.alert.ecs import EcsTable
from vigla_sensor.alert.hit import Hit
from vigla_sensor.alert.identity import Identity

_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Entity:
    """`field` is the event's own name, or an ECS path where the rule names none that is present."""

    field: str
    kind: str
    value: str

    def document(self) -> dict[str, str]:
        return {"field": self.field, "kind": self.kind, "value": self.value}


def entity(fields: tuple[str, ...], hit: Hit, table: EcsTable, ecs: Mapping[str, Any], identity: Identity) -> Entity:
    """The primary entity; never none: the last resort is the sensor itself."""
    sources = (hit.event, (hit.correlation or {}).get("group") or {}, _actual(hit))
    for field in fields:
        for source in sources:
            value = _scalar(source.get(field))
            if value:
                return Entity(field, table.kind(field, value, hit.logsource), value)
    return _fallback(ecs, identity)


def _fallback(ecs: Mapping[str, Any], identity: Identity) -> Entity:
    for kind, path in (("user", "user.name"), ("host", "host.name")):
        value = _scalar(_at(ecs, path))
        if value:
            return Entity(path, kind, value)
    addresses = [(path, _scalar(_at(ecs, path))) for path in ("source.ip", "destination.ip")]
    present = [(path, value) for path, value in addresses if value]
    for path, value in sorted(present, key=lambda item: not identity.is_local(item[1])):
        return Entity(path, "ip", value)
    return Entity("observer.name", "sensor", identity.sensor)


def _actual(hit: Hit) -> dict[str, Any]:
    """Alias fields that matched stand in `matched`, not in `event`."""
    return {str(item.get("field")): item.get("actual") for item in hit.matched if item.get("field")}


def _at(nested: Mapping[str, Any], path: str) -> Any:
    found: Any = nested
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _scalar(value: Any) -> str:
    """Text of a value; of a list its first; nothing for null, empty text and objects."""
    if isinstance(value, list):
        value = next((item for item in value if item not in (None, "")), None)
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:_LIMIT]
