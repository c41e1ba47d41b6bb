"""``correlations.jsonl``: every clause of the correlation semantics, over both engines; and what is refused."""

import json
from pathlib import Path

import pytest
import yaml

from tests.sigma.engines import Engine
from tests.sigma.packs import LOGSOURCE, compiled, rule
from tests.sigma.reference import Event
from vigla_rules.extended import alternatives, to_json

START = 1_700_000_000
SECOND = 1_000_000_000
CASES = [
    json.loads(line) for line in (Path(__file__).parent / "correlations.jsonl").read_text(encoding="utf-8").splitlines()
]
EXTENDED = {"type": "temporal", "rules": ["fail", "ok"]}
FAIL = rule({"s": {"outcome": "failure"}, "condition": "s"}, 1, name="fail")
OK = rule({"s": {"outcome": "success"}, "condition": "s"}, 2, name="ok")


def document(number: int, part: dict) -> dict:  # type: ignore[type-arg]
    """A whole rule or correlation around the parts that a case names."""
    whole = rule(part.get("detection", {}), number, **{key: part[key] for key in part if key != "detection"})
    if "filter" in part:
        return {key: whole[key] for key in whole if key != "detection"}
    return whole if "detection" in part else {key: whole[key] for key in whole if key not in ("detection", "logsource")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['clause']}: {case['why']}")
def test_hits(engine: Engine, case: dict) -> None:  # type: ignore[type-arg]
    documents = [document(at, part) for at, part in enumerate(case["rules"], start=1)]
    built = compiled(documents)
    assert not built.refused, built.refused
    events = [Event(fields, LOGSOURCE, (START + at) * SECOND) for at, fields in case["events"]]
    names = {str(entry["id"]): str(entry["name"]) for entry in documents}
    found = [[names[hit], ts // SECOND - START] for hit, ts, _ in engine.run(built.data, events, {})]
    assert sorted(found) == sorted(case["hits"])


def correlation(**body: object) -> dict[str, object]:
    whole = {"type": "event_count", "rules": ["fail"], "group-by": ["u"], "timespan": "5m", "condition": {"gte": 3}}
    kept = {key.replace("_", "-"): value for key, value in {**whole, **body}.items() if value is not None}
    return {key: value for key, value in rule({}, 9, name="it").items() if key not in ("detection", "logsource")} | {
        "correlation": kept
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"window": "tumbling"}, "key 'window' is not known"),
        ({"type": "event_counts"}, "type 'event_counts'"),
        ({"rules": []}, "no rules"),
        ({"rules": ["fail", "fail"]}, "listed twice"),
        ({"rules": ["fial"]}, "rule 'fial' is not known"),
        ({"rules": ["it"]}, "lists itself"),
        ({"timespan": "5"}, "timespan '5'"),
        ({"timespan": "0s"}, "timespan '0s'"),
        ({"timespan": "1M"}, "months and years"),
        ({"timespan": "32d"}, "longer than 31 days"),
        ({"timespan": None}, "timespan None"),
        ({"condition": None}, "no condition"),
        ({"condition": {"field": "u"}}, "no operator"),
        ({"condition": {"gte": "3"}}, "gte: '3'"),
        ({"condition": {"gte": 3, "atleast": 3}}, "key 'atleast' is not known"),
        ({"condition": {"gt": 5, "lt": 5}}, "no number meets"),
        ({"condition": {"gte": 70_000}}, "gte: 70000"),
        ({"condition": {"gte": 3, "field": "u"}}, "with a field"),
        ({"condition": {"gt": 2.2, "lt": 2.8}}, "no number meets"),
        ({"condition": {"lt": 1}}, "no number meets"),
        ({"condition": {"gte": 3, "lte": 3, "neq": 3}}, "no number meets"),
        ({"condition": {"gte": -70_000}}, "gte: -70000"),
        ({"condition": "fail and not ok", "rules": ["fail", "ok"]}, "'event_count' with an extended condition"),
        ({**EXTENDED, "condition": "not fail and not ok"}, "holds where nothing happened"),
        ({**EXTENDED, "condition": "fail or not ok"}, "holds where nothing happened"),
        ({**EXTENDED, "condition": "fail and not fail and ok"}, "can never hold"),
        ({**EXTENDED, "condition": "fail and not kko"}, "names rule 'kko', which is not listed"),
        ({**EXTENDED, "condition": "fail"}, "rule 'ok' is listed and not named"),
        ({**EXTENDED, "condition": "fail AND ok"}, "`AND` in the condition"),
        ({**EXTENDED, "condition": "fail and (ok"}, "ends too early"),
        ({**EXTENDED, "condition": "fail ok"}, "`ok` after `fail`"),
        ({**EXTENDED, "condition": "fail | ok"}, "`|` after `fail`"),
        ({**EXTENDED, "condition": ") fail and ok"}, "`)` at the start"),
        ({**EXTENDED, "condition": "fail and ok or"}, "ends too early"),
        ({**EXTENDED, "condition": "(" * 40 + "fail and ok" + ")" * 40}, "nested deeper than 32"),
        ({**EXTENDED, "condition": "fail and ok" + " " * 9_000}, "9011 characters"),
        (
            {
                "type": "temporal",
                "rules": None,
                "condition": " and ".join(f"(a{at} or b{at})" for at in range(9)),
            },
            "more than 256 alternatives",
        ),
        ({"type": "temporal", "rules": None, "condition": " and ".join(f"r{at}" for at in range(65))}, "65 rules"),
        ({"type": "value_count"}, "without a field"),
        ({"type": "value_percentile", "condition": {"gte": 3, "field": "n"}}, "percentile None"),
        ({"type": "value_percentile", "condition": {"gte": 3, "field": "n", "percentile": 150}}, "percentile 150"),
        ({"type": "value_sum", "condition": {"gte": 3, "field": ["n", "m"]}}, "over several fields"),
        ({"type": "value_sum", "condition": {"gte": 1e16, "field": "n"}}, "gte: 1e+16"),
        ({"type": "value_avg", "condition": {"gte": 3, "field": "n", "percentile": 5}}, "with a percentile"),
        ({"type": "value_avg", "condition": {"gt": 5, "lt": 5, "field": "n"}}, "no number meets"),
        ({"type": "temporal"}, "over one rule"),
        ({"type": "temporal_ordered", "rules": ["fail", "ok"], "condition": {"gte": 1}}, "with this condition"),
        ({"aliases": {"u": {"ok": "user"}}}, "which is not listed"),
        ({"aliases": {"u": "user"}}, "no map of rules"),
        ({"generate": "yes"}, "generate 'yes'"),
        ({"group_by": [5]}, "[5]"),
    ],
)
def test_refused(body: dict, reason: str) -> None:  # type: ignore[type-arg]
    built = compiled([FAIL, OK, correlation(**body)])
    assert [finding.code for finding in built.refused] == ["bad-correlation"]
    assert reason in built.refused[0].reason
    assert built.refused[0].path == "rule_3.yml"
    assert len(built.linked.rules) == 2


