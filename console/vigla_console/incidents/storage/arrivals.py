"""Turns arrived alerts into groups, incidents and clusters, and commits them together with the arrival cursor.

One transaction per batch: after a crash the batch comes again from the store and gives the same. What decides is pure
(`grouping`, `opening`, `clustering`, `severity`); this module reads what those need and writes what they say.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from vigla_console.alerts.models import ArrivalCursor, Arrivals
from vigla_console.clock import Clock
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.schema import (
    ALERT_GROUP,
    GROUP_ALERT,
    GROUP_ENTITY,
    GROUP_REDIRECT,
    HISTORY,
    META,
    ROLLUP,
    SIGHTING,
)
from vigla_console.database.times import to_column
from vigla_console.incidents.entities import canonical
from vigla_console.incidents.facts import AlertFact, fact_of
from vigla_console.incidents.grouping import place
from vigla_console.incidents.models import AlertGroup, Entity, Severity
from vigla_console.incidents.storage.incidents import update_incidents
from vigla_console.incidents.storage.load import chunks, groups_by_id, load_groups
from vigla_console.incidents.storage.names import Names
from vigla_console.incidents.storage.rows import group_columns
from vigla_console.incidents.storage.spread import ClusterKey, refresh, update_clusters
from vigla_console.tenants.models import TenantId

CURSOR = "arrivals"
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Aggregation:
    """``gap`` parts groups; ``shared`` values join no incident; ``common`` indicators open no cluster."""

    gap: timedelta = timedelta(hours=24)
    shared: dict[TenantId, frozenset[str]] = field(default_factory=dict)
    common: frozenset[Entity] = frozenset()

    @staticmethod
    def of(gap_hours: int, shared: Iterable[tuple[str, Sequence[str]]], common: Iterable[str]) -> "Aggregation":
        """From the configuration: ``common`` are addresses and domains."""
        texts = list(common)
        known = [canonical("ip" if text[:1].isdigit() or ":" in text else "domain", text) for text in texts]
        own = {TenantId(t): frozenset(value.casefold() for value in values) for t, values in shared}
        return Aggregation(timedelta(hours=gap_hours), own, frozenset(known))


@dataclass(frozen=True, slots=True)
class ArrivalWriter:
    """Sees every tenant, and serves no request."""

    database: CaseDatabase
    clock: Clock
    settings: Aggregation

    def cursor(self) -> ArrivalCursor:
        with self.database.read() as connection:
            return _cursor(connection)

    def commit(self, begun: ArrivalCursor, arrivals: Arrivals) -> int:
        """Applies arrivals that were read from ``begun``; returns how many alerts were new to it. Nothing happens
        twice.
        """
        facts = [fact_of(alert, self.settings.common) for alert in arrivals.alerts]
        with self.database.write() as connection:
            if _cursor(connection) != begun:
                return 0  # somebody else was quicker
            fresh = _unknown(connection, facts)
            if fresh:
                self._apply(connection, fresh)
            _save_cursor(connection, arrivals.cursor)
            return len(fresh)

    def _apply(self, connection: Connection, facts: Sequence[AlertFact]) -> None:
        names = Names(connection, self.clock)
        by_run = defaultdict(list)
        for fact in facts:
            by_run[fact.tenant, fact.fingerprint].append(fact)
        touched: set[str] = set()
        for run in by_run.values():
            touched |= self._place(connection, run, names)
        _count(connection, facts)
        keys = {
            ClusterKey("indicator", seen) for fact in facts if fact.level >= Severity.MEDIUM for seen in fact.indicators
        }
        keys |= {ClusterKey("burst", Entity("rule", f.rule)) for f in facts if f.level >= Severity.MEDIUM}
        touched |= update_clusters(connection, keys, names, {fact.rule: fact.rule_name for fact in facts})
        refresh(connection, touched)
        update_incidents(connection, touched, self.settings.shared, names, self.clock)

    def _place(self, connection: Connection, facts: Sequence[AlertFact], names: Names) -> set[str]:
        """One fingerprint's arrivals into its groups; returns the ids of the groups they are in."""
        tenant, fingerprint = facts[0].tenant, facts[0].fingerprint
        reach = max(self.settings.gap, *(fact.window for fact in facts))
        earliest = min(fact.first for fact in facts) - reach
        latest = max(fact.last for fact in facts) + reach
        c = ALERT_GROUP.c
        wanted = (
            select(ALERT_GROUP)
            .where(c.tenant_id == tenant, c.fingerprint == fingerprint)
            .where(c.last_seen >= to_column(earliest), c.first_seen <= to_column(latest))
        )
        known = load_groups(connection, wanted)
        placement = place(known, facts, self.settings.gap, names.group)
        before = {group.id for group in known}
        touched = set(placement.members.values())
        for gone, stays in placement.joined.items():
            if gone in before:
                _redirect(connection, gone, placement.groups[stays])
        for group_id in touched:
            _save(connection, placement.groups[group_id], new=group_id not in before)
        for fact in facts:
            _remember(connection, fact, placement.members[fact.event_id])
        _save_entities(connection, placement.members, facts)
        return touched


