"""Turns arrived alerts into groups, incidents and clusters, and commits them together with the arrival cursor.

One transaction per batch: after a crash the batch comes again from the store and gives the same. What decides is pure
(`grouping`, `opening`, `clustering`, `severity`); this module reads what those need and writes what they say.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

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
from vigla_console.incidents.storage.load import chunks, load_groups
from vigla_console.incidents.storage.names import Names
from vigla_console.incidents.storage.rows import group_columns
from vigla_console.incidents.storage.spread import ClusterKey, refresh, update_clusters
from vigla_console.tenants.models import TenantId

CURSOR = "arrivals"
HOUR_MS = 3_600_000
MOST_ROWS = 1_000  # entities and indicators of one group: a scan names thousands


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
        touched = self._place(connection, facts, names)
        _count(connection, facts)
        loud = [fact for fact in facts if fact.level >= Severity.MEDIUM]
        keys = {ClusterKey("indicator", seen) for fact in loud for seen in fact.indicators}
        keys |= {ClusterKey("burst", Entity("rule", fact.rule)) for fact in loud}
        touched |= update_clusters(connection, keys, names, {fact.rule: fact.rule_name for fact in facts})
        refresh(connection, touched)
        update_incidents(connection, touched, self.settings.shared, names, self.clock)

    def _place(self, connection: Connection, facts: Sequence[AlertFact], names: Names) -> set[str]:
        """Arrivals into their groups; returns the ids of the groups they are in."""
        runs = defaultdict(list)
        for fact in facts:
            runs[fact.tenant, fact.fingerprint].append(fact)
        known = self._known(connection, facts)
        before = {group.id for groups in known.values() for group in groups}
        groups: dict[str, AlertGroup] = {}
        members: dict[str, str] = {}
        for run, arrived in runs.items():
            placement = place(known.get(run, ()), arrived, self.settings.gap, names.group)
            for gone, stays in placement.joined.items():
                if gone in before:
                    _redirect(connection, gone, placement.groups[stays])
            home = set(placement.members.values())
            groups |= {group_id: placement.groups[group_id] for group_id in home}
            members |= {member_key(fact): placement.members[fact.event_id] for fact in arrived}
        _save(connection, groups.values(), before)
        _remember(connection, facts, members)
        _save_entities(connection, groups, facts, members)
        return set(groups)

    def _known(
        self, connection: Connection, facts: Sequence[AlertFact]
    ) -> dict[tuple[TenantId, str], list[AlertGroup]]:
        """Groups of these fingerprints that may lie within reach: some more do no harm."""
        reach = max(self.settings.gap, *(fact.window for fact in facts))
        c = ALERT_GROUP.c
        wanted = (
            select(ALERT_GROUP)
            .where(c.last_seen >= to_column(min(fact.first for fact in facts) - reach))
            .where(c.first_seen <= to_column(max(fact.last for fact in facts) + reach))
        )
        found = defaultdict(list)
        for tenant in {fact.tenant for fact in facts}:
            for chunk in chunks(fact.fingerprint for fact in facts if fact.tenant == tenant):
                own = wanted.where(c.tenant_id == tenant, c.fingerprint.in_(chunk))
                for group in load_groups(connection, own):
                    found[tenant, group.fingerprint].append(group)
        return found


def member_key(fact: AlertFact) -> str:
    """Event ids are unique within a municipality only."""
    return f"{fact.tenant}\0{fact.event_id}"


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


def _save(connection: Connection, groups: Iterable[AlertGroup], before: set[str]) -> None:
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for group in groups:
        (changed if group.id in before else new).append(group_columns(group))
    if new:
        connection.execute(insert(ALERT_GROUP), new)
    if changed:
        columns: dict[str, Any] = {name: bindparam(f"new_{name}") for name in changed[0] if name != "id"}
        one = update(ALERT_GROUP).where(ALERT_GROUP.c.id == bindparam("new_id")).values(columns)
        connection.execute(one, [{f"new_{name}": value for name, value in row.items()} for row in changed])


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


def _remember(connection: Connection, facts: Iterable[AlertFact], members: Mapping[str, str]) -> None:
    rows = [
        {
            "tenant_id": fact.tenant,
            "event_id": fact.event_id,
            "group_id": members[member_key(fact)],
            "first": to_column(fact.first),
            "last": to_column(fact.last),
            "weight": fact.weight,
        }
        for fact in facts
    ]
    connection.execute(insert(GROUP_ALERT), rows)


def _save_entities(
    connection: Connection,
    groups: Mapping[str, AlertGroup],
    facts: Iterable[AlertFact],
    members: Mapping[str, str],
) -> None:
    wanted: dict[tuple[str, Entity], tuple[bool, bool]] = {}
    for fact in facts:
        group_id = members[member_key(fact)]
        for entity in fact.entities | fact.indicators:
            joins, external = wanted.get((group_id, entity), (False, False))
            wanted[group_id, entity] = (joins or entity in fact.entities, external or entity in fact.indicators)
    known: dict[tuple[str, Entity], tuple[bool, bool]] = {}
    for chunk in chunks(groups):
        for row in connection.execute(select(GROUP_ENTITY).where(GROUP_ENTITY.c.group_id.in_(chunk))):
            known[row.group_id, Entity(row.kind, row.value)] = (row.joins, row.external)
    crowd = Counter(group_id for group_id, _ in known)
    new = []
    for (group_id, entity), (joins, external) in wanted.items():
        if (group_id, entity) in known:
            if known[group_id, entity] != (joins, external):
                _add_entity(connection, groups[group_id], entity, joins=joins, external=external)
        elif crowd[group_id] < MOST_ROWS:
            crowd[group_id] += 1
            key = {"group_id": group_id, "tenant_id": groups[group_id].tenant}
            new.append({**key, "kind": entity.kind, "value": entity.value, "joins": joins, "external": external})
    if new:
        connection.execute(insert(GROUP_ENTITY), new)


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
