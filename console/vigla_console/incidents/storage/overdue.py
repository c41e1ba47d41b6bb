"""Marks groups nobody has looked at in time; the only thing about a group that the clock changes."""

from dataclasses import replace

from sqlalchemy import or_, select

from vigla_console.clock import Clock
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.schema import ALERT_GROUP
from vigla_console.incidents.models import State, WaitingOn
from vigla_console.incidents.severity import deadline, risk_of
from vigla_console.incidents.storage.load import load_groups
from vigla_console.incidents.storage.spread import save_standing

MOST_AT_ONCE = 1_000


def mark_overdue(database: CaseDatabase, clock: Clock) -> int:
    """Returns how many became overdue; at most so many at once, the worst first."""
    now = clock.now()
    g = ALERT_GROUP.c
    wanted = (
        select(ALERT_GROUP)
        .where(or_(g.state == State.NEW.value, g.waiting_on == WaitingOn.SOC.value), g.overdue.is_(False))
        .where(g.state != State.CLOSED.value)
        .order_by(g.severity.desc(), g.opened)
        .limit(MOST_AT_ONCE)
    )
    marked = 0
    with database.write() as connection:
        for group in load_groups(connection, wanted):
            due = deadline(group)
            if due is not None and due <= now:
                risk = risk_of(group.severity, group.cluster_tenants, overdue=True)
                save_standing(connection, replace(group, overdue=True, risk=risk))
                marked += 1
    return marked