def _cursor(connection: Connection) -> ArrivalCursor:
    value = connection.execute(select(META.c.value).where(META.c.key == CURSOR)).scalar()
    return ArrivalCursor(value or "")


def _save_cursor(connection: Connection, cursor: ArrivalCursor) -> None:
    changed = connection.execute(update(META).where(META.c.key == CURSOR).values(value=cursor.value))
    if changed.rowcount == 0:
        connection.execute(insert(META).values(key=CURSOR, value=cursor.value))


def _unknown(connection: Connection, facts: Sequence[AlertFact]) -> list[AlertFact]:
    """Without repeats within the batch and without what is in a group already."""
    once = {(fact.tenant, fact.event_id): fact for fact in reversed(facts)}
    by_tenant = defaultdict(list)
    for tenant, event_id in once:
        by_tenant[tenant].append(event_id)
    for tenant, ids in by_tenant.items():
        for chunk in chunks(ids):
            wanted = select(GROUP_ALERT.c.event_id).where(
                GROUP_ALERT.c.tenant_id == tenant, GROUP_ALERT.c.event_id.in_(chunk)
            )
            for event_id in connection.execute(wanted).scalars():
                once.pop((tenant, event_id))
    return list(once.values())


def _save(connection: Connection, group: AlertGroup, *, new: bool) -> None:
    values = group_columns(group)
    if new:
        connection.execute(insert(ALERT_GROUP).values(**values))
    else:
        connection.execute(update(ALERT_GROUP).where(ALERT_GROUP.c.id == group.id).values(**values))


def _redirect(connection: Connection, gone: str, stays: AlertGroup) -> None:
    """The joined group's row goes; its code, alerts and history lead to the one that stayed."""
    code = connection.execute(select(ALERT_GROUP.c.code).where(ALERT_GROUP.c.id == gone)).scalar_one()
    connection.execute(update(GROUP_REDIRECT).where(GROUP_REDIRECT.c.group_id == gone).values(group_id=stays.id))
    connection.execute(insert(GROUP_REDIRECT).values(code=code, tenant_id=stays.tenant, group_id=stays.id))
    connection.execute(update(GROUP_ALERT).where(GROUP_ALERT.c.group_id == gone).values(group_id=stays.id))
    mine = (HISTORY.c.object == "group", HISTORY.c.object_id == gone)
    connection.execute(update(HISTORY).where(*mine).values(object_id=stays.id))
    rows = connection.execute(select(GROUP_ENTITY).where(GROUP_ENTITY.c.group_id == gone)).all()
    connection.execute(delete(GROUP_ENTITY).where(GROUP_ENTITY.c.group_id == gone))
    for row in rows:
        _add_entity(connection, stays, Entity(row.kind, row.value), joins=row.joins, external=row.external)
    connection.execute(delete(ALERT_GROUP).where(ALERT_GROUP.c.id == gone))


