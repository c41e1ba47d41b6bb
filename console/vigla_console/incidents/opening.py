"""When groups of one municipality become an incident by themselves, and which later ones join (console.md 2.2).
Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from vigla_console.incidents.models import AlertGroup, Entity, Severity

WINDOW = timedelta(hours=24)
MOST_MEMBERS = 200
_UNJOINING = ("sensor", "other")  # say nothing about who acted

EXISTING = "existing"
CRITICAL = "critical"
TWO_TACTICS = "two_tactics_high"
THREE_TACTICS = "three_tactics_medium"


@dataclass(frozen=True, slots=True)
class Opening:
    """Groups that belong together: ``opened_by`` names the rule and ``because`` the groups that fulfilled it."""

    opened_by: str
    because: tuple[str, ...]  # group ids
    members: tuple[str, ...]  # group ids, ``because`` among them
    refused: int  # would have joined, but the incident is full


def openings(groups: Iterable[AlertGroup], shared: frozenset[str] = frozenset()) -> Sequence[Opening]:
    """The incidents that these open groups make or go on, each group in at most one. ``shared``: values that never
    join.
    """
    by_id = {group.id: group for group in groups if group.state.open}
    links = _links(by_id.values(), shared)
    found: list[Opening] = []
    taken: set[str] = set()
    for opened_by, because in _seeds(by_id, links):
        if taken.isdisjoint(because):
            members, refused = _reach(by_id, links, because)
            taken |= members
            found.append(Opening(opened_by, tuple(sorted(because)), tuple(sorted(members)), refused))
    return found


def _links(groups: Iterable[AlertGroup], shared: frozenset[str]) -> Mapping[Entity, list[AlertGroup]]:
    links = defaultdict(list)
    for group in sorted(groups, key=lambda g: (g.first_seen, g.fingerprint)):
        for entity in {*group.entities, group.entity}:
            if entity.kind not in _UNJOINING and entity.value not in shared:
                links[entity].append(group)
    return links


def _seeds(
    by_id: Mapping[str, AlertGroup], links: Mapping[Entity, list[AlertGroup]]
) -> Iterable[tuple[str, frozenset[str]]]:
    for incident in sorted({group.incident for group in by_id.values() if group.incident}):
        yield EXISTING, frozenset(group.id for group in by_id.values() if group.incident == incident)
    for group in sorted(by_id.values(), key=lambda g: (g.first_seen, g.fingerprint)):
        if group.level is Severity.CRITICAL:
            yield CRITICAL, frozenset({group.id})
    for opened_by, tactics, level in ((TWO_TACTICS, 2, Severity.HIGH), (THREE_TACTICS, 3, Severity.MEDIUM)):
        for entity in sorted(links):
            because = _several_tactics(links[entity], tactics, level)
            if because:
                yield opened_by, because


def _several_tactics(groups: Sequence[AlertGroup], wanted: int, level: Severity) -> frozenset[str]:
    """Groups within one window that show as many tactics; one rule alone, however many tags it has, is no chain of
    acts.
    """
    loud = [group for group in groups if group.level >= level and group.tactics]
    for start in sorted(group.first_seen for group in loud):
        inside = [g for g in loud if g.last_seen >= start and g.first_seen <= start + WINDOW]
        tactics = {tactic for group in inside for tactic in group.tactics}
        if len(tactics) >= wanted and len({group.rule for group in inside}) >= 2:
            return frozenset(group.id for group in inside)
    return frozenset()


def _reach(
    by_id: Mapping[str, AlertGroup], links: Mapping[Entity, list[AlertGroup]], because: frozenset[str]
) -> tuple[set[str], int]:
    """Everything that shares an entity within the window, and so on; at the cap joining stops, and is counted."""
    members, waiting, refused = set(because), [by_id[one] for one in sorted(because)], set()
    while waiting:
        group = waiting.pop(0)
        for entity in sorted({*group.entities, group.entity}):
            for other in links.get(entity, ()):
                if other.id in members or not _within(group, other):
                    continue
                if len(members) >= MOST_MEMBERS:
                    refused.add(other.id)
                else:
                    members.add(other.id)
                    waiting.append(other)
    return members, len(refused)


def _within(one: AlertGroup, other: AlertGroup) -> bool:
    return one.first_seen <= other.last_seen + WINDOW and other.first_seen <= one.last_seen + WINDOW
