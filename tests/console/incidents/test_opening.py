"""When an incident opens by itself, what joins, and what never does (console.md 2.2)."""

import random
from dataclasses import replace

import pytest

from tests.console.incidents.facts import group
from vigla_console.incidents.models import AlertGroup, Entity, Severity, State
from vigla_console.incidents.opening import MOST_MEMBERS, openings

HIGH, MEDIUM, CRITICAL = Severity.HIGH, Severity.MEDIUM, Severity.CRITICAL
PC1, PC2, MARIA = Entity("host", "pc1"), Entity("host", "pc2"), Entity("user", "maria")


def two(level: Severity = HIGH, hours: float = 1, **changes: object) -> list[AlertGroup]:
    return [
        group("a", level=level, tactics=("TA0006",), rule="r1"),
        group("b", hours, level=level, tactics=("TA0001",), rule="r2", **changes),  # type: ignore[arg-type]
    ]


def test_a_critical_group_opens_one_alone() -> None:
    (found,) = openings([group("a", level=CRITICAL), group("b", entities=(PC2,))])
    assert (found.opened_by, found.because, found.members) == ("critical", ("a",), ("a",))


def test_two_tactics_at_high_within_a_day_open_one() -> None:
    (found,) = openings(two())
    assert (found.opened_by, found.because) == ("two_tactics_high", ("a", "b"))


@pytest.mark.parametrize(
    "groups",
    [
        two(MEDIUM),
        two(hours=25),
        two(entities=(PC2,)),
        [group("a", level=HIGH, tactics=("TA0001", "TA0006"))],
        [group("a", level=HIGH, rule="r1"), group("b", level=HIGH, rule="r2")],
    ],
    ids=["medium only", "too far apart", "other entity", "one rule with two tags", "one tactic twice"],
)
def test_less_than_that_opens_none(groups: list[AlertGroup]) -> None:
    assert not openings(groups)


def test_three_tactics_at_medium_open_one() -> None:
    groups = [*two(MEDIUM), group("c", 2, tactics=("TA0040",), rule="r3")]
    (found,) = openings(groups)
    assert (found.opened_by, found.members) == ("three_tactics_medium", ("a", "b", "c"))


def test_what_shares_an_entity_joins_and_so_on() -> None:
    groups = [
        group("seed", level=CRITICAL, entities=(PC1, MARIA)),
        group("near", 10, entities=(MARIA, PC2), level=Severity.LOW),
        group("next", 30, entities=(PC2,)),
        group("late", 60, entities=(PC2,)),
        group("else", entities=(Entity("host", "pc9"),)),
    ]
    (found,) = openings(groups)
    assert found.members == ("near", "next", "seed")


def test_shared_infrastructure_and_sensors_never_join() -> None:
    resolver, sensor = Entity("host", "dc1"), Entity("sensor", "kalamata-1")
    groups = [group("a", level=CRITICAL, entities=(resolver, sensor)), group("b", entities=(resolver, sensor))]
    (found,) = openings(groups, frozenset({"dc1"}))
    assert found.members == ("a",)


def test_a_closed_group_neither_opens_nor_joins() -> None:
    groups = [replace(one, state=State.CLOSED) for one in two()]
    assert not openings(groups)


def test_an_open_incident_goes_on() -> None:
    groups = [group("a", incident="P-1"), group("b", 5, rule="r2")]
    (found,) = openings(groups)
    assert (found.opened_by, found.members) == ("existing", ("a", "b"))


def test_joining_stops_at_the_cap_and_is_counted() -> None:
    groups = [group("seed", level=CRITICAL), *(group(f"g{n:04}") for n in range(MOST_MEMBERS + 30))]
    (found,) = openings(groups)
    assert (len(found.members), found.refused) == (MOST_MEMBERS, 31)


def test_order_does_not_matter() -> None:
    groups = [
        *two(),
        group("c", 3, entities=(MARIA, PC2)),
        group("d", 4, entities=(PC1, MARIA), level=CRITICAL),
        group("e", 90, entities=(PC2,), level=CRITICAL),
    ]
    wanted = openings(groups)
    shuffler = random.Random(7)  # noqa: S311
    for _ in range(50):
        shuffler.shuffle(groups)
        assert openings(groups) == wanted
