"""Clusters in the case database, and what they do to severity and risk of the groups in them. Called in the writer's
transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, insert, or_, select, update

from vigla_console.database.schema import (
    ALERT_GROUP,
    CLUSTER,
    CLUSTER_MEMBER,
    GROUP_ENTITY,
    ROLLUP,
    SIGHTING,
)
from vigla_console.database.times import from_column, to_column
from vigla_console.incidents.clustering import WINDOW, Sighting, Spread, burst_days, spreads
from vigla_console.incidents.models import AlertGroup, Disposition, Entity, Severity
from vigla_console.incidents.severity import risk_of, severity_of
from vigla_console.incidents.storage.load import chunks, groups_by_id
from vigla_console.incidents.storage.names import Names
from vigla_console.incidents.storage.rows import group_columns
from vigla_console.tenants.models import TenantId

DAY_MS = 86_400_000
MOST_GROUPS = 5_000  # of one cluster refreshed at once
MOST_SIGHTINGS = 20_000  # of one key; older ones are out of every window


@dataclass(frozen=True, slots=True, order=True)
class ClusterKey:
    """What municipalities have in common: an indicator, or a rule (entity kind `rule`) that burst."""

    kind: str
    entity: Entity


def update_clusters(
    connection: Connection, keys: Iterable[ClusterKey], names: Names, rule_names: Mapping[str, str]
) -> set[str]:
    """Brings the clusters of these keys up to date; returns ids of groups whose cluster grew."""
    touched: set[str] = set()
    for key in sorted(keys):
        seen = _bursts(connection, key) if key.kind == "burst" else _sightings(connection, key)
        for spread in spreads(seen):
            touched |= _save(connection, key, spread, names, rule_names)
    return touched


def _sightings(connection: Connection, key: ClusterKey) -> list[Sighting]:
    c = SIGHTING.c
    tenants = connection.execute(
        select(func.count(c.tenant_id.distinct())).where(c.kind == key.entity.kind, c.value == key.entity.value)
    ).scalar_one()
    if tenants < 2:
        return []
    rows = connection.execute(
        select(SIGHTING)
        .where(c.kind == key.entity.kind, c.value == key.entity.value)
        .order_by(c.hour.desc())
        .limit(MOST_SIGHTINGS)
    )
    return [Sighting(from_column(r.first), from_column(r.last), TenantId(r.tenant_id), r.n) for r in rows]


def _bursts(connection: Connection, key: ClusterKey) -> list[Sighting]:
    """Each tenant's burst days of the rule; a day without enough alerts anywhere costs one query."""
    c = ROLLUP.c
    day = (c.hour - c.hour % DAY_MS).label("day")
    rows = connection.execute(
        select(
            c.tenant_id, day, func.min(c.hour).label("low"), func.max(c.hour).label("high"), func.sum(c.n).label("n")
        )
        .where(c.rule == key.entity.value, c.level >= int(Severity.MEDIUM))
        .group_by(c.tenant_id, day)
    ).all()
    by_tenant: dict[str, dict[int, Any]] = {}
    for row in rows:
        by_tenant.setdefault(row.tenant_id, {})[row.day // DAY_MS] = row
    found = []
    for tenant, days in by_tenant.items():
        counts = {number: int(row.n) for number, row in days.items()}
        for number, n in burst_days(counts, counts).items():
            low, high = days[number].low, days[number].high
            found.append(Sighting(from_column(low), from_column(high + 3_599_999), TenantId(tenant), n))
    return found


def _save(
    connection: Connection, key: ClusterKey, spread: Spread, names: Names, rule_names: Mapping[str, str]
) -> set[str]:
    """Updates the oldest cluster of this key that the spread touches, or opens one."""
    c = CLUSTER.c
    known = connection.execute(
        select(CLUSTER)
        .where(_same_key(key))
        .where(c.last_seen >= to_column(spread.first - WINDOW), c.first_seen <= to_column(spread.last + WINDOW))
        .order_by(c.id)
    ).all()
    groups = _groups_in(key, spread)
    severity = max(
        (Severity(s) for s in connection.execute(groups.with_only_columns(ALERT_GROUP.c.level)).scalars()),
        default=Severity.MEDIUM,
    )
    values = {
        "severity": int(severity),
        "first_seen": to_column(spread.first),
        "last_seen": to_column(spread.last),
    }
    if known:
        cluster_id = known[0].id
        connection.execute(update(CLUSTER).where(c.id == cluster_id).values(**values, version=c.version + 1))
        for younger in known[1:]:
            connection.execute(delete(CLUSTER_MEMBER).where(CLUSTER_MEMBER.c.cluster_id == younger.id))
            connection.execute(delete(CLUSTER).where(c.id == younger.id))
    else:
        name = names.cluster()
        cluster_id = name.id
        rule = key.entity.value if key.kind == "burst" else ""
        connection.execute(
            insert(CLUSTER).values(
                id=name.id,
                code=name.code,
                kind=key.kind,
                rule=rule,
                rule_name=rule_names.get(rule, ""),
                indicator_kind="" if rule else key.entity.kind,
                indicator_value="" if rule else key.entity.value,
                version=1,
                **values,
            )
        )
    connection.execute(delete(CLUSTER_MEMBER).where(CLUSTER_MEMBER.c.cluster_id == cluster_id))
    for member in spread.members:
        connection.execute(
            insert(CLUSTER_MEMBER).values(
                cluster_id=cluster_id,
                tenant_id=member.tenant,
                first_seen=to_column(member.first_seen),
                last_seen=to_column(member.last_seen),
                n=member.count,
            )
        )
    return set(connection.execute(groups.with_only_columns(ALERT_GROUP.c.id)).scalars())


def _same_key(key: ClusterKey) -> Any:
    c = CLUSTER.c
    if key.kind == "burst":
        return and_(c.kind == "burst", c.rule == key.entity.value)
    return and_(c.kind == "indicator", c.indicator_kind == key.entity.kind, c.indicator_value == key.entity.value)


def _groups_in(key: ClusterKey, spread: Spread) -> Select[Any]:
    g = ALERT_GROUP.c
    members = [member.tenant for member in spread.members]
    wanted = (
        select(ALERT_GROUP)
        .where(g.tenant_id.in_(members), g.last_seen >= to_column(spread.first), g.first_seen <= to_column(spread.last))
        .limit(MOST_GROUPS)
    )
    if key.kind == "burst":
        return wanted.where(g.rule == key.entity.value)
    e = GROUP_ENTITY.c
    with_it = select(e.group_id).where(e.kind == key.entity.kind, e.value == key.entity.value, e.external.is_(True))
    return wanted.where(g.id.in_(with_it))


def refresh(connection: Connection, group_ids: Iterable[str]) -> None:
    """Severity and risk anew, from the rule's level, the clusters the group is in, and how its like were closed."""
    groups = groups_by_id(connection, group_ids)
    clustered = set(connection.execute(select(CLUSTER_MEMBER.c.tenant_id).distinct()).scalars())
    judged = _judged(connection, groups.values())
    for group in groups.values():
        tenants = _cluster_tenants(connection, group) if group.tenant in clustered else 1
        innocent = _innocent_in_a_row(connection, group) if (group.tenant, group.fingerprint) in judged else 0
        severity, steps = severity_of(group.level, tenants, innocent)
        risk = risk_of(severity, tenants, overdue=group.overdue)
        now = replace(group, cluster_tenants=tenants, severity=severity, steps=steps, risk=risk)
        if now != group:
            save_standing(connection, now)


def save_standing(connection: Connection, group: AlertGroup) -> None:
    """Writes what severity and risk follow from; no decision of a person is among it, so the version stays."""
    columns = group_columns(group)
    kept = {name: columns[name] for name in ("cluster_tenants", "severity", "steps", "risk", "overdue")}
    connection.execute(update(ALERT_GROUP).where(ALERT_GROUP.c.id == group.id).values(**kept))


def _cluster_tenants(connection: Connection, group: AlertGroup) -> int:
    """Municipalities of the largest cluster that holds this group; 1 without any."""
    c, m, e = CLUSTER.c, CLUSTER_MEMBER.c, GROUP_ENTITY.c
    mine = select(m.cluster_id).where(m.tenant_id == group.tenant)
    indicators = connection.execute(select(e.kind, e.value).where(e.group_id == group.id, e.external.is_(True))).all()
    shared = [and_(c.kind == "burst", c.rule == group.rule)]
    shared += [and_(c.indicator_kind == i.kind, c.indicator_value == i.value) for i in indicators]
    found = (
        select(c.id)
        .where(c.id.in_(mine), or_(*shared))
        .where(c.last_seen >= to_column(group.first_seen), c.first_seen <= to_column(group.last_seen))
    )
    sizes = connection.execute(
        select(func.count()).select_from(CLUSTER_MEMBER).where(m.cluster_id.in_(found)).group_by(m.cluster_id)
    )
    return max(sizes.scalars(), default=1)


def _judged(connection: Connection, groups: Iterable[AlertGroup]) -> set[tuple[str, str]]:
    """Which of these fingerprints people have closed before."""
    g = ALERT_GROUP.c
    found: set[tuple[str, str]] = set()
    for chunk in chunks(group.fingerprint for group in groups):
        wanted = (
            select(g.tenant_id, g.fingerprint).where(g.fingerprint.in_(chunk), g.disposition.is_not(None)).distinct()
        )
        found |= {(row.tenant_id, row.fingerprint) for row in connection.execute(wanted)}
    return found


def _innocent_in_a_row(connection: Connection, group: AlertGroup) -> int:
    """How many of this fingerprint, newest first, were closed as innocent."""
    g = ALERT_GROUP.c
    rows = connection.execute(
        select(g.disposition)
        .where(g.tenant_id == group.tenant, g.fingerprint == group.fingerprint, g.disposition.is_not(None))
        .order_by(g.last_seen.desc(), g.id)
        .limit(10)
    ).scalars()
    count = 0
    for disposition in rows:
        if not Disposition(disposition).innocent:
            break
        count += 1
    return count