def test_a_wrong_name_in_a_condition_has_its_line_and_the_nearest_one() -> None:
    built = compiled([FAIL, OK, correlation(**EXTENDED, condition="fail and not okay")])
    [finding] = built.refused
    lines = yaml.safe_dump(correlation(**EXTENDED, condition="x"), sort_keys=False).splitlines()
    assert finding.line == 1 + next(at for at, line in enumerate(lines) if line.strip().startswith("condition:"))
    assert finding.suggestion == "did you mean 'ok'?"


def test_without_a_list_the_condition_names_the_rules() -> None:
    body = {"type": "temporal_ordered", "rules": None, "condition": "ok and not (fail or not ok)"}
    built = compiled([FAIL, OK, correlation(**body)])
    assert not built.refused, built.refused
    [draft] = built.linked.correlations
    assert draft.rules == (OK["id"], FAIL["id"])
    assert draft.expression is not None
    ok, fail = {"rule": 0}, {"rule": 1}
    assert to_json(draft.expression) == {"and": [ok, {"not": {"or": [fail, {"not": ok}]}}]}
    assert list(alternatives(draft.expression)) == [(frozenset({0}), frozenset({1}))]


def test_a_correlation_over_a_refused_rule_names_it() -> None:
    broken = rule({"s": {"f|contain": "x"}, "condition": "s"}, 1, name="fail")
    built = compiled([broken, correlation(rules=[broken["id"]])])
    assert [finding.code for finding in built.refused] == ["unknown-modifier", "bad-correlation"]
    assert "Rule 1) is refused" in built.refused[1].reason


def test_a_cycle_is_refused_and_a_chain_is_bounded() -> None:
    ring = [
        {**correlation(rules=[f"c{(at + 1) % 3}"]), "id": f"00000000-0000-4000-8000-{100 + at:012d}", "name": f"c{at}"}
        for at in range(3)
    ]
    assert {finding.code for finding in compiled([FAIL, *ring]).refused} == {"bad-correlation"}
    chain = [
        {
            **correlation(rules=[f"c{at - 1}" if at else "fail"]),
            "id": f"00000000-0000-4000-8000-{100 + at:012d}",
            "name": f"c{at}",
        }
        for at in range(10)
    ]
    built = compiled([FAIL, *chain])
    assert len(built.linked.correlations) == 8
    assert "a chain of 9" in built.refused[0].reason


def test_level_is_the_highest_of_what_is_listed_and_children_stand_first() -> None:
    parent = {**correlation(rules=["child"]), "name": "parent"}
    child = {**correlation(rules=["fail", "ok"]), "name": "child", "id": "00000000-0000-4000-8000-000000000010"}
    for one in (parent, child):
        del one["level"]
    built = compiled([{**FAIL, "level": "high"}, OK, parent, child])
    assert [draft.meta.name for draft in built.linked.correlations] == ["child", "parent"]
    assert {draft.meta.level for draft in built.linked.correlations} == {"high"}
