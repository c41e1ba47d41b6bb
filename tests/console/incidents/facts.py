"""Short ways to facts and groups for the pure parts."""

from datetime import datetime, timedelta
from itertools import count

from tests.console.build import NOW
from vigla_console.incidents.facts import AlertFact, fingerprint
from vigla_console.incidents.grouping import Name
from vigla_console.incidents.models import AlertGroup, Entity, Severity
from vigla_console.tenants.models import TenantId

HOUR = timedelta(hours=1)
KALAMATA = TenantId("kalamata")


class Namer:
    """Ids in the order they are asked for."""

    def __init__(self, after: int = 0) -> None:
        self._numbers = count(after + 1)

    def __call__(self) -> Name:
        n = next(self._numbers)
        return Name(f"{n:06}", f"A-{n:06}", NOW)


def fact(
    name: object,
    hours: float = 0,
    *,
    until: float | None = None,
    weight: int = 1,
    rule: str = "brute",
    level: Severity = Severity.MEDIUM,
    tactics: tuple[str, ...] = ("TA0006",),
    entity: Entity = Entity("ip", "203.0.113.9"),  # noqa: B008  frozen
    entities: tuple[Entity, ...] = (),
    window: timedelta = timedelta(),
    tenant: TenantId = KALAMATA,
) -> AlertFact:
    first: datetime = NOW + hours * HOUR
    return AlertFact(
        tenant=tenant,
        event_id=str(name),
        first=first,
        last=first if until is None else NOW + until * HOUR,
        weight=weight,
        rule=rule,
        rule_name=f"Rule {rule}",
        level=level,
        tactics=frozenset(tactics),
        techniques=frozenset(),
        entity=entity,
        entities=frozenset({entity, *entities}),
        indicators=frozenset(),
        fingerprint=fingerprint(tenant, rule, entity),
        window=window,
    )


def group(
    name: str,
    first: float = 0,
    last: float | None = None,
    *,
    rule: str = "brute",
    level: Severity = Severity.MEDIUM,
    tactics: tuple[str, ...] = ("TA0006",),
    entities: tuple[Entity, ...] = (Entity("host", "pc1"),),
    incident: str | None = None,
) -> AlertGroup:
    return AlertGroup(
        id=name,
        tenant=KALAMATA,
        code=f"A-{name}",
        fingerprint=name,
        algorithm="2026-11",
        rule=rule,
        rule_name=rule,
        level=level,
        severity=level,
        steps=(),
        risk=1,
        entity=entities[0],
        first_seen=NOW + first * HOUR,
        last_seen=NOW + (first if last is None else last) * HOUR,
        count=1,
        alerts=1,
        tactics=tactics,
        techniques=(),
        samples=(),
        entities=entities,
        incident=incident,
    )