def _remember(connection: Connection, fact: AlertFact, group_id: str) -> None:
    connection.execute(
        insert(GROUP_ALERT).values(
            tenant_id=fact.tenant,
            event_id=fact.event_id,
            group_id=group_id,
            first=to_column(fact.first),
            last=to_column(fact.last),
            weight=fact.weight,
        )
    )


def _save_entities(connection: Connection, members: Mapping[str, str], facts: Sequence[AlertFact]) -> None:
    groups = groups_by_id(connection, set(members.values()))
    wanted: dict[tuple[str, Entity], list[bool]] = {}
    for fact in facts:
        group = groups[members[fact.event_id]]
        for entity in fact.entities:
            wanted.setdefault((group.id, entity), [False, False])[0] = True
        for entity in fact.indicators:
            wanted.setdefault((group.id, entity), [False, False])[1] = True
    for (group_id, entity), (joins, external) in wanted.items():
        _add_entity(connection, groups[group_id], entity, joins=joins, external=external)


def _add_entity(connection: Connection, group: AlertGroup, entity: Entity, *, joins: bool, external: bool) -> None:
    c = GROUP_ENTITY.c
    key = (c.group_id == group.id, c.kind == entity.kind, c.value == entity.value)
    known = connection.execute(select(c.joins, c.external).where(*key)).first()
    if known is None:
        row = {"group_id": group.id, "tenant_id": group.tenant, "kind": entity.kind, "value": entity.value}
        connection.execute(insert(GROUP_ENTITY).values(**row, joins=joins, external=external))
    elif (joins and not known.joins) or (external and not known.external):
        both = {"joins": joins or known.joins, "external": external or known.external}
        connection.execute(update(GROUP_ENTITY).where(*key).values(**both))


def _count(connection: Connection, facts: Iterable[AlertFact]) -> None:
    """Rollups by hour, rule and level, and where indicators were seen; both by event time."""
    hours: Counter[tuple[str, int, str, int]] = Counter()
    seen: dict[tuple[Entity, str, int], tuple[datetime, datetime, int]] = {}
    for fact in facts:
        hour = to_column(fact.first) // HOUR_MS * HOUR_MS
        hours[fact.tenant, hour, fact.rule, int(fact.level)] += fact.weight
        if fact.level < Severity.MEDIUM:
            continue
        for entity in fact.indicators:
            first, last, n = seen.get((entity, fact.tenant, hour), (fact.first, fact.last, 0))
            seen[entity, fact.tenant, hour] = (min(first, fact.first), max(last, fact.last), n + fact.weight)
    for (tenant, hour, rule, level), n in hours.items():
        c = ROLLUP.c
        key = (c.tenant_id == tenant, c.hour == hour, c.rule == rule, c.level == level)
        if connection.execute(update(ROLLUP).where(*key).values(n=c.n + n)).rowcount == 0:
            connection.execute(insert(ROLLUP).values(tenant_id=tenant, hour=hour, rule=rule, level=level, n=n))
    for (entity, tenant, hour), (first, last, n) in seen.items():
        add_sighting(connection, entity, TenantId(tenant), hour, (first, last, n))


def add_sighting(
    connection: Connection, key: Entity, tenant: TenantId, hour: int, seen: tuple[datetime, datetime, int]
) -> None:
    """Adds to what a municipality saw of a key within an hour."""
    c = SIGHTING.c
    first, last, n = seen
    where = (c.kind == key.kind, c.value == key.value, c.tenant_id == tenant, c.hour == hour)
    known = connection.execute(select(SIGHTING).where(*where)).first()
    if known is None:
        row = {"kind": key.kind, "value": key.value, "tenant_id": tenant, "hour": hour, "n": n}
        connection.execute(insert(SIGHTING).values(**row, first=to_column(first), last=to_column(last)))
        return
    values = {
        "first": min(known.first, to_column(first)),
        "last": max(known.last, to_column(last)),
        "n": known.n + n,
    }
    connection.execute(update(SIGHTING).where(*where).values(**values))
