"""The roster of ``pack.toml``: one entry for each rule that alerts, in words of the taxonomy and the design's table."""

import pytest

from tests.rules.pack.reading import alerting, settings

ROSTER = settings()["roster"]
# Reference Security Incident Taxonomy, version 1003, machine values of the classes and types that the pack uses.
RSIT = {
    "malicious-code": {"infected-system", "c2-server", "malware-distribution", "malware-configuration"},
    "information-gathering": {"scanner", "sniffing", "social-engineering"},
    "intrusion-attempts": {"ids-alert", "brute-force", "exploit"},
    "intrusions": {
        "privileged-account-compromise",
        "unprivileged-account-compromise",
        "application-compromise",
        "burglary",
    },
    "availability": {"dos", "ddos", "misconfiguration", "sabotage", "outage"},
    "vulnerable": {
        "weak-crypto",
        "ddos-amplifier",
        "potentially-unwanted-accessible",
        "information-disclosure",
        "vulnerable-system",
    },
}
FAMILIES = {"R": 20, "I": 12, "L": 12, "C": 8, "M": 9, "W": 10, "O": 9, "Q": 5}


def test_holds_exactly_the_rules_that_alert() -> None:
    assert set(ROSTER) == {rule.name for rule in alerting()}


@pytest.mark.parametrize("name", sorted(ROSTER))
def test_entry(name: str) -> None:
    entry = ROSTER[name]
    assert entry["rsit_type"] in RSIT[entry["rsit_class"]]
    family, number = entry["detection"][0], int(entry["detection"][1:])
    assert 1 <= number <= FAMILIES[family]
    assert 0 < entry["per_100_users_day"] <= 5
    assert entry["priority"] in (0, 1)
    assert isinstance(entry["mandatory"], bool)


def test_the_pack_covers_what_was_asked_of_the_first_one() -> None:
    rules = alerting()
    assert len(rules) >= 18
    assert sum(bool(rule.correlation) for rule in rules) >= 3
