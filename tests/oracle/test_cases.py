"""``cases.jsonl`` over the SQLite oracle, wherever SQL can say what the case asks."""

import os
from functools import lru_cache

import pytest

from tests.oracle import client
from tests.sigma.conformance import Case, read_cases
from tests.sigma.flat import read_event

ENGINE = "sqlite"
pytestmark = pytest.mark.skipif(not client.present() and "CI" not in os.environ, reason=client.ABSENT)


def applies(case: Case) -> bool:
    """Whether the oracle can be asked: log sources of events, filters, and lines that are no event are beyond it."""
    return not case.clause.startswith(("1.4 logsource", "1.4 filters", "1.1 bad-filter", "2.6 ")) and all(
        read_event(line, case.logsource) is not None for line in case.events
    )


CASES = [case for case in read_cases() if applies(case)]


@lru_cache(maxsize=1)
def answers() -> list[str]:
    """A verdict per case."""
    return [case.judged(verdict(answer)) for case, answer in zip(CASES, client.cases(map(job, CASES)), strict=True)]


def job(case: Case) -> dict[str, object]:
    """A case as the oracle is asked."""
    events = [read_event(line, case.logsource) for line in case.events]
    rows = [{"fields": event.fields} for event in events if event is not None]
    return {"rules": list(case.documents), "rows": rows, "lists": case.lists}


def verdict(answer: client.Answer) -> str:
    """What it comes to: the first rule is the one that the case is about."""
    return "refused" if answer.fault else str(bool(next(iter(answer.hits.values()), ()))).lower()


@pytest.mark.parametrize("at", range(len(CASES)), ids=lambda at: CASES[at].name)
def test_oracle(at: int) -> None:
    case, found = CASES[at], answers()[at]
    assert found == case.expected(ENGINE), (
        "the recorded difference is gone: delete it from the case" if found == case.verdict else case.why
    )


def test_the_differences_have_reasons() -> None:
    reasons = [case.differs[ENGINE]["why"] for case in CASES if ENGINE in case.differs]
    assert all(reasons)
    assert {case.name for case in read_cases() if ENGINE in case.differs} <= {case.name for case in CASES}
