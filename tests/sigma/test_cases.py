"""``cases.jsonl``: every clause of the semantics and every refusal, over both engines."""

import json
from pathlib import Path

import pytest

from tests.sigma.engines import Engine
from tests.sigma.packs import LOGSOURCE, compiled, rule
from tests.sigma.reference import Event
from vigla_rules.findings import Code

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
VERDICTS = [case for case in CASES if "verdict" in case]
REFUSALS = [case for case in CASES if "refused" in case]


def name(case: dict[str, object]) -> str:
    return f"{case['clause']}: {case['why']}"


@pytest.mark.parametrize("case", VERDICTS, ids=name)
def test_verdict(engine: Engine, case: dict) -> None:  # type: ignore[type-arg]
    lists = case.get("lists", {})
    built = compiled([rule(case["detection"])], lists=list(lists))
    assert not built.refused, built.refused
    event = Event(case["event"], case.get("logsource", LOGSOURCE), ts=1_700_000_000_000_000_000)
    assert bool(engine.run(built.data, [event], lists)) is case["verdict"]


@pytest.mark.parametrize("case", REFUSALS, ids=name)
def test_refusal(case: dict) -> None:  # type: ignore[type-arg]
    built = compiled(
        [rule(case["detection"]), rule({"s": {"f": "x"}, "condition": "s"}, 2)], lists=list(case.get("lists", {}))
    )
    assert [finding.code for finding in built.refused] == [case["refused"]]
    finding = built.refused[0]
    assert finding.path == "rule_1.yml"
    assert finding.line > 1
    assert finding.suggestion
    assert case.get("suggestion", finding.suggestion) == finding.suggestion
    assert case.get("line", finding.line) == finding.line
    assert [kept.meta.title for kept in built.linked.rules] == ["Rule 2"], "the rest is kept"


def test_every_code_has_a_case() -> None:
    elsewhere = {Code.BAD_CORRELATION, Code.BAD_FILTER, Code.DUPLICATE_ID, Code.YAML}  # test_documents.py
    assert {Code(case["refused"]) for case in REFUSALS} == set(Code) - elsewhere
