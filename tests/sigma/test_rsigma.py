"""``cases.jsonl`` over rsigma: every disagreement is recorded with whose it is, and none goes away unseen."""

import os

import pytest

from tests.sigma import rsigma
from tests.sigma.conformance import Case, read_cases

PEER = rsigma.binary()
CASES = [case for case in read_cases() if rsigma.applies(case)]

pytestmark = pytest.mark.skipif(PEER is None and "VIGLA_RSIGMA" not in os.environ, reason=rsigma.ABSENT)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_recorded(case: Case) -> None:
    assert PEER is not None, rsigma.ABSENT
    found = rsigma.verdict(PEER, case)
    assert found == case.expected("rsigma"), (
        "the recorded difference is gone: delete it from the case" if found == case.verdict else case.why
    )
