"""Is it a mirror port at all, and does it show both directions?"""

from vigla_sensor.doctor.finding import Finding, Severity, Share, Slot
from vigla_sensor.doctor.observation import Observation, Sides

ENOUGH = 20
"""Connections from which a share says something."""
_FLOODED = 0.8
"""Share of frames for many above which a port is no mirror: a switch gives these to every port."""
_ALL, _MANY, _SOME = 0.8, 0.2, 0.05


def interfaces(seen: Observation) -> list[Finding]:
    """Interfaces that are not up."""
    down = [port for port in seen.ports if port.state != "up"]
    if not seen.live:
        return []
    if not down:
        names = tuple(port.name for port in seen.ports)
        return [Finding("interfaces", "interfaces_up", Severity.FINE, {"names": names})]
    return [
        Finding("interfaces", f"interface_{port.state}", Severity.BLIND, {"name": port.name})
        for port in down
        if port.state in ("down", "absent", "refused")
    ]


def kind(seen: Observation) -> list[Finding]:
    """Conversations of others, or only what every port of a switch gets, or nothing."""
    frames, reach = seen.frames, seen.reach
    if not frames.total:
        return [Finding("mirror", "silent", Severity.BLIND, {"seconds": round(seen.seconds)})]
    many = frames.broadcast + frames.multicast
    flooded = Share(many, frames.total)
    slots: dict[str, Slot] = {
        "frames": frames.total,
        "many": flooded,
        "others": reach.other,
        "own": reach.own,
        "seconds": round(seen.seconds),
    }
    if reach.other == 0 and reach.own > 0:
        return [Finding("mirror", "only_own", Severity.BLIND, slots)]
    if reach.other == 0 or (flooded.value >= _FLOODED and reach.other < ENOUGH):
        return [Finding("mirror", "no_mirror", Severity.BLIND, slots)]
    if reach.crossing + reach.outside == 0 and reach.other >= ENOUGH:
        return [Finding("mirror", "no_internet", Severity.WARNING, slots)]
    if reach.other < ENOUGH:
        return [Finding("mirror", "little", Severity.UNKNOWN, slots)]
    return [Finding("mirror", "mirror", Severity.FINE, slots)]


def directions(seen: Observation) -> list[Finding]:
    """One-sided mirroring."""
    sides = seen.sides
    if sides.judged < ENOUGH:
        return [Finding("directions", "sides_unknown", Severity.UNKNOWN, {"judged": sides.judged})]
    share = Share(sides.one, sides.judged)
    slots: dict[str, Slot] = {
        "one": sides.one,
        "judged": sides.judged,
        "share": share,
        "outward": sides.outward,
        "inward": sides.inward,
        "within": sides.within,
    }
    if share.value >= _ALL:
        return [Finding("directions", f"one_sided_{_missing(sides)}", Severity.BLIND, slots)]
    if share.value >= _MANY:
        return [Finding("directions", "one_sided_many", Severity.WARNING, slots)]
    if share.value >= _SOME:
        return [Finding("directions", "one_sided_some", Severity.NOTE, slots)]
    return [Finding("directions", "both_sides", Severity.FINE, slots)]


def _missing(sides: Sides) -> str:
    """Which direction is missing, where nearly all of the lone ones go the same way."""
    if sides.outward >= _ALL * sides.one:
        return "inward"
    if sides.inward >= _ALL * sides.one:
        return "outward"
    return "all"
