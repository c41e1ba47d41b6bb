"""The same thing in three municipalities within two days (console.md 2.3); severity and risk that follow."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.console.build import NOW
from tests.console.incidents.facts import HOUR, group
from vigla_console.incidents.clustering import Sighting, burst_days, spreads
from vigla_console.incidents.models import Severity, State, WaitingOn
from vigla_console.incidents.severity import deadline, risk_of, severity_of
from vigla_console.tenants.models import TenantId


def seen(tenant: str, hours: float, count: int = 1) -> Sighting:
    at = NOW + hours * HOUR
    return Sighting(at, at, TenantId(tenant), count)


def test_three_within_two_days_are_a_cluster() -> None:
    (spread,) = spreads([seen("a", 0), seen("b", 20), seen("c", 48, 5), seen("a", 10, 2)])
    assert [(m.tenant, m.count) for m in spread.members] == [("a", 3), ("b", 1), ("c", 5)]


@pytest.mark.parametrize(
    "sightings",
    [
        [seen("a", 0), seen("b", 1)],
        [seen("a", 0), seen("a", 1), seen("a", 2)],
        [seen("a", 0), seen("b", 30), seen("c", 60)],
    ],
    ids=["two", "one three times", "never three within two days"],
)
def test_less_is_none(sightings: list[Sighting]) -> None:
    assert not spreads(sightings)


def test_it_ends_after_two_days_of_silence() -> None:
    first, second = spreads([seen(t, h) for h in (0, 200) for t in "abc"])
    assert second.first - first.last == timedelta(hours=200)


@given(st.lists(st.builds(seen, st.sampled_from("abcd"), st.integers(0, 300)), max_size=20), st.randoms())
def test_order_does_not_matter(sightings: list[Sighting], shuffler: random.Random) -> None:
    wanted = spreads(sightings)
    shuffler.shuffle(sightings)
    assert spreads(sightings) == wanted


def test_a_burst_is_over_five_and_four_times_the_usual() -> None:
    quiet = {20: 6}
    assert burst_days(quiet, [20]) == {20: 6}
    assert burst_days({20: 5}, [20]) == {}
    busy = dict.fromkeys(range(6, 20), 10)
    assert burst_days({**busy, 20: 40}, [20]) == {}
    assert burst_days({**busy, 20: 41}, [20]) == {20: 41}


@pytest.mark.parametrize(
    ("level", "tenants", "innocent", "severity", "reasons"),
    [
        (Severity.MEDIUM, 1, 0, Severity.MEDIUM, []),
        (Severity.MEDIUM, 3, 0, Severity.HIGH, ["spread"]),
        (Severity.MEDIUM, 2, 0, Severity.MEDIUM, []),
        (Severity.LOW, 9, 0, Severity.LOW, []),
        (Severity.CRITICAL, 9, 9, Severity.CRITICAL, []),
        (Severity.MEDIUM, 1, 3, Severity.LOW, ["innocent_history"]),
        (Severity.HIGH, 5, 3, Severity.CRITICAL, ["spread"]),
        (Severity.INFORMATIONAL, 1, 9, Severity.INFORMATIONAL, []),
    ],
)
def test_severity_shows_each_step(
    level: Severity, tenants: int, innocent: int, severity: Severity, reasons: list[str]
) -> None:
    found, steps = severity_of(level, tenants, innocent)
    assert (found, [step.reason for step in steps]) == (severity, reasons)


def test_risk_is_severity_times_spread_times_overdue() -> None:
    assert risk_of(Severity.CRITICAL, 1, overdue=False) == 10_000
    assert risk_of(Severity.HIGH, 2, overdue=False) == 12_000
    assert risk_of(Severity.HIGH, 4, overdue=True) == 27_000
    assert risk_of(Severity.HIGH, 300, overdue=False) == 18_000, "spread counts up to three times"


def test_deadlines_follow_severity_and_state() -> None:
    new = replace(group("a", level=Severity.CRITICAL), opened=NOW)
    assert deadline(new) == NOW + timedelta(minutes=30)
    waiting = replace(new, severity=Severity.HIGH, state=State.ESCALATED, waiting_on=WaitingOn.SOC, waiting_since=NOW)
    assert deadline(waiting) == NOW + timedelta(hours=4)
    assert deadline(replace(new, state=State.ACKNOWLEDGED)) is None
