"""Samples through programs written apart from the sensor: an obvious reader of lines, an obvious evaluator of rules.

They must agree with the sample, as the sensor does (`test_pack_samples.py`), and notice each small damage to a rule.
"""

import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.rules.pack import oracle
from tests.rules.pack.cases import DEFINITIONS, NETWORKS, Case, cases_of
from tests.rules.pack.reading import Rule, alerting
from tests.sigma.reference import Event, Reference
from vigla_rules.trials.mutants import mutants

CASES = [pytest.param(case, id=f"{rule.name}: {case.name}") for rule in alerting() for case in cases_of(rule)]


@pytest.fixture(scope="module")
def compiled(pack: Path) -> dict[str, Any]:
    with zipfile.ZipFile(pack) as archive:
        found: dict[str, Any] = json.loads(archive.read("rules.json"))
    return found


def judged(case: Case, compiled: dict[str, Any], seen: Sequence[Event]) -> list[str | None]:
    """The entity of each alert of the case's rule, by the obvious evaluator."""
    hits = Reference(compiled, case.lists, NETWORKS).run(seen)
    mine = [hit for hit in hits if hit.rule == case.rule.body["id"] and not hit.quiet]
    return [first(case.rule.fields, {**hit.event.fields, **dict(hit.group)}) for hit in mine]


def first(names: Sequence[str], values: dict[str, Any]) -> str | None:
    """The first of the names that has a value, as text."""
    return next((str(values[name]) for name in names if name in values), None)


@pytest.mark.parametrize("case", CASES)
def test_the_reference_behaves(case: Case, compiled: dict[str, Any], tmp_path: Path) -> None:
    entities = judged(case, compiled, case.events(tmp_path))
    assert len(entities) == case.alerts
    assert entities[:1] == [case.entity][: case.alerts]


@pytest.mark.parametrize("rule", alerting(), ids=lambda rule: rule.name)
def test_samples_catch_every_mutant(rule: Rule, compiled: dict[str, Any], tmp_path: Path) -> None:
    seen = [(case, case.events(tmp_path)) for case in cases_of(rule)]
    alive = [
        mutant.change
        for mutant in mutants(compiled, rule.body["id"])
        if all(len(judged(case, dict(mutant.rules), given)) == case.alerts for case, given in seen)
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
