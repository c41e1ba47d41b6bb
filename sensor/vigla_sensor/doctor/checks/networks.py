"""Which side of the address translation, which VLANs, and does the configuration know what is inside?"""

from vigla_sensor.doctor.checks.mirror import ENOUGH
from vigla_sensor.doctor.finding import Finding, Severity, Share, Slot
from vigla_sensor.doctor.observation import Observation, Sides

_HUB = 0.8
"""Share of connections that the few addresses of a translator are in."""
_PEERS = 10
_THROUGH = 0.95
_TRANSLATORS, _CROSSING = 2, 50
"""So many private addresses are no office, if they have so many connections with the Internet and nobody else has."""
_FOREIGN = 0.05
_ONE_SIDED = 0.8
_IN_ALL = 0.8
_SHOWN = 8


def translated(seen: Observation) -> list[Finding]:
    """Only the outer side of the NAT: inside addresses are never seen, a few public ones in everything."""
    reach = seen.reach
    through = reach.crossing + reach.outside
    if through < ENOUGH:
        return [Finding("nat", "nat_unknown", Severity.UNKNOWN, {"through": through})]
    hubs = _hubs(seen)
    slots: dict[str, Slot] = {
        "hubs": hubs,
        "outside": reach.outside,
        "crossing": reach.crossing,
        "inside": reach.inside,
        "share": Share(reach.outside, through),
        "hosts": reach.hosts,
    }
    if hubs and reach.outside >= _THROUGH * through and reach.inside <= 0.01 * reach.other:
        return [Finding("nat", "nat_only", Severity.BLIND, slots)]
    if hubs and min(reach.outside, reach.crossing) >= 0.3 * through:
        return [Finding("nat", "nat_both", Severity.NOTE, slots)]
    few = _few_insiders(seen)
    if few:
        shown: dict[str, Slot] = {"insiders": few, "crossing": reach.crossing, "remotes": reach.remotes}
        return [Finding("nat", "nat_one", Severity.WARNING, shown)]
    return [Finding("nat", "nat_inside", Severity.FINE, slots)]


def _few_insiders(seen: Observation) -> tuple[str, ...]:
    """One or two private addresses that have all connections with the Internet, where nothing else is seen inside.

    Between a firewall and a provider's router that translates once more, the outer side has a private address.
    """
    reach = seen.reach
    few = reach.insiders[:_TRANSLATORS]
    alone = sum(n for _, n in few) >= _THROUGH * reach.crossing and reach.inside <= 0.01 * reach.other
    many = reach.crossing >= _CROSSING and reach.remotes >= _PEERS
    return tuple(address for address, _ in few) if alone and many else ()


def _hubs(seen: Observation) -> tuple[str, ...]:
    """The fewest addresses that have nearly all connections between public ones, if these are few and meet many."""
    found: list[str] = []
    covered = 0
    for address, n in seen.reach.hubs:
        found.append(address)
        covered += n
        if covered >= _HUB * seen.reach.outside:
            break
    # Many inside that begin connections of their own are no translator, whatever they all want.
    is_one = seen.reach.peers >= _PEERS and seen.reach.hosts < _PEERS
    return tuple(found) if is_one and covered >= _HUB * seen.reach.outside else ()


def vlans(seen: Observation) -> list[Finding]:
    """VLANs that were expected and did not come, and those of which one direction came."""
    frames, expected = seen.frames, seen.expected.vlans
    there = sorted(frames.vlans)
    found = []
    slots: dict[str, Slot]
    missing = tuple(vlan for vlan in expected if vlan not in frames.vlans)
    if missing and not there:
        found.append(Finding("vlans", "vlans_stripped", Severity.WARNING, {"missing": missing}))
    elif missing:
        slots = {"missing": missing, "there": tuple(there[:_SHOWN])}
        found.append(Finding("vlans", "vlans_missing", Severity.WARNING, slots))
    # Where nearly everything is one-sided, that is said once.
    if Share(seen.sides.one, seen.sides.judged).value < _ONE_SIDED:
        lone = {vlan: sides for vlan, sides in seen.vlan_sides.items() if _is_lone(sides)}
        if lone:
            slots = {"vlans": tuple(sorted(lone)), "one": sum(sides.one for sides in lone.values())}
            found.append(Finding("vlans", "vlans_one_sided", Severity.WARNING, slots))
    if found:
        return found
    slots = {"there": tuple(there[:_SHOWN]), "n": len(there), "untagged": Share(frames.untagged, frames.total)}
    name = "vlans_all" if expected else "vlans_there" if there else "vlans_none"
    return [Finding("vlans", name, Severity.FINE if expected or there else Severity.UNKNOWN, slots)]


def _is_lone(sides: Sides) -> bool:
    return sides.judged >= ENOUGH and sides.one >= _ONE_SIDED * sides.judged


def local(seen: Observation) -> list[Finding]:
    """Connections of which neither end is in a local network: the configuration does not know the site's addresses."""
    reach = seen.reach
    share = Share(reach.foreign, reach.other)
    if reach.other < ENOUGH:
        return []
    # What is in nearly all of them is the site's; what many of the site's computers want is in fewer.
    likely = tuple(network for network, n in reach.strangers if n >= _IN_ALL * reach.foreign)
    slots: dict[str, Slot] = {"foreign": reach.foreign, "share": share, "networks": likely}
    if share.value >= _FOREIGN and reach.foreign >= ENOUGH:
        name = "local_likely" if likely else "local_unlikely"
        return [Finding("local", name, Severity.WARNING, slots)]
    if seen.expected.networks_said:
        return [Finding("local", "local_said", Severity.FINE, slots)]
    return [Finding("local", "local_private", Severity.FINE, slots)]
