"""Groups are the maximal runs in event time, whatever the order of arrival (console.md 2.1)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.console.build import NOW, document
from tests.console.incidents.facts import HOUR, Namer, fact
from vigla_console.alerts.models import Alert
from vigla_console.incidents.entities import canonical, indicators, is_internal, joining_entities, primary_entity
from vigla_console.incidents.facts import AlertFact, fact_of, fingerprint
from vigla_console.incidents.grouping import place
from vigla_console.incidents.models import AlertGroup, Disposition, Entity, State, WaitingOn
from vigla_console.tenants.models import TenantId

GAP = timedelta(hours=24)


def run(batches: Sequence[Sequence[AlertFact]], known: Sequence[AlertGroup] = ()) -> list[AlertGroup]:
    """All batches in order, as aggregation places them."""
    name = Namer(len(known) * 1000)
    groups = {group.id: group for group in known}
    for batch in batches:
        groups = dict(place(groups.values(), batch, GAP, name).groups)
    return sorted(groups.values(), key=lambda group: group.first_seen)


def shape(groups: Sequence[AlertGroup]) -> list[object]:
    """What must not depend on the order: all but the names."""
    return [
        (g.first_seen, g.last_seen, g.count, g.alerts, g.level, g.tactics, g.samples, g.entities, g.rule_name)
        for g in groups
    ]


def test_neighbors_within_the_gap_are_one_group() -> None:
    groups = run([[fact(1), fact(2, 24), fact(3, 48.5)]])
    assert [(g.alerts, g.last_seen - g.first_seen) for g in groups] == [(2, GAP), (1, timedelta())]


def test_a_bridge_joins_two_and_the_older_stays() -> None:
    groups = run([[fact(1)], [fact(2, 40)], [fact(3, 20)]])
    assert [(g.id, g.alerts) for g in groups] == [("000001", 3)]
    placement = place(run([[fact(1), fact(2, 40)]]), [fact(3, 20)], GAP, Namer())
    assert placement.joined == {"000002": "000001"}
    assert placement.members == {"3": "000001"}


def test_a_correlation_window_longer_than_the_gap_holds_together() -> None:
    week = timedelta(days=7)
    assert len(run([[fact(1, window=week), fact(2, 100, window=week)]])) == 1
    assert len(run([[fact(1), fact(2, 100)]])) == 2


def test_a_folded_record_spans_and_counts() -> None:
    groups = run([[fact(1), fact("folded", 20, until=60, weight=300), fact(2, 80)]])
    assert [(g.count, g.alerts, g.last_seen - NOW) for g in groups] == [(302, 3, 80 * HOUR)]


def test_people_and_their_decisions_survive_arrivals_and_joining() -> None:
    first, second = run([[fact(1), fact(2, 40)]])
    escalated = replace(second, state=State.ESCALATED, waiting_on=WaitingOn.SOC, assignee="a", assignee_name="A")
    (joined,) = run([[fact(3, 20)]], [first, escalated])
    assert (joined.id, joined.state, joined.waiting_on, joined.assignee) == (
        first.id,
        State.ESCALATED,
        WaitingOn.SOC,
        "a",
    )
    assert joined.version > max(first.version, second.version), "who looks at the old one has to look again"


def test_a_closed_group_takes_what_its_closer_saw_and_nothing_later() -> None:
    (open_one,) = run([[fact(1), fact(2, 10)]])
    closed = replace(
        open_one,
        state=State.CLOSED,
        disposition=Disposition.FALSE_POSITIVE,
        closed_through=open_one.last_seen,
    )
    after = run([[fact("late", 5), fact("new", 11)]], [closed])
    assert [(g.state, g.alerts, g.previous) for g in after] == [(State.CLOSED, 3, None), (State.NEW, 1, closed.code)]
    again = run([[fact("newer", 12)]], after)
    assert [g.alerts for g in again] == [3, 2], "later ones go on in the new group"


FACTS = st.builds(
    fact,
    st.uuids(),
    st.integers(0, 200),
    weight=st.integers(1, 5),
    tactics=st.sampled_from([("TA0006",), ("TA0001",), ()]),
    entities=st.sampled_from([(), (Entity("user", "maria"),), (Entity("host", "pc1"),)]),
)


@given(st.lists(FACTS, max_size=25), st.randoms(use_true_random=False), st.integers(1, 6))
def test_any_order_and_any_batches_give_the_same_groups(facts: list[AlertFact], random: object, batches: int) -> None:
    assert hasattr(random, "shuffle")
    mixed = list(facts)
    random.shuffle(mixed)
    cut = [mixed[start::batches] for start in range(batches)]
    assert shape(run([facts])) == shape(run(cut))
    assert shape(run([facts])) == shape(run([[one] for one in mixed]))


@given(st.lists(FACTS, min_size=1, max_size=25))
def test_groups_lie_further_apart_than_the_gap_and_hold_no_wider_hole(facts: list[AlertFact]) -> None:
    groups = run([facts])
    for one, other in pairwise(groups):
        assert other.first_seen - one.last_seen > GAP
    assert sum(group.count for group in groups) == sum(one.weight for one in facts)


def test_the_fingerprint_is_what_it_was() -> None:
    """Golden: a change is a new dated algorithm, never a silent one."""
    value = fingerprint(TenantId("kalamata"), "6f1c3d52-8f0a-4f0e-9f43-0d6f6b6f3a10", Entity("ip", "203.0.113.9"))
    assert value == "f99c36abc5db817276944cd40af909c0"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("ip", "2001:DB8:0::1", Entity("ip", "2001:db8::1")),
        ("ip", "::ffff:192.0.2.1", Entity("ip", "192.0.2.1")),
        ("host", "PC1.Kalamata.Example.", Entity("host", "pc1.kalamata.example")),
        ("domain", "Βίγλα.example", Entity("domain", "xn--kxaebf4b.example")),
        ("user", "ΜΑΡΊΑ", Entity("user", "μαρία")),
        ("printer", "X", Entity("other", "x")),
        ("domain", "a" * 70 + ".example", Entity("domain", "a" * 70 + ".example")),
    ],
)
def test_one_spelling_each(kind: str, value: str, expected: Entity) -> None:
    assert canonical(kind, value) == expected


@pytest.mark.parametrize(
    ("address", "inside"),
    [("10.1.2.3", True), ("203.0.113.9", False), ("fd00::1", True), ("2001:db8::1", False), ("100.64.0.1", True)],
)
def test_documentation_networks_are_outside(address: str, inside: bool) -> None:
    assert is_internal(address) is inside


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Entity("ip", "203.0.113.9")),
        ({"vigla.entity": {}, "user.name": "Maria"}, Entity("user", "maria")),
        ({"vigla.entity": {}, "host.name": "PC1", "source.ip": "10.0.0.1"}, Entity("host", "pc1")),
        (
            {"vigla.entity": {}, "source.ip": "203.0.113.7", "destination.ip": "10.0.0.1"},
            Entity("ip", "10.0.0.1"),
        ),
        ({"vigla.entity": {}, "source.ip": "203.0.113.7"}, Entity("ip", "203.0.113.7")),
        ({"vigla.entity": {}}, Entity("sensor", "kalamata-1")),
    ],
)
def test_the_first_present_is_the_entity(fields: dict[str, object], expected: Entity) -> None:
    assert primary_entity(Alert.of(TenantId("kalamata"), document(1, fields=fields))) == expected


def test_what_was_asked_for_does_not_join_and_who_asked_does() -> None:
    lookup = {
        "vigla.entity": {"kind": "ip", "value": "10.2.1.31"},
        "source.ip": "10.2.1.31",
        "destination.ip": "10.2.0.2",
        "dns.question.name": "pool.example",
        "related.ip": ["10.2.0.2", "10.2.1.31", "203.0.113.9"],
        "related.hosts": ["pool.example", "PC31"],
        "related.user": ["Maria"],
    }
    joins = joining_entities(Alert.of(TenantId("mytilini"), document(1, fields=lookup)))
    assert joins == {Entity("ip", "10.2.1.31"), Entity("host", "pc31"), Entity("user", "maria")}


def test_indicators_are_outside_and_not_everybodys() -> None:
    seen = {
        "source.ip": "10.2.1.31",
        "destination.ip": "8.8.8.8",
        "related.ip": ["203.0.113.9", "224.0.0.251", "198.51.100.1"],
        "dns.question.name": "Pool.Example.",
        "url.domain": "intranet",
    }
    alert = Alert.of(TenantId("mytilini"), document(1, fields=seen))
    found = indicators(alert, frozenset({Entity("ip", "198.51.100.1")}))
    assert found == {Entity("ip", "203.0.113.9"), Entity("domain", "pool.example")}


def test_a_summary_adds_its_repeats_and_a_folded_record_its_count() -> None:
    def fact_from(**fields: object) -> AlertFact:
        named = {name.replace("__", "."): value for name, value in fields.items()}
        return fact_of(Alert.of(TenantId("kalamata"), document(1, fields=named)))

    assert fact_from().weight == 1
    assert fact_from(event__action="correlation-summary", vigla__correlation={"repeats": 41}).weight == 41
    folded = {"count": 300, "first": "2026-11-23T10:00:00.000Z", "last": "2026-11-23T12:30:00.000Z"}
    one = fact_from(event__action="folded", vigla__folded=folded)
    assert (one.weight, one.last - one.first) == (300, timedelta(hours=2, minutes=30))
    broken = fact_from(event__action="folded", vigla__folded={"count": "many", "first": 5, "last": "x"})
    assert (broken.weight, broken.first) == (1, NOW)
