"""What pages read. Each statement holds the Scope's tenants; nothing is filtered afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal_column, or_, select

from vigla_console.alerts.cursors import CursorSigner
from vigla_console.alerts.folding import fold
from vigla_console.clock import Clock
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.schema import (
    ALERT_GROUP,
    CLUSTER,
    CLUSTER_MEMBER,
    GROUP_ALERT,
    GROUP_ENTITY,
    GROUP_REDIRECT,
    HISTORY,
    INCIDENT,
    ROLLUP,
)
from vigla_console.database.times import to_column
from vigla_console.errors import NotFound
from vigla_console.incidents.models import (
    AlertGroup,
    Cluster,
    DayCount,
    GroupFilter,
    GroupPage,
    HistoryEntry,
    Incident,
    Severity,
    State,
    TenantPicture,
    WaitingOn,
)
from vigla_console.incidents.storage.load import load_groups
from vigla_console.incidents.storage.rows import cluster_of, history_of, incident_of
from vigla_console.scope import Scope

MOST_TOTAL = 1_000
MOST_PAGE = 200

FEW_TENANTS = 8

_G = ALERT_GROUP.c
_OPEN: ColumnElement[bool] = _G.state != literal_column("'closed'")


@dataclass(frozen=True, slots=True)
class SqlCases:
    """See ``CaseReader``."""

    scope: Scope
    database: CaseDatabase
    signer: CursorSigner
    clock: Clock

    def groups(self, wanted: GroupFilter) -> GroupPage:
        size = min(max(wanted.size, 1), MOST_PAGE)
        condition = self._condition(wanted)
        key = _G.last_seen if wanted.sort == "last_seen" else _G.risk
        question = f"groups|{self.scope.digest}|{replace(wanted, after=None, size=0)!r}"
        rows = select(ALERT_GROUP).where(condition).order_by(key.desc(), _G.id.desc()).limit(size + 1)
        if wanted.after is not None:
            value, last = self.signer.open(wanted.after, question)
            rows = rows.where(or_(key < value, and_(key == value, _G.id < last)))
        with self.database.read() as connection:
            groups = load_groups(connection, rows)
            total = self._count(connection, condition)
        following = None
        if len(groups) > size:
            edge = groups[size - 1]
            value = to_column(edge.last_seen) if wanted.sort == "last_seen" else edge.risk
            following = self.signer.sign((value, edge.id), question)
        return GroupPage(groups[:size], following, min(total, MOST_TOTAL), total <= MOST_TOTAL)

    def counts(self, wanted: GroupFilter) -> int:
        with self.database.read() as connection:
            return min(self._count(connection, self._condition(wanted)), MOST_TOTAL)

    def _count(self, connection: Connection, condition: ColumnElement[bool]) -> int:
        some = select(_G.id).where(condition).limit(MOST_TOTAL + 1).subquery()
        return connection.execute(select(func.count()).select_from(some)).scalar_one()

    def group(self, code: str) -> AlertGroup:
        with self.database.read() as connection:
            return find_group(connection, self.scope, code)

    def similar(self, group: AlertGroup, days: int = 30, limit: int = 10) -> Sequence[AlertGroup]:
        since = to_column(self.clock.now() - timedelta(days=days))
        wanted = (
            select(ALERT_GROUP)
            .where(_G.tenant_id.in_(self.scope.tenants), _G.tenant_id == group.tenant)
            .where(_G.rule == group.rule, _G.id != group.id, _G.last_seen >= since)
            .order_by(_G.last_seen.desc(), _G.id)
            .limit(limit)
        )
        with self.database.read() as connection:
            return load_groups(connection, wanted)

    def group_alerts(self, group: AlertGroup, limit: int = 50) -> Sequence[str]:
        wanted = (
            select(GROUP_ALERT.c.event_id)
            .where(GROUP_ALERT.c.tenant_id.in_(self.scope.tenants), GROUP_ALERT.c.tenant_id == group.tenant)
            .where(GROUP_ALERT.c.group_id == group.id)
            .order_by(GROUP_ALERT.c.last.desc(), GROUP_ALERT.c.event_id)
            .limit(limit)
        )
        with self.database.read() as connection:
            return list(connection.execute(wanted).scalars())

    def incidents(self, *, open_only: bool = True, limit: int = 50) -> Sequence[Incident]:
        wanted = (
            select(INCIDENT)
            .where(INCIDENT.c.tenant_id.in_(self.scope.tenants), INCIDENT.c.merged_into.is_(None))
            .order_by(INCIDENT.c.open.desc(), INCIDENT.c.risk.desc(), INCIDENT.c.last_seen.desc(), INCIDENT.c.id)
            .limit(limit)
        )
        if open_only:
            wanted = wanted.where(INCIDENT.c.open.is_(True))
        with self.database.read() as connection:
            return [incident_of(row) for row in connection.execute(wanted)]

    def incident(self, code: str) -> Incident:
        with self.database.read() as connection:
            return find_incident(connection, self.scope, code)

    def incident_groups(self, incident: Incident) -> Sequence[AlertGroup]:
        wanted = (
            select(ALERT_GROUP)
            .where(_G.tenant_id.in_(self.scope.tenants), _G.incident == incident.code)
            .order_by(_G.first_seen, _G.id)
        )
        with self.database.read() as connection:
            return load_groups(connection, wanted)

    def clusters(self, *, since: datetime | None = None, limit: int = 50) -> Sequence[Cluster]:
        wanted = (
            select(CLUSTER)
            .where(CLUSTER.c.id.not_in(self._foreign_clusters()))
            .order_by(CLUSTER.c.last_seen.desc(), CLUSTER.c.id)
            .limit(limit)
        )
        if since is not None:
            wanted = wanted.where(CLUSTER.c.last_seen >= to_column(since))
        return self._clusters(wanted)

    def cluster(self, code: str) -> Cluster:
        wanted = select(CLUSTER).where(CLUSTER.c.code == _code(code), CLUSTER.c.id.not_in(self._foreign_clusters()))
        found = self._clusters(wanted)
        if not found:
            raise NotFound(f"no cluster {code[:20]!r}")
        return found[0]

    def _foreign_clusters(self) -> Select[Any]:
        """Clusters with a member outside the Scope: a municipality never sees who else is in them."""
        return select(CLUSTER_MEMBER.c.cluster_id).where(CLUSTER_MEMBER.c.tenant_id.not_in(self.scope.tenants))

    def _clusters(self, wanted: Select[Any]) -> list[Cluster]:
        if not self.scope.tenants:
            return []
        with self.database.read() as connection:
            found = []
            for row in connection.execute(wanted).all():
                members = select(CLUSTER_MEMBER).where(CLUSTER_MEMBER.c.cluster_id == row.id)
                found.append(cluster_of(row, connection.execute(members.order_by(CLUSTER_MEMBER.c.tenant_id))))
            return found

    def cluster_groups(self, cluster: Cluster, limit: int = 200) -> Sequence[AlertGroup]:
        members = [member.tenant for member in cluster.members]
        wanted = (
            select(ALERT_GROUP)
            .where(_G.tenant_id.in_(self.scope.tenants), _G.tenant_id.in_(members))
            .where(_G.last_seen >= to_column(cluster.first_seen), _G.first_seen <= to_column(cluster.last_seen))
            .where(in_cluster(cluster))
            .order_by(_G.risk.desc(), _G.id)
            .limit(limit)
        )
        with self.database.read() as connection:
            return load_groups(connection, wanted)

    def history(self, item: AlertGroup | Incident) -> Sequence[HistoryEntry]:
        kind = "group" if isinstance(item, AlertGroup) else "incident"
        wanted = (
            select(HISTORY)
            .where(HISTORY.c.tenant_id.in_(self.scope.tenants), HISTORY.c.object == kind)
            .where(HISTORY.c.object_id == item.id)
            .order_by(HISTORY.c.id)
        )
        with self.database.read() as connection:
            return [_shown(history_of(row)) for row in connection.execute(wanted)]

    def recent_history(self, since: datetime, limit: int = 50) -> Sequence[HistoryEntry]:
        wanted = (
            select(HISTORY)
            .where(HISTORY.c.tenant_id.in_(self.scope.tenants), HISTORY.c.at >= to_column(since))
            .order_by(HISTORY.c.at.desc(), HISTORY.c.id.desc())
            .limit(limit)
        )
        with self.database.read() as connection:
            return [_shown(history_of(row)) for row in connection.execute(wanted)]

    def picture(self) -> Sequence[TenantPicture]:
        mine = self._mine()
        by_level: dict[str, dict[Severity, int]] = {}
        waiting: dict[str, int] = {}
        with self.database.read() as connection:
            rows = connection.execute(
                select(_G.tenant_id, _G.severity, _G.waiting_on, func.count().label("n"))
                .where(mine, _OPEN)
                .group_by(_G.tenant_id, _G.severity, _G.waiting_on)
            )
            for row in rows:
                levels = by_level.setdefault(row.tenant_id, {})
                levels[Severity(row.severity)] = levels.get(Severity(row.severity), 0) + row.n
                if row.waiting_on == WaitingOn.SOC.value:
                    waiting[row.tenant_id] = waiting.get(row.tenant_id, 0) + row.n
            opened = connection.execute(
                select(INCIDENT.c.tenant_id, func.count().label("n"))
                .where(INCIDENT.c.tenant_id.in_(self.scope.tenants), INCIDENT.c.open.is_(True))
                .group_by(INCIDENT.c.tenant_id)
            )
            incidents: dict[str, int] = {row.tenant_id: row.n for row in opened}
        return [
            TenantPicture(
                tenant=tenant,
                open_by_severity=by_level.get(tenant, {}),
                waiting_on_soc=waiting.get(tenant, 0),
                worst=max(by_level.get(tenant, {}), default=None),
                open_incidents=incidents.get(tenant, 0),
            )
            for tenant in sorted(self.scope.tenants)
        ]

    def days(self, edges: Sequence[datetime]) -> Sequence[DayCount]:
        found = []
        with self.database.read() as connection:
            for low, high in pairwise(edges):
                rows = connection.execute(
                    select(ROLLUP.c.level, func.sum(ROLLUP.c.n))
                    .where(ROLLUP.c.tenant_id.in_(self.scope.tenants))
                    .where(ROLLUP.c.hour >= to_column(low), ROLLUP.c.hour < to_column(high))
                    .group_by(ROLLUP.c.level)
                )
                found.append(DayCount(low, {Severity(level): int(n) for level, n in rows}))
        return found

    def _mine(self) -> ColumnElement[bool]:
        """The Scope's tenants. For many of them the column is written so that the order's index is walked, not
        theirs.
        """
        few = len(self.scope.tenants) <= FEW_TENANTS
        return (_G.tenant_id if few else _G.tenant_id.concat("")).in_(self.scope.tenants)

    def _condition(self, wanted: GroupFilter) -> ColumnElement[bool]:
        parts: list[ColumnElement[bool]] = [self._mine()]
        if wanted.states and State.CLOSED not in wanted.states:
            parts.append(_OPEN)
        several: list[tuple[Any, frozenset[Any]]] = [
            (_G.state, frozenset(state.value for state in wanted.states)),
            (_G.severity, frozenset(int(severity) for severity in wanted.severities)),
            (_G.tenant_id, wanted.tenants),
            (_G.rule, wanted.rules),
        ]
        parts += [column.in_(values) for column, values in several if values]
        if wanted.waiting_on is not None:
            parts.append(_G.waiting_on == wanted.waiting_on.value)
        for column, value in ((_G.assignee, wanted.assignee), (_G.incident, wanted.incident)):
            if value is not None:
                parts.append(column == value)
        if wanted.unassigned:
            parts.append(_G.assignee.is_(None))
        if wanted.tactic is not None:
            parts.append(_G.tactics.contains(f'"{wanted.tactic}"', autoescape=True))
        if wanted.since is not None:
            parts.append(_G.last_seen >= to_column(wanted.since))
        if wanted.until is not None:
            parts.append(_G.first_seen < to_column(wanted.until))
        if wanted.entity is not None:
            mine = and_(GROUP_ENTITY.c.kind == wanted.entity.kind, GROUP_ENTITY.c.value == wanted.entity.value)
            parts.append(_G.id.in_(select(GROUP_ENTITY.c.group_id).where(mine)))
        parts += [_G.search_text.contains(f" {word}", autoescape=True) for word in fold(wanted.text).split()[:10]]
        return and_(*parts)


def find_group(connection: Connection, scope: Scope, code: str) -> AlertGroup:
    """By its code, or by that of a group that was joined into it; raises ``NotFound``, the same for foreign and
    unknown.
    """
    wanted = _code(code)
    mine = _G.tenant_id.in_(scope.tenants)
    groups = load_groups(connection, select(ALERT_GROUP).where(mine, _G.code == wanted))
    if not groups:
        moved = select(GROUP_REDIRECT.c.group_id).where(
            GROUP_REDIRECT.c.code == wanted, GROUP_REDIRECT.c.tenant_id.in_(scope.tenants)
        )
        groups = load_groups(connection, select(ALERT_GROUP).where(mine, _G.id.in_(moved)))
    if not groups:
        raise NotFound(f"no alert {code[:20]!r}")
    return groups[0]


def find_incident(connection: Connection, scope: Scope, code: str) -> Incident:
    """By its code, or by that of an incident merged into it; raises ``NotFound``."""
    wanted = _code(code)
    for _ in range(10):
        row = connection.execute(
            select(INCIDENT).where(INCIDENT.c.tenant_id.in_(scope.tenants), INCIDENT.c.code == wanted)
        ).first()
        if row is None:
            break
        if row.merged_into is None:
            return incident_of(row)
        wanted = row.merged_into
    raise NotFound(f"no incident {code[:20]!r}")


def in_cluster(cluster: Cluster) -> ColumnElement[bool]:
    """Groups of the cluster's rule, or with its indicator."""
    if cluster.indicator is None:
        return _G.rule == (cluster.rule or "")
    mine = and_(GROUP_ENTITY.c.kind == cluster.indicator.kind, GROUP_ENTITY.c.value == cluster.indicator.value)
    return _G.id.in_(select(GROUP_ENTITY.c.group_id).where(mine))


def _shown(entry: HistoryEntry) -> HistoryEntry:
    """Without what only `undo` reads."""
    kept = {name: value for name, value in (entry.detail or {}).items() if name != "was"}
    return replace(entry, detail=kept or None)


def _code(text: str) -> str:
    return text.strip().upper()[:16]
