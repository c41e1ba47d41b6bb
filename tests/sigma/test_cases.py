"""``cases.jsonl``: every clause of the semantics and every refusal, over both engines."""

import pytest

from tests.sigma.conformance import Case, read_cases
from tests.sigma.engines import Engine
from tests.sigma.packs import compiled
from vigla_rules.findings import Code

CASES = read_cases()
VERDICTS = [case for case in CASES if case.verdict != "refused"]
REFUSALS = [case for case in CASES if case.verdict == "refused"]
KEPT = "00000000-0000-4000-8000-000000000099"
GOOD = f"""
title: Rule 99
id: {KEPT}
author: Vigla
level: low
logsource: {{product: case}}
detection: {{s: {{f: x}}, condition: s}}
"""


def name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", VERDICTS, ids=name)
def test_verdict(engine: Engine, case: Case) -> None:
    built = compiled(case.documents, lists=list(case.lists), pipelines=case.pipelines)
    assert not built.refused, built.refused
    found = engine.matching(built.data, case.events, case.logsource, case.lists)
    verdict = str(built.linked.rules[0].meta.id in found).lower()
    assert verdict == case.expected(engine.name), (
        "the recorded difference is gone: delete it from the case" if verdict == case.verdict else case.why
    )


@pytest.mark.parametrize("case", REFUSALS, ids=name)
def test_refusal(case: Case) -> None:
    built = compiled([*case.documents, GOOD], lists=list(case.lists), pipelines=case.pipelines)
    assert [finding.code for finding in built.refused] == [case.refused]
    finding = built.refused[0]
    assert finding.path == "rule_1.yml"
    assert finding.suggestion
    assert case.suggestion in (None, finding.suggestion)
    assert (finding.line, case.name) == (case.line, case.name)
    assert built.linked.rules[-1].meta.id == KEPT, "the rest is kept"


def test_every_code_has_a_case() -> None:
    elsewhere = {Code.BAD_CORRELATION}  # test_correlations.py
    assert {Code(str(case.refused)) for case in REFUSALS} == set(Code) - elsewhere


def test_no_case_stands_twice() -> None:
    seen = {(case.documents, case.events, str(case.logsource), str(case.lists)): case.name for case in CASES}
    assert len(seen) == len(CASES)


def test_every_difference_says_whose_it_is_and_why() -> None:
    for case in CASES:
        for engine, difference in case.differs.items():
            assert difference["verdict"] != case.verdict, case.name
            assert difference["whose"] in {"ours", "theirs", "specification"}, case.name
            assert (difference["whose"] == "ours") == (engine == "native"), case.name
            assert difference["why"], case.name
