"""What the box says of itself: alerts that wait or were lost, room on the disk, rules that cannot fire."""

from vigla_sensor.doctor.finding import Finding, Severity, Size, Slot
from vigla_sensor.doctor.observation import Observation

_MANY_WAIT = 1_000


def spool(seen: Observation) -> list[Finding]:
    """The books and the disk, where there is a spool."""
    box = seen.box
    found = []
    if box.free is not None and box.free < box.wanted:
        slots: dict[str, Slot] = {"free": Size(box.free), "wanted": Size(box.wanted)}
        found.append(Finding("spool", "disk_short", Severity.WARNING, slots))
    if box.waiting is None:
        return found
    if box.violations:
        found.append(Finding("spool", "spool_books", Severity.WARNING, {"n": box.violations}))
    if box.dropped:
        found.append(Finding("spool", "spool_dropped", Severity.WARNING, {"n": box.dropped}))
    if box.dead:
        found.append(Finding("spool", "spool_dead", Severity.WARNING, {"n": box.dead}))
    if box.waiting >= _MANY_WAIT:
        found.append(Finding("spool", "spool_waiting", Severity.WARNING, {"n": box.waiting}))
    return found or [Finding("spool", "spool_fine", Severity.FINE, {"n": box.waiting})]


def rules(seen: Observation) -> list[Finding]:
    """Rules whose lists the municipality has not filled."""
    if not seen.box.silent_rules:
        return []
    return [Finding("rules", "rules_silent", Severity.NOTE, {"n": seen.box.silent_rules})]
