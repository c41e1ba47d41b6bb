"""Every sample of our pack, from its raw line or capture, through the native core and the reference."""

from pathlib import Path

import pytest

from tests.rules.native import NativeReplay
from vigla_rules.checking.samples import read_samples
from vigla_rules.commands.test import find_reference, run_samples
from vigla_rules.layout import read_tree
from vigla_rules.terminal import ProgressBar
from vigla_rules.trials.evaluator import ModuleEvaluator

PACK = Path(__file__).parents[2] / "rules/pack"
RULES = sorted({sample.rule for sample in read_samples(read_tree(PACK))[0]})


@pytest.mark.parametrize("rule", RULES)
def test_samples_behave(rule: str, tmp_path: Path) -> None:
    reference = find_reference(PACK)
    assert reference is not None
    _, results = run_samples(
        read_tree(PACK), rule, NativeReplay(), ModuleEvaluator(reference), tmp_path, ProgressBar("test")
    )
    outcomes = [outcome for result in results for outcome in result.outcomes]
    assert outcomes
    failed = [(outcome.case.name, *outcome.problems) for outcome in outcomes if not outcome.behaves]
    assert not failed, "\n".join(" | ".join(lines) for lines in failed)


def test_there_are_samples() -> None:
    assert len(RULES) >= 15
