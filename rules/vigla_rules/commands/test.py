"""``vigla-rules test``."""

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vigla_rules.checking.samples import Sample, read_samples
from vigla_rules.compiling import Compiled, compile_trees
from vigla_rules.drafts import CorrelationDraft, RuleDraft
from vigla_rules.findings import did_you_mean
from vigla_rules.layout import LayoutError, Tree, is_pack, read_tree
from vigla_rules.speech import Speech
from vigla_rules.terminal import ProgressBar, table
from vigla_rules.trials.evaluator import Evaluator, ModuleEvaluator
from vigla_rules.trials.replay import Replay, SensorReplay, find_sensor
from vigla_rules.trials.run import Outcome, Trial
from vigla_rules.trials.tap import write_tap
from vigla_rules.vpk import read_pack
from vigla_rules.watching import watch

Rule = RuleDraft | CorrelationDraft


@dataclass(frozen=True, slots=True)
class Result:
    """A rule's sample and how it came out."""

    rule: Rule
    sample: Sample
    outcomes: list[Outcome]
    mutants: int
    survivors: list[str]


def test_command(options: argparse.Namespace) -> int:
    """Runs the samples once, or again after each change with ``--watch``."""
    if not is_pack(options.directory):
        sys.stderr.write(f"vigla-rules: {options.directory}: no pack directory (it has no detections/)\n")
        return 2
    command = find_sensor()
    if command is None:
        sys.stderr.write("vigla-rules: no `vigla-sensor` beside this interpreter or on the path; install it first\n")
        return 1
    if not options.watch:
        return _once(options, command)
    say: Speech = options.say

    def tell(paths: list[str]) -> None:
        words = ", ".join(paths) if paths else say("test.watching", folder=options.directory)
        sys.stderr.write(f"{words}\n")

    return watch(options.directory, lambda: _again(options, command), tell)


def _again(options: argparse.Namespace, command: tuple[str, ...]) -> int:
    """One run while watching: a file half saved is said, and does not end the watch."""
    try:
        return _once(options, command)
    except LayoutError as error:
        sys.stderr.write(f"vigla-rules: {error}\n")
        return 1


def find_reference(directory: Path) -> Path | None:
    """``tests/sigma/reference.py`` of the project that the pack stands in."""
    for parent in directory.resolve().parents:
        if (found := parent / "tests" / "sigma" / "reference.py").is_file():
            return found
    return None


def run_samples(
    tree: Tree, wanted: str | None, replay: Replay, evaluator: Evaluator | None, folder: Path, progress: ProgressBar
) -> tuple[Compiled, list[Result]]:
    """Compiles the pack and runs all samples, or those of one rule; raises ``ValueError`` for one that has none."""
    compiled = compile_trees([tree], (), lambda _done, _total: None)
    pack = folder / "pack.vpk"
    pack.write_bytes(compiled.data)
    tap, tap_path = write_tap(tree, folder)
    rules = read_pack(pack).json("rules.json")
    trial = Trial(replay, evaluator, pack, rules, tap, tap_path, tree.root / "samples" / "recipes", folder)
    chosen = _chosen(compiled, tree, wanted)
    results = []
    for at, (rule, sample) in enumerate(chosen, start=1):
        outcomes = list(trial.run(sample, rule.meta.id))
        results.append(Result(rule, sample, outcomes, *trial.mutants(rule.meta.id, outcomes)))
        progress(at, len(chosen))
    return compiled, results


def _once(options: argparse.Namespace, command: tuple[str, ...]) -> int:
    reference = options.reference or find_reference(options.directory)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = read_tree(options.directory)
        evaluator = ModuleEvaluator(reference) if reference is not None else None
        try:
            compiled, results = run_samples(
                tree, options.rule, SensorReplay(command, folder), evaluator, folder, ProgressBar("test")
            )
        except ValueError as error:
            sys.stderr.write(f"vigla-rules: {error}\n")
            return 1
    failed = sum(not outcome.behaves for result in results for outcome in result.outcomes) + len(compiled.refused)
    if options.json:
        sys.stdout.write(json.dumps(_json(results), ensure_ascii=False) + "\n")
    else:
        sys.stderr.writelines(f"{finding}\n" for finding in compiled.refused)
        print_results(results, mutants=options.mutants)
    return 1 if failed or not results else 0


def print_results(results: list[Result], *, mutants: bool = False) -> None:
    """The table, then each failure with its event and what missed, then what no sample notices where asked."""
    rows: list[tuple[str, ...]] = [("id", "rule", "positives", "negatives", "native", "reference", "mutants", "ms")]
    for result in results:
        outcomes = result.outcomes
        halves = [[o for o in outcomes if o.case.positive is positive] for positive in (True, False)]
        shares = [f"{sum(o.behaves for o in half)}/{len(half)}" for half in halves]
        engines = [_sum([o.native for o in outcomes]), _sum([o.reference for o in outcomes])]
        caught = f"{result.mutants - len(result.survivors)}/{result.mutants}"
        spent = str(sum(o.milliseconds for o in outcomes))
        rows.append((result.rule.meta.id[:8], result.rule.meta.name, *shares, *engines, caught, spent))
    sys.stdout.write(table(rows) + "\n")
    cases = [(result.sample, outcome) for result in results for outcome in result.outcomes]
    for sample, outcome in cases:
        if not outcome.behaves:
            sys.stdout.write(f"\n{sample.path}: {outcome.case.name}\n")
            sys.stdout.writelines(f"  {problem}\n" for problem in outcome.problems)
    if mutants:
        for result in results:
            sys.stdout.writelines(f"{result.sample.path}: no sample notices {change}\n" for change in result.survivors)
    behaving = sum(outcome.behaves for _, outcome in cases)
    total = sum(result.mutants for result in results)
    caught_all = total - sum(len(result.survivors) for result in results)
    sys.stdout.write(
        f"{behaving} of {len(cases)} samples behave, {caught_all} of {total} mutants caught, {len(results)} rules\n"
    )


def _chosen(compiled: Compiled, tree: Tree, wanted: str | None) -> list[tuple[Rule, Sample]]:
    rules: list[Rule] = [*compiled.linked.rules, *compiled.linked.correlations]
    known = {key: rule for rule in rules for key in (Path(rule.meta.path).stem, rule.meta.name, rule.meta.id)}
    if wanted is not None and wanted not in known:
        raise ValueError(
            f"rule '{wanted}' is not known; {did_you_mean(wanted, sorted(known), 'name a rule of this pack')}"
        )
    pairs = [(known[sample.rule], sample) for sample in read_samples(tree)[0] if sample.rule in known]
    if wanted is not None:
        pairs = [(rule, sample) for rule, sample in pairs if rule.meta.id == known[wanted].meta.id]
    return pairs


def _sum(counts: list[int | None]) -> str:
    ran = [count for count in counts if count is not None]
    return str(sum(ran)) if ran else "-"


def _json(results: list[Result]) -> list[dict[str, object]]:
    return [
        {
            "rule": result.rule.meta.name,
            "id": result.rule.meta.id,
            "mutants": result.mutants,
            "survivors": result.survivors,
            "cases": [
                {
                    "case": outcome.case.name,
                    "positive": outcome.case.positive,
                    "native": outcome.native,
                    "reference": outcome.reference,
                    "ms": outcome.milliseconds,
                    "behaves": outcome.behaves,
                    "problems": list(outcome.problems),
                }
                for outcome in result.outcomes
            ],
        }
        for result in results
    ]
