"""Is the clock right by which packets are stamped? Evidence: the kernel, and what other machines' packets say."""

from collections.abc import Mapping

from vigla_sensor.doctor.clocks import at_least, median
from vigla_sensor.doctor.finding import Finding, Severity, Slot, Step
from vigla_sensor.doctor.observation import Observation

_ENOUGH = 5
_OFF = "1m"
"""A step that begins at 5 seconds: from there on what traffic and logs of others tell does not fit together."""


def clock(seen: Observation) -> list[Finding]:
    """One finding about others' clocks, one about the kernel's opinion where the packets were stamped here."""
    found = []
    told = _told(seen)
    if told is not None:
        found.append(told)
    if seen.clock.synchronized is False:
        found.append(Finding("clock", "clock_unsynchronized", Severity.WARNING))
    elif seen.clock.synchronized:
        slots: dict[str, Slot] = {"offset": round(seen.clock.offset_ms, 1)}
        found.append(Finding("clock", "clock_synchronized", Severity.FINE, slots))
    return found or [Finding("clock", "clock_unknown", Severity.UNKNOWN)]


def _told(seen: Observation) -> Finding | None:
    """Time servers before web servers."""
    for source, offsets in (("ntp", seen.clock.ntp), ("http", seen.clock.http)):
        finding = _judged(source, offsets)
        if finding is not None:
            return finding
    return None


def _judged(source: str, offsets: Mapping[tuple[str, str], int]) -> Finding | None:
    n, middle = sum(offsets.values()), median(offsets)
    if n < _ENOUGH or middle is None:
        return None
    side, step = middle
    slots: dict[str, Slot] = {"n": n, "step": Step(side, step)}
    if at_least(step, _OFF):
        return Finding("clock", f"clock_off_{source}", Severity.WARNING, slots)
    return Finding("clock", f"clock_right_{source}", Severity.FINE, slots)
