"""Alerts into groups: the maximal runs of one fingerprint in event time (console.md 2.1). Pure; any order gives the
same runs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vigla_console.incidents.entities import MOST_ENTITIES
from vigla_console.incidents.facts import ALGORITHM, AlertFact
from vigla_console.incidents.models import AlertGroup, State, WaitingOn
from vigla_console.incidents.severity import risk_of

MOST_SAMPLES = 20
_PROGRESS = (State.NEW, State.ACKNOWLEDGED, State.IN_INCIDENT, State.ESCALATED)


@dataclass(frozen=True, slots=True)
class Name:
    """What a new group is called: a sortable id (older is smaller), a code for people, the time it was opened."""

    id: str
    code: str
    opened: datetime


@dataclass(frozen=True, slots=True)
class Placement:
    """``groups``: all of this fingerprint by id after the arrivals; ``joined``: id that went → id that stayed."""

    groups: Mapping[str, AlertGroup]
    joined: Mapping[str, str]
    members: Mapping[str, str]  # event id → group id


def place(
    known: Iterable[AlertGroup], facts: Sequence[AlertFact], gap: timedelta, name: Callable[[], Name]
) -> Placement:
    """Puts alerts of one fingerprint into its groups; ``known`` holds all that lie within the gap of any of them."""
    groups = {group.id: group for group in known}
    joined: dict[str, str] = {}
    members: dict[str, str] = {}
    for fact in sorted(facts, key=lambda fact: (fact.first, fact.event_id)):
        reach = max(gap, fact.window)
        home = _closed_home(groups.values(), fact, reach)
        if home is None:
            near = sorted(g.id for g in groups.values() if g.state.open and _near(g, fact, reach))
            home = _join(groups, joined, near) if near else _open(groups, fact, reach, name())
        groups[home] = _with(groups[home], fact)
        members[fact.event_id] = home
    stayed = {event: _resolve(joined, group) for event, group in members.items()}
    return Placement(groups, {gone: _resolve(joined, gone) for gone in joined}, stayed)


def _near(group: AlertGroup, fact: AlertFact, gap: timedelta) -> bool:
    return fact.first <= group.last_seen + gap and fact.last >= group.first_seen - gap


def _closed_home(groups: Iterable[AlertGroup], fact: AlertFact, gap: timedelta) -> str | None:
    """A closed group takes what its closer could have seen, nothing later."""
    homes = [
        group
        for group in groups
        if not group.state.open
        and group.closed_through is not None
        and fact.last <= group.closed_through
        and _near(group, fact, gap)
    ]
    return min(homes, key=lambda group: (group.first_seen, group.id)).id if homes else None


def _open(groups: dict[str, AlertGroup], fact: AlertFact, gap: timedelta, name: Name) -> str:
    before = [g for g in groups.values() if not g.state.open and g.first_seen <= fact.first and _near(g, fact, gap)]
    previous = max(before, key=lambda g: (g.last_seen, g.id)).code if before else None
    groups[name.id] = AlertGroup(
        id=name.id,
        tenant=fact.tenant,
        code=name.code,
        fingerprint=fact.fingerprint,
        algorithm=ALGORITHM,
        rule=fact.rule,
        rule_name=fact.rule_name,
        level=fact.level,
        severity=fact.level,
        steps=(),
        risk=risk_of(fact.level, 1, overdue=False),
        entity=fact.entity,
        first_seen=fact.first,
        last_seen=fact.last,
        count=0,
        alerts=0,
        tactics=(),
        techniques=(),
        samples=(),
        entities=(),
        previous=previous,
        opened=name.opened,
        version=1,
    )
    return name.id


def _with(group: AlertGroup, fact: AlertFact) -> AlertGroup:
    return replace(
        group,
        rule_name=max((group.last_seen, group.rule_name), (fact.last, fact.rule_name))[1],
        level=max(group.level, fact.level),
        first_seen=min(group.first_seen, fact.first),
        last_seen=max(group.last_seen, fact.last),
        count=group.count + fact.weight,
        alerts=group.alerts + 1,
        tactics=tuple(sorted({*group.tactics, *fact.tactics})),
        techniques=tuple(sorted({*group.techniques, *fact.techniques})),
        samples=tuple(sorted({*group.samples, fact.event_id})[:MOST_SAMPLES]),
        entities=tuple(sorted({*group.entities, *fact.entities})[:MOST_ENTITIES]),
    )


def _join(groups: dict[str, AlertGroup], joined: dict[str, str], ids: Sequence[str]) -> str:
    """The oldest stays; what people did with the others is not lost."""
    stays, *others = ids
    for gone in others:
        groups[stays] = _merged(groups[stays], groups.pop(gone))
        joined[gone] = stays
    return stays


def _merged(older: AlertGroup, younger: AlertGroup) -> AlertGroup:
    further = max((older, younger), key=lambda group: _PROGRESS.index(group.state))
    waiting = older if older.waiting_on is not WaitingOn.NOBODY else younger
    return replace(
        older,
        rule_name=max((older.last_seen, older.rule_name), (younger.last_seen, younger.rule_name))[1],
        level=max(older.level, younger.level),
        first_seen=min(older.first_seen, younger.first_seen),
        last_seen=max(older.last_seen, younger.last_seen),
        count=older.count + younger.count,
        alerts=older.alerts + younger.alerts,
        tactics=tuple(sorted({*older.tactics, *younger.tactics})),
        techniques=tuple(sorted({*older.techniques, *younger.techniques})),
        samples=tuple(sorted({*older.samples, *younger.samples})[:MOST_SAMPLES]),
        entities=tuple(sorted({*older.entities, *younger.entities})[:MOST_ENTITIES]),
        state=further.state,
        waiting_on=waiting.waiting_on,
        waiting_since=waiting.waiting_since,
        assignee=older.assignee or younger.assignee,
        assignee_name=older.assignee_name or younger.assignee_name,
        incident=older.incident or younger.incident,
        cluster_tenants=max(older.cluster_tenants, younger.cluster_tenants),
        previous=older.previous or younger.previous,
        version=max(older.version, younger.version) + 1,  # whoever looks at one of them has to look again
    )


def _resolve(joined: Mapping[str, str], group: str) -> str:
    while group in joined:
        group = joined[group]
    return group
