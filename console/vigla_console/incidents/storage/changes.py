"""Acts of people, each one transaction: the state, its history and its audit entry, or nothing."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection, delete, insert, select, update

from vigla_console.audit.storage import Deed, append
from vigla_console.clock import Clock
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.schema import ALERT_GROUP, HISTORY, INCIDENT, SPENT_KEY
from vigla_console.database.times import to_column
from vigla_console.incidents.models import AlertGroup, HistoryEntry, Incident, Phase
from vigla_console.incidents.severity import risk_of
from vigla_console.incidents.storage.incidents import recount, save_new, title_of
from vigla_console.incidents.storage.load import load_groups
from vigla_console.incidents.storage.names import Names
from vigla_console.incidents.storage.reader import find_group, find_incident
from vigla_console.incidents.storage.rows import group_columns, history_columns, history_of, incident_columns
from vigla_console.scope import Scope

KEEP_KEYS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SqlCaseWriter:
    """See ``CaseWriter``."""

    scope: Scope
    database: CaseDatabase
    clock: Clock

    @contextmanager
    def change(self) -> Iterator["SqlCaseChange"]:
        with self.database.write() as connection:
            yield SqlCaseChange(self.scope, connection, self.clock)


@dataclass(frozen=True, slots=True)
class SqlCaseChange:
    """See ``CaseChange``."""

    scope: Scope
    connection: Connection
    clock: Clock

    def spend(self, form_key: str, verb: str, code: str) -> bool:
        form = (self.scope.actor.id, verb, code, form_key)
        key = hashlib.sha256("\0".join(form).encode()).hexdigest()
        now = self.clock.now()
        self.connection.execute(delete(SPENT_KEY).where(SPENT_KEY.c.at < to_column(now - KEEP_KEYS)))
        if self.connection.execute(select(SPENT_KEY.c.at).where(SPENT_KEY.c.key_hash == key)).first():
            return False
        self.connection.execute(insert(SPENT_KEY).values(key_hash=key, at=to_column(now)))
        return True

    def group(self, code: str) -> AlertGroup:
        return find_group(self.connection, self.scope, code)

    def incident(self, code: str) -> Incident:
        return find_incident(self.connection, self.scope, code)

    def incident_groups(self, incident: Incident) -> Sequence[AlertGroup]:
        g = ALERT_GROUP.c
        wanted = select(ALERT_GROUP).where(g.tenant_id.in_(self.scope.tenants), g.incident == incident.code)
        return load_groups(self.connection, wanted.order_by(g.first_seen, g.id))

    def last_entry(self, group: AlertGroup) -> HistoryEntry | None:
        row = self.connection.execute(
            select(HISTORY)
            .where(HISTORY.c.tenant_id == group.tenant, HISTORY.c.object == "group", HISTORY.c.object_id == group.id)
            .order_by(HISTORY.c.id.desc())
            .limit(1)
        ).first()
        return history_of(row) if row else None

    def save_group(self, group: AlertGroup, entry: HistoryEntry) -> None:
        risk = risk_of(group.severity, group.cluster_tenants, overdue=group.overdue)
        self.connection.execute(
            update(ALERT_GROUP)
            .where(ALERT_GROUP.c.id == group.id, ALERT_GROUP.c.tenant_id.in_(self.scope.tenants))
            .values(**group_columns(replace(group, risk=risk)))
        )
        self._write_down(entry, "group", group.id, group.code)

    def save_incident(self, incident: Incident, entry: HistoryEntry) -> None:
        self.connection.execute(
            update(INCIDENT)
            .where(INCIDENT.c.id == incident.id, INCIDENT.c.tenant_id.in_(self.scope.tenants))
            .values(**incident_columns(incident), touched=True)
        )
        self._write_down(entry, "incident", incident.id, incident.code)

    def open_incident(self, group: AlertGroup, title: str, entry: HistoryEntry) -> Incident:
        name = Names(self.connection, self.clock).incident()
        incident = Incident(
            id=name.id,
            tenant=group.tenant,
            code=name.code,
            title=title.strip()[:200] or title_of(group),
            severity=group.severity,
            phase=Phase.IDENTIFICATION,
            open=True,
            opened_by="person",
            because=(group.code,),
            first_seen=group.first_seen,
            last_seen=group.last_seen,
            entities=(),
            tactics=(),
            groups=1,
        )
        save_new(self.connection, incident)
        self._write_down(replace(entry, before="", after="open"), "incident", incident.id, incident.code)
        self.save_group(replace(group, incident=incident.code), entry)
        recount(self.connection, incident.code)
        return self.incident(incident.code)

    def _write_down(self, entry: HistoryEntry, kind: str, object_id: str, code: str) -> None:
        self.connection.execute(insert(HISTORY).values(**history_columns(entry, kind, object_id)))
        deed = Deed(f"{kind}.{entry.verb}", code, reason=f"{entry.before} → {entry.after}")
        append(self.connection, self.clock, self.scope.actor, [entry.tenant], deed)
