"""Samples from logs through two obvious programs, reader of lines and evaluator: they behave, and catch every mutant.

The native engine runs the same samples, and the captures, by ``vigla-rules test``.
"""

import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from tests.rules.pack import mutants, oracle
from tests.rules.pack.reading import PACK, Rule, alerting, load, rules, sources
from tests.sigma.reference import Event, Reference

NETWORKS = ("10.0.0.0/8",)
DEFINITIONS = {path.stem: load(path) for path in sources()}
BY_NAME = {rule.name: rule for rule in rules()}
PARTS = ("product", "category", "service")


def sample_of(rule: Rule) -> dict[str, Any]:
    return load(PACK / "samples" / rule.place / "sample.yml")


def log_cases(rule: Rule) -> list[dict[str, Any]]:
    sample = sample_of(rule)
    return [case for key in ("true_positives", "true_negatives") for case in sample[key] if "log" in case]


ON_LOGS = [rule for rule in alerting() if log_cases(rule)]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    pack = tmp_path_factory.mktemp("pack") / "vigla.vpk"
    command = [sys.executable, "-m", "vigla_rules", "compile", str(PACK), "-o", str(pack), "--strict"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(pack) as archive:
        found: dict[str, Any] = json.loads(archive.read("rules.json"))
    return found


def events(rule: Rule, case: dict[str, Any]) -> list[Event]:
    lines = (PACK / "samples" / rule.place / case["log"]).read_text(encoding="utf-8").splitlines()
    read = [oracle.event(DEFINITIONS[case["source"]], line) for line in lines]
    return [
        Event(fields, {part: logsource.get(part) for part in PARTS}, round(seconds * 1e9))
        for seconds, logsource, fields in (found for found in read if found is not None)
    ]


def alerts(rule: Rule, compiled: dict[str, Any], seen: Sequence[Event]) -> list[str]:
    """The entity of each alert of the rule."""
    lists = sample_of(rule).get("with", {}).get("lists", {})
    hits = Reference(compiled, lists, NETWORKS).run(seen)
    entity = rule.fields[0]
    return [
        str(hit.event.fields.get(entity, dict(hit.group).get(entity)))
        for hit in hits
        if hit.rule == rule.body["id"] and not hit.quiet
    ]


def bases(rule: Rule) -> list[Rule]:
    """The rule, or the rules under a correlation, correlations among them."""
    below = [BY_NAME[name] for name in rule.correlation.get("rules", [])]
    return [rule, *(lower for base in below for lower in bases(base))]


@pytest.mark.parametrize("rule", ON_LOGS, ids=lambda rule: rule.name)
def test_samples_behave(rule: Rule, compiled: dict[str, Any]) -> None:
    for case in log_cases(rule):
        found = alerts(rule, compiled, events(rule, case))
        assert len(found) == case.get("alerts", 0), case["name"]
        assert found[:1] == [case["entity"]] if found else "entity" not in case, case["name"]


@pytest.mark.parametrize("rule", ON_LOGS, ids=lambda rule: rule.name)
def test_samples_catch_every_mutant(rule: Rule, compiled: dict[str, Any]) -> None:
    seen = [(case, events(rule, case)) for case in log_cases(rule)]
    alive = []
    for base in bases(rule):
        damage = mutants.of_correlation if base.correlation else mutants.of_rule
        alive += [
            f"{base.name}: {text}"
            for text, mutant in damage(compiled, base.body["id"])
            if all(len(alerts(rule, mutant, given)) == case.get("alerts", 0) for case, given in seen)
        ]
    assert alive == []


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_a_definitions_samples_give_their_events(name: str) -> None:
    for sample in DEFINITIONS[name]["samples"]:
        found = oracle.event(DEFINITIONS[name], sample["line"])
        if not sample["events"]:
            assert found is None
            continue
        assert found is not None
        seconds, _, fields = found
        for key, wanted in sample["events"][0].items():
            if key == "ts":
                assert isinstance(wanted, datetime)
                assert seconds == pytest.approx(wanted.timestamp(), abs=1)
            else:
                assert fields.get(key) == wanted, (sample["line"], key)
