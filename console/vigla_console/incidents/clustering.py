"""The same thing in many municipalities (console.md 2.3). Pure: sightings in, clusters out, in any order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from vigla_console.incidents.models import ClusterMember
from vigla_console.tenants.models import TenantId

WINDOW = timedelta(hours=48)
FROM_TENANTS = 3
BURST_AT_LEAST = 5
BURST_TIMES = 4
BURST_DAYS = 14


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """One municipality saw the key ``count`` times between ``first`` and ``last`` (an hour, or a day of a burst)."""

    first: datetime
    last: datetime
    tenant: TenantId
    count: int


@dataclass(frozen=True, slots=True)
class Spread:
    """A run of sightings that somewhere within 48 hours has three municipalities."""

    first: datetime
    last: datetime
    members: tuple[ClusterMember, ...]


def spreads(sightings: Iterable[Sighting]) -> Sequence[Spread]:
    """Runs whose neighbors lie at most 48 hours apart and that qualify, oldest first."""
    runs: list[list[Sighting]] = []
    reached: datetime | None = None
    for sighting in sorted(sightings):
        if reached is None or sighting.first > reached + WINDOW:
            runs.append([])
            reached = sighting.last
        runs[-1].append(sighting)
        reached = max(reached, sighting.last)
    return [_spread(run) for run in runs if _qualifies(run)]


def _qualifies(run: Sequence[Sighting]) -> bool:
    for start in run:
        inside = {s.tenant for s in run if s.last >= start.first and s.first <= start.first + WINDOW}
        if len(inside) >= FROM_TENANTS:
            return True
    return False


def _spread(run: Sequence[Sighting]) -> Spread:
    members = []
    for tenant in sorted({s.tenant for s in run}):
        own = [s for s in run if s.tenant == tenant]
        first, last = min(s.first for s in own), max(s.last for s in own)
        members.append(ClusterMember(tenant, first, last, sum(s.count for s in own)))
    return Spread(min(s.first for s in run), max(s.last for s in run), tuple(members))


def burst_days(by_day: Mapping[int, int], days: Iterable[int]) -> Mapping[int, int]:
    """Of ``days`` (numbers of UTC days) those with more than max(5, 4 × the median of the 14 days before), with
    their counts.
    """
    found = {}
    for day in days:
        count = by_day.get(day, 0)
        usual = median(by_day.get(day - back, 0) for back in range(1, BURST_DAYS + 1))
        if count > max(BURST_AT_LEAST, BURST_TIMES * usual):
            found[day] = count
    return found
