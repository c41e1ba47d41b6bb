"""The address is the filter: every known key, and an error with the nearest one for the rest."""

from datetime import UTC, datetime, timedelta

import pytest

from vigla_console.incidents.models import Severity, State, WaitingOn
from vigla_console.tenants.directory import TenantDirectory
from vigla_console.tenants.municipalities import load
from vigla_console.web.filters import Asked, BadFilter, asked

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
TENANTS = TenantDirectory.of(load())


def read(*items: tuple[str, str]) -> Asked:
    return asked(items, TENANTS, "u1", NOW, 25)


def test_every_key() -> None:
    wanted = read(
        ("level", "critical,high"),
        ("state", "new"),
        ("waiting", "soc"),
        ("assignee", "me"),
        ("muni", "kalamata,orestiada"),
        ("rule", "r1"),
        ("tactic", "TA0001"),
        ("from", "-7d"),
        ("to", "2026-11-23"),
        ("q", "a, b"),
        ("sort", "-last_seen"),
        ("after", "cursor"),
    ).wanted
    assert wanted.severities == {Severity.CRITICAL, Severity.HIGH}
    assert wanted.states == {State.NEW}
    assert wanted.waiting_on is WaitingOn.SOC
    assert (wanted.assignee, wanted.unassigned) == ("u1", False)
    assert wanted.tenants == {"kalamata", "orestiada"}
    assert (wanted.rules, wanted.tactic) == ({"r1"}, "TA0001")
    assert wanted.since == NOW - timedelta(days=7)
    assert wanted.until == datetime(2026, 11, 23, 22, 0, tzinfo=UTC), "the last day is meant whole, in Athens"
    assert (wanted.text, wanted.sort, wanted.after, wanted.size) == ("a, b", "last_seen", "cursor", 25)


def test_open_means_every_state_but_closed_and_repeated_keys_add_up() -> None:
    assert read(("state", "open")).wanted.states == set(State) - {State.CLOSED}
    assert read(("level", "low"), ("level", "high")).wanted.severities == {Severity.LOW, Severity.HIGH}
    assert read(("level", ""), ("q", "")).values == {}
    assert read(("assignee", "none")).wanted.unassigned


@pytest.mark.parametrize(
    ("key", "value", "near"),
    [
        ("levl", "high", "level"),
        ("level", "hihg", "high"),
        ("state", "nwe", "new"),
        ("muni", "kalamta", "kalamata"),
        ("waiting", "sok", "soc"),
        ("assignee", "nome", "none"),
        ("sort", "risk", "-risk"),
    ],
)
def test_the_unknown_is_refused_with_the_nearest_known(key: str, value: str, near: str) -> None:
    with pytest.raises(BadFilter) as refused:
        read((key, value))
    assert refused.value.values["near"] == near
    assert near in str(refused.value)


@pytest.mark.parametrize("text", ["yesterday", "-7x", "-d", "24/11/2026", "-99999999d", "2026-13-01"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadFilter, match="needs a date"):
        read(("from", text))


def test_links_keep_the_rest_and_start_paging_again() -> None:
    question = read(("level", "high,low"), ("q", "α β&γ"), ("after", "c1"))
    assert question.link(sort="-risk") == "?level=high,low&q=%CE%B1+%CE%B2%26%CE%B3&sort=-risk"
    assert question.link(after="c2").endswith("&after=c2")
    assert question.link(level=None, q=None) == "?"
