"""From the rule's level to what the queue sorts by; each step can be shown. Pure."""

import math
from datetime import datetime, timedelta

from vigla_console.incidents.models import AlertGroup, Severity, SeverityStep, State, WaitingOn

SPREAD_FROM = 3  # municipalities
INNOCENT_FROM = 3  # closures in a row that said "nothing bad"
_LADDER = tuple(Severity)

_FIRST_LOOK = {Severity.CRITICAL: timedelta(minutes=30), Severity.HIGH: timedelta(hours=4)}
_OTHERWISE = timedelta(days=1)


def severity_of(level: Severity, cluster_tenants: int, innocent: int) -> tuple[Severity, tuple[SeverityStep, ...]]:
    """``innocent``: how many groups of this fingerprint in a row were closed as innocent. Critical is never lowered."""
    steps = []
    now = level
    if cluster_tenants >= SPREAD_FROM and Severity.MEDIUM <= now < Severity.CRITICAL:
        after = _LADDER[_LADDER.index(now) + 1]
        steps.append(SeverityStep("spread", now, after))
        now = after
    if innocent >= INNOCENT_FROM and Severity.INFORMATIONAL < now < Severity.CRITICAL:
        after = _LADDER[_LADDER.index(now) - 1]
        steps.append(SeverityStep("innocent_history", now, after))
        now = after
    return now, tuple(steps)


def risk_of(severity: Severity, cluster_tenants: int, *, overdue: bool) -> int:
    """Severity × spread (1 + log2 of the cluster's municipalities, at most 3) × overdue (1 or 1.5), in hundredths."""
    spread = min(3.0, 1 + math.log2(max(cluster_tenants, 1)))
    return round(100 * severity.weight * spread * (1.5 if overdue else 1.0))


def deadline(group: AlertGroup) -> datetime | None:
    """When somebody should have looked: of a new group since it opened, of an escalation since it waits on the
    centre.
    """
    if group.state is State.NEW:
        return group.opened + _FIRST_LOOK.get(group.severity, _OTHERWISE)
    if group.waiting_on is WaitingOn.SOC and group.waiting_since is not None:
        return group.waiting_since + _FIRST_LOOK.get(group.severity, _OTHERWISE)
    return None
