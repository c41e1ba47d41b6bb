"""Incidents in the case database: what opens by itself, what joins, what is merged. Called in the writer's
transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, insert, select, tuple_, update

from vigla_console.clock import Clock
from vigla_console.database.schema import ALERT_GROUP, GROUP_ENTITY, HISTORY, INCIDENT
from vigla_console.database.times import to_column
from vigla_console.incidents.models import AlertGroup, HistoryEntry, Incident, Phase, State
from vigla_console.incidents.opening import WINDOW, Opening, openings
from vigla_console.incidents.storage.load import CHUNK, groups_by_id, load_groups
from vigla_console.incidents.storage.names import Names
from vigla_console.incidents.storage.rows import history_columns, incident_columns, incident_of
from vigla_console.tenants.models import TenantId

MOST_NEIGHBORS = 500  # groups looked at from one arrival
MOST_SHOWN = 20  # entities kept on an incident


def update_incidents(
    connection: Connection,
    touched: Iterable[str],
    shared: Mapping[TenantId, frozenset[str]],
    names: Names,
    clock: Clock,
) -> None:
    """Looks around the touched groups, one municipality at a time."""
    by_tenant: dict[TenantId, list[AlertGroup]] = defaultdict(list)
    for group in groups_by_id(connection, touched).values():
        if group.state.open:
            by_tenant[group.tenant].append(group)
    for tenant in sorted(by_tenant):
        own = shared.get(tenant, frozenset())
        near = _neighbors(connection, tenant, by_tenant[tenant], own)
        for opening in openings(near.values(), own):
            _settle(connection, opening, near, names, clock)


def _neighbors(
    connection: Connection, tenant: TenantId, start: Iterable[AlertGroup], shared: frozenset[str]
) -> dict[str, AlertGroup]:
    """Open groups reachable over shared entities and open incidents, wave by wave."""
    g, e = ALERT_GROUP.c, GROUP_ENTITY.c
    found = {group.id: group for group in start}
    wave = list(found.values())
    while wave and len(found) < MOST_NEIGHBORS:
        pairs = {(x.kind, x.value) for group in wave for x in (group.entity, *group.entities) if x.value not in shared}
        codes = {group.incident for group in wave if group.incident}
        since = to_column(min(group.first_seen for group in wave) - WINDOW)
        until = to_column(max(group.last_seen for group in wave) + WINDOW)
        linked = select(e.group_id).where(
            e.tenant_id == tenant, e.joins.is_(True), tuple_(e.kind, e.value).in_(sorted(pairs)[:CHUNK])
        )
        wanted = (
            select(ALERT_GROUP)
            .where(g.tenant_id == tenant, g.state != State.CLOSED.value)
            .where(g.last_seen >= since, g.first_seen <= until)
            .where(g.id.in_(linked) | g.incident.in_(codes))
            .order_by(g.first_seen, g.id)
            .limit(MOST_NEIGHBORS)
        )
        wave = [group for group in load_groups(connection, wanted) if group.id not in found]
        found |= {group.id: group for group in wave}
    return found


def _settle(
    connection: Connection, opening: Opening, near: Mapping[str, AlertGroup], names: Names, clock: Clock
) -> None:
    members = [near[one] for one in opening.members]
    rows = _incidents_of(connection, members)
    open_rows = [row for row in rows if row.open]
    if not open_rows:
        code = _open(connection, opening, near, names, clock)
    else:
        code = open_rows[0].code
        for row in open_rows[1:]:
            if not row.touched and row.opened_by != "person":
                _merge(connection, row.code, code)
    for group in members:
        if group.incident is None:
            connection.execute(update(ALERT_GROUP).where(ALERT_GROUP.c.id == group.id).values(incident=code))
    recount(connection, code)


def _incidents_of(connection: Connection, members: Iterable[AlertGroup]) -> list[Row[Any]]:
    """Oldest first."""
    codes = {group.incident for group in members if group.incident}
    wanted = select(INCIDENT).where(INCIDENT.c.code.in_(codes), INCIDENT.c.merged_into.is_(None))
    return list(connection.execute(wanted.order_by(INCIDENT.c.id)))


def _open(connection: Connection, opening: Opening, near: Mapping[str, AlertGroup], names: Names, clock: Clock) -> str:
    because = [near[one] for one in opening.because]
    worst = max(because, key=lambda group: (group.severity, group.last_seen))
    name = names.incident()
    incident = Incident(
        id=name.id,
        tenant=worst.tenant,
        code=name.code,
        title=title_of(worst),
        severity=worst.severity,
        phase=Phase.IDENTIFICATION,
        open=True,
        opened_by=opening.opened_by,
        because=tuple(group.code for group in because),
        first_seen=worst.first_seen,
        last_seen=worst.last_seen,
        entities=(),
        tactics=(),
        groups=0,
    )
    save_new(connection, incident)
    entry = HistoryEntry(
        at=clock.now(),
        tenant=incident.tenant,
        actor="job:aggregation",
        actor_name="Vigla",
        actor_body="hub",
        verb="open",
        before="",
        after="open",
        detail={"rule": opening.opened_by, "because": ", ".join(incident.because)},
    )
    connection.execute(insert(HISTORY).values(**history_columns(entry, "incident", incident.id)))
    return incident.code


def save_new(connection: Connection, incident: Incident) -> None:
    connection.execute(insert(INCIDENT).values(**incident_columns(incident), touched=False))


def title_of(group: AlertGroup) -> str:
    """What an incident is called until a person says better."""
    return f"{group.rule_name}: {group.entity.value}"[:200]


def _merge(connection: Connection, gone: str, stays: str) -> None:
    connection.execute(update(ALERT_GROUP).where(ALERT_GROUP.c.incident == gone).values(incident=stays))
    connection.execute(update(INCIDENT).where(INCIDENT.c.code == gone).values(merged_into=stays, open=False))


def recount(connection: Connection, code: str) -> None:
    """What an incident shows of its members; a person's title, phase and owner stay."""
    incident = incident_of(connection.execute(select(INCIDENT).where(INCIDENT.c.code == code)).one())
    members = load_groups(connection, select(ALERT_GROUP).where(ALERT_GROUP.c.incident == code))
    if not members:
        return
    entities = sorted({entity for group in members for entity in (group.entity, *group.entities)})
    now = replace(
        incident,
        severity=max(group.severity for group in members),
        first_seen=min(group.first_seen for group in members),
        last_seen=max(group.last_seen for group in members),
        entities=tuple(entities[:MOST_SHOWN]),
        tactics=tuple(sorted({tactic for group in members for tactic in group.tactics})),
        groups=len(members),
        risk=max(group.risk for group in members),
    )
    if now != incident:
        connection.execute(update(INCIDENT).where(INCIDENT.c.code == code).values(**incident_columns(now)))
