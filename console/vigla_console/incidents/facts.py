"""What aggregation takes from an alert document, once; after this, documents are not looked at. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vigla_console.alerts.models import Alert, BadAlert, parse_time
from vigla_console.incidents.entities import indicators, joining_entities, primary_entity
from vigla_console.incidents.models import Entity, Severity
from vigla_console.tenants.models import TenantId

ALGORITHM = "2026-11"
MOST_WEIGHT = 10_000_000


@dataclass(frozen=True, slots=True)
class AlertFact:
    """``weight`` is how many events it stands for: a summary or folded record carries more than one, over ``first``
    to ``last``.
    """

    tenant: TenantId
    event_id: str
    first: datetime
    last: datetime
    weight: int
    rule: str
    rule_name: str
    level: Severity
    tactics: frozenset[str]
    techniques: frozenset[str]
    entity: Entity
    entities: frozenset[Entity]
    indicators: frozenset[Entity]
    fingerprint: str
    window: timedelta  # the rule's correlation window, zero for plain rules


def fingerprint(tenant: TenantId, rule: str, entity: Entity) -> str:
    """128 bits over canonical JSON, algorithm `2026-11`; another algorithm is another dated id."""
    text = json.dumps([tenant, rule, entity.kind, entity.value], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def fact_of(alert: Alert, common: frozenset[Entity] = frozenset()) -> AlertFact:
    """Total: a document that lacks something still becomes a row of the queue."""
    entity = primary_entity(alert)
    rule = alert.text("rule.uuid") or "unknown"
    first, last, weight = _extent(alert)
    window = alert.value("vigla.correlation.timespan_ms")
    return AlertFact(
        tenant=alert.tenant,
        event_id=alert.event_id,
        first=first,
        last=last,
        weight=weight,
        rule=rule,
        rule_name=alert.text("rule.name") or rule,
        level=_severity(alert),
        tactics=frozenset(v for v in alert.values("threat.tactic.id") if isinstance(v, str)),
        techniques=frozenset(v for v in alert.values("threat.technique.id") if isinstance(v, str)),
        entity=entity,
        entities=joining_entities(alert),
        indicators=indicators(alert, common),
        fingerprint=fingerprint(alert.tenant, rule, entity),
        window=timedelta(milliseconds=window) if _whole(window) and 0 < window <= 31 * 86_400_000 else timedelta(),
    )


def _extent(alert: Alert) -> tuple[datetime, datetime, int]:
    """First, last and how many: of a folded record from its own span, of a summary from the repeats it adds."""
    folded = alert.value("vigla.folded")
    if isinstance(folded, Mapping):
        first = _time(folded, "first", alert.timestamp)
        last = max(_time(folded, "last", alert.timestamp), first)
        return first, last, _count(folded.get("count"), 1)
    if alert.text("event.action") == "correlation-summary":
        return alert.timestamp, alert.timestamp, _count(alert.value("vigla.correlation.repeats"), 0)
    return alert.timestamp, alert.timestamp, 1


def _time(folded: Mapping[str, Any], name: str, otherwise: datetime) -> datetime:
    try:
        return parse_time(folded.get(name), name)
    except BadAlert:
        return otherwise


def _count(value: Any, otherwise: int) -> int:
    return min(value, MOST_WEIGHT) if _whole(value) and value >= 0 else otherwise


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _severity(alert: Alert) -> Severity:
    number = alert.value("event.severity")
    if not _whole(number):
        return Severity.INFORMATIONAL
    return max((s for s in Severity if s <= number), default=Severity.INFORMATIONAL)
