"""What every rule of our pack must have, and what no two may share."""

import re
import uuid
from collections import Counter
from pathlib import Path

import pytest
from sigma.collection import SigmaCollection

from tests.rules.pack.reading import Rule, filters, load, rules, settings

RULES = rules()
LEVELS = ("informational", "low", "medium", "high", "critical")
TACTICS = {
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "stealth",
    "defense-impairment",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
}
PREFIXES = ("vpn_", "device_", "web_", "proxy_", "zeek_dns_", "zeek_ssl_", "zeek_http_", "zeek_conn_", "vigla_sensor_")


def test_all_parse_together_with_pysigma() -> None:
    paths: list[str | Path] = [*(rule.path for rule in RULES), *filters()]
    collection = SigmaCollection.load_ruleset(paths, collect_errors=True)
    assert collection.errors == []
    assert len(collection.rules) == len(RULES)


@pytest.mark.parametrize("key", ["id", "title", "name"])
def test_nothing_is_named_twice(key: str) -> None:
    bodies = [rule.body for rule in RULES] + [load(path) for path in filters() if key != "name"]
    counted = Counter(body[key] for body in bodies)
    assert [value for value, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_has_its_card(rule: Rule) -> None:
    body = rule.body
    assert body["name"] == rule.path.stem
    assert rule.path.stem.startswith(PREFIXES)
    assert uuid.UUID(body["id"]).version == 4
    assert body["author"] == "Vigla"
    assert body["license"] == "DRL-1.1"
    assert body["status"] in ("experimental", "test", "stable")
    assert body["level"] in LEVELS
    assert len(body["title"]) <= 70
    assert body["description"].strip().endswith(".")
    assert all(reference.startswith("https://") for reference in body["references"])
    assert body["falsepositives"]
    assert all(len(text) > 15 for text in body["falsepositives"])
    assert body["fields"], "the first of fields is the entity"
    if rule.correlation:
        assert body["fields"][0] in rule.correlation["group-by"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_tags_name_a_tactic_and_a_technique(rule: Rule) -> None:
    attack = [tag.removeprefix("attack.") for tag in rule.body["tags"] if tag.startswith("attack.")]
    tactics = [tag for tag in attack if not re.match(r"t\d", tag)]
    techniques = [tag for tag in attack if tag not in tactics]
    assert tactics
    assert set(tactics) <= TACTICS
    assert techniques
    assert all(re.fullmatch(r"t\d{4}(\.\d{3})?", tag) for tag in techniques)


@pytest.mark.parametrize("rule", [r for r in RULES if not r.correlation], ids=lambda rule: rule.name)
def test_a_probe_from_outside_is_at_most_medium(rule: Rule) -> None:
    if rule.body["logsource"] == {"category": "webserver"} and rule.body["level"] in ("high", "critical"):
        assert "sc-status" in str(rule.body["detection"]), "high needs a sign of success"


def test_every_placeholder_is_declared_and_every_list_is_used() -> None:
    used = {name for rule in RULES for name in rule.placeholders()}
    assert used == set(settings()["lists"])


@pytest.mark.parametrize("path", filters(), ids=lambda path: path.stem)
def test_a_filter_names_rules_that_exist_and_takes_away(path: Path) -> None:
    names = {rule.name for rule in RULES}
    body = load(path)
    assert set(body["filter"]["rules"]) <= names
    assert body["filter"]["condition"].startswith("not ")
    assert not any("user-agent" in key for key in body["filter"]["selection"]) or len(body["filter"]["selection"]) > 1
