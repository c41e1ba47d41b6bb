"""What is lost on the way to the rules: in the kernel, on the card, in the mirror itself, in our own tables."""

from vigla_sensor.doctor.finding import Finding, Severity, Share, Size, Slot
from vigla_sensor.doctor.observation import Observation

_GRAVE, _MUCH, _SOME = 0.1, 0.01, 0.001
_HOLES_MUCH, _HOLES_SOME = 0.01, 0.001
_LEAST_STREAM = 100_000
"""Bytes of connections below which holes say nothing."""


def dropped(seen: Observation) -> list[Finding]:
    """Packets for which the kernel or the card had no room. Of files nobody knows."""
    loss = seen.loss
    if not seen.live:
        return []
    found = []
    share = Share(loss.kernel, loss.received)
    slots: dict[str, Slot] = {"dropped": loss.kernel, "received": loss.received, "share": share}
    if share.value >= _SOME:
        severity = _severity(share.value, _GRAVE, _MUCH)
        found.append(Finding("drops", "dropped_kernel", severity, slots))
    card = Share(loss.card, loss.received + loss.card)
    if card.value >= _SOME:
        severity = _severity(card.value, _GRAVE, _MUCH)
        found.append(Finding("drops", "dropped_card", severity, {"dropped": loss.card, "share": card}))
    return found or [Finding("drops", "dropped_none", Severity.FINE, slots)]


def _severity(share: float, grave: float, much: float) -> Severity:
    return Severity.BLIND if share >= grave else Severity.WARNING if share >= much else Severity.NOTE


def holes(seen: Observation) -> list[Finding]:
    """Bytes that a receiver acknowledged and that never came here: the mirror itself loses.

    Not asked where frames are cut: what is cut off is a hole too.
    """
    loss = seen.loss
    whole = loss.stream_bytes
    if whole < _LEAST_STREAM or Share(seen.frames.cut, seen.frames.total).value >= _SOME:
        return []
    share = Share(min(loss.missed_bytes, whole), whole)
    slots: dict[str, Slot] = {"missed": Size(loss.missed_bytes), "whole": Size(whole), "share": share}
    if share.value >= _HOLES_SOME:
        severity = Severity.WARNING if share.value >= _HOLES_MUCH else Severity.NOTE
        return [Finding("holes", "holes", severity, slots)]
    return [Finding("holes", "holes_none", Severity.FINE, slots)]


def cut(seen: Observation) -> list[Finding]:
    """Frames that came shorter than they were."""
    frames = seen.frames
    share = Share(frames.cut, frames.total)
    slots: dict[str, Slot] = {"cut": frames.cut, "share": share, "snaplen": seen.expected.snaplen}
    if not frames.cut:
        return [Finding("cut", "cut_none", Severity.FINE, slots)]
    name = "cut_configured" if seen.live and seen.expected.snaplen else "cut_live" if seen.live else "cut_file"
    return [Finding("cut", name, Severity.WARNING if share.value >= _MUCH else Severity.NOTE, slots)]


def tables(seen: Observation) -> list[Finding]:
    """Connections that ended early for want of room, and parsers that failed."""
    loss = seen.loss
    found = []
    share = Share(loss.evicted, loss.flows)
    if share.value >= _SOME:
        severity = Severity.WARNING if share.value >= _MUCH else Severity.NOTE
        slots: dict[str, Slot] = {"evicted": loss.evicted, "flows": loss.flows, "share": share}
        found.append(Finding("tables", "evicted", severity, slots))
    if loss.panics:
        found.append(Finding("tables", "panics", Severity.NOTE, {"n": loss.panics}))
    if seen.forgotten:
        found.append(Finding("tables", "forgotten", Severity.NOTE, {"n": seen.forgotten}))
    return found
