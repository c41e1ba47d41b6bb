"""Composes the alert document: ECS 9.4.0, `event.kind: alert` (DESIGN 5.3, `tests/contract/alert.schema.json`)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vigla_sensor.alert import bounds
from vigla_sensor.alert.alert import Alert
from vigla_sensor.alert.attack import threat
from vigla_sensor.alert.bucket import acceptance, index_name
from vigla_sensor.alert.direction import direction
from vigla_sensor.alert.ecs import EcsFields, LogSourceRow
from vigla_sensor.alert.entity import Entity, entity
from vigla_sensor.alert.hit import BadHit, Hit, instant, stamp
from vigla_sensor.alert.identity import ClockState, Identity
from vigla_sensor.alert.pack import Pack, RuleInfo

ECS_VERSION = "9.4.0"
SCHEMA = 1
"""`vigla.schema`: the console accepts this and the two before it."""


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes alerts of one pack and one sensor.

    `clock_state` is None where times come from files (replay): the box's clock then says nothing about them.
    `accepted_floor` gives the last server `Date`, if any is known (see `bucket.acceptance`).
    """

    pack: Pack
    identity: Identity
    now: Callable[[], datetime]
    clock_state: Callable[[], ClockState] | None = None
    accepted_floor: Callable[[], datetime | None] = lambda: None

    def compose(self, data: bytes) -> Alert:
        """The alert of one hit. Raises `BadHit` if the hit is malformed or names a rule that is not in the pack."""
        hit = Hit.read(data)
        rule = self.pack.rules.get(hit.rule)
        if rule is None:
            raise BadHit(f"rule {hit.rule} of a hit is not in pack {self.pack.name} {self.pack.version}")
        timestamp, now = instant(hit.ts), self.now()
        logsource = self.pack.ecs.describe(hit.logsource)
        ecs = self.pack.ecs.apply(hit.event, hit.logsource)
        who = entity(rule.fields, hit, self.pack.ecs, ecs.nested, self.identity)
        floors = tuple(floor for floor in (self.pack.created, self.accepted_floor()) if floor is not None)
        event = self._event(hit, rule, logsource, now)
        vigla = self._vigla(hit, rule, who)
        rest = {
            "@timestamp": stamp(timestamp),
            "ecs": {"version": ECS_VERSION},
            **self._rule(rule),
            **self._who(),
            **self._what(ecs, logsource),
        }
        return Alert(
            event_id=hit.event_id,
            index_name=index_name(self.identity.organization_id, timestamp, acceptance(now, floors)),
            severity=rule.severity,
            fold_key=f"{rule.id}|{who.kind}|{who.value}",
            body=_serialize(event, rest, vigla),
        )

    def _event(self, hit: Hit, rule: RuleInfo, logsource: LogSourceRow, now: datetime) -> dict[str, Any]:
        return {
            "id": hit.event_id,
            "created": stamp(now),
            "kind": "alert",
            "action": hit.kind,
            "category": list(logsource.category),
            "type": list(logsource.type),
            "severity": int(rule.severity),
            "dataset": logsource.dataset,
            "module": hit.logsource.get("product") or "vigla",
        }

    def _rule(self, rule: RuleInfo) -> dict[str, Any]:
        document: dict[str, Any] = {
            "uuid": rule.id,
            "name": rule.title,
            "version": rule.version,
            "ruleset": rule.ruleset,
            "author": list(rule.authors),
            "license": rule.license,
        }
        if rule.references:
            document["reference"] = rule.references[0]
        if rule.description:
            document["description"] = bounds.cut(rule.description, 4096)
        found = threat(rule.tags)
        return {"rule": document, "threat": found} if found else {"rule": document}

    def _who(self) -> dict[str, Any]:
        me = self.identity
        return {
            "organization": {"id": me.organization_id, "name": me.organization_name},
            "observer": {"name": me.sensor, "serial_number": me.serial_number, "version": me.version, "type": "sensor"},
            "agent": {"id": me.sensor, "version": me.version},
        }

    def _what(self, ecs: EcsFields, logsource: LogSourceRow) -> dict[str, Any]:
        document: dict[str, Any] = bounds.cut(ecs.nested, 8192, 512)
        network = dict(document.get("network") or {})
        if logsource.protocol:
            network.setdefault("protocol", logsource.protocol)
        way = direction(document, self.identity)
        if way:
            network.setdefault("direction", way)
        if network:
            document["network"] = network
        if ecs.related:
            document["related"] = bounds.cut(ecs.related, 1024, 128)
        return document

    def _vigla(self, hit: Hit, rule: RuleInfo, who: Entity) -> dict[str, Any]:
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "level": rule.level,
            "entity": who.document(),
            "event": bounds.cut(dict(hit.event)),
            "matched": bounds.cut([dict(item) for item in hit.matched], 8192, 64),
        }
        if hit.correlation is not None:
            document["correlation"] = _correlation(hit.correlation)
        document["pack"] = {"name": self.pack.name, "version": self.pack.version, "sha256": self.pack.sha256}
        if self.clock_state is not None:
            state = self.clock_state()
            document["clock"] = {"synchronised": state.synchronized, "offset_ms": round(state.offset_ms, 3)}
        return document


def _correlation(correlation: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(correlation)
    for edge in ("start", "end"):
        if isinstance(found.get(edge), int):
            found[edge] = stamp(instant(found[edge]))
    return {name: bounds.cut(value, 1024, 64) for name, value in found.items() if value is not None}


def _serialize(event: dict[str, Any], rest: dict[str, Any], vigla: dict[str, Any]) -> bytes:
    """Compact JSON with `event` first and `vigla` last; over the limit, evidence is cut step by step and said so."""
    body = _json({"event": event, **rest, "vigla": vigla})
    for text, items in bounds.steps():
        if len(body) <= bounds.MAX_BODY:
            return body
        smaller = {
            name: bounds.cut(vigla[name], text, items, 4)
            for name in ("event", "matched", "correlation")
            if name in vigla
        }
        body = _json({"event": event, **bounds.cut(rest, text, items), "vigla": {**vigla, **smaller, "cut": True}})
    if len(body) <= bounds.MAX_BODY:
        return body
    bare = {name: value for name, value in vigla.items() if name not in ("event", "matched")}
    return _json(
        {"event": event, **bounds.cut(rest, 128, 16), "vigla": {**bare, "event": {}, "matched": [], "cut": True}}
    )


def _json(document: dict[str, Any]) -> bytes:
    # The core replaces bytes beyond UTF-8; `replace` keeps a lone surrogate from stopping the rest all the same.
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
