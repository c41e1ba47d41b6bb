"""The Sigma part of `make corpora`: SigmaHQ's rules over Windows events, beside the answers of other engines.

Prints what compiled and what was refused, the differences from ``expected.json`` and from the SQLite oracle (with one
column for header and body, and with two), and SigmaHQ's own regression cases.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Set
from pathlib import Path

from tests.bench import rsigma_corpora
from tests.oracle import client as oracle
from tests.sigma import corpora
from vigla_rules.compiling import Compiled, compile_trees
from vigla_rules.layout import read_tree

Answers = Mapping[str, Set[int]]
# The one answer that is triaged: docs/decisions/0005.
TRIAGED = frozenset({"Eventlog Cleared"})


def run(folder: Path) -> tuple[list[str], int]:
    """Figures for the last line, and how many lines say that something is wrong. Takes about seven minutes."""
    if not corpora.present(folder):
        print(f"sigma: {folder} has no sigmahq/ and windows-events/: the Sigma part is NOT RUN")
        return ["sigma NOT RUN"], 0
    figures: list[str] = []
    faults = compiled_table(folder)
    print("sigma: 2,407 Windows rules with the pipelines sysmon and windows-logsource over 24,661 events")
    built = compile_trees([read_tree(folder / "sigmahq/rules/windows")], corpora.PIPELINES, progress("compile"))
    titles = {rule.meta.id: rule.meta.title for rule in built.linked.rules}
    ours = {titles[rule]: found for rule, found in corpora.native_hits(built.data, corpora.lines(folder)).items()}
    differing, line = compared("expected.json", ours, corpora.expected(folder), TRIAGED)
    print(f"  {line}")
    figures.append(f"sigma differences {differing}")
    faults += bool(differing)
    said, wrong = oracle_lines(folder, ours)
    figures.append(said)
    faults += wrong
    said, wrong = rsigma_corpora.run(folder, progress("compile"))
    figures.append(said)
    faults += wrong
    said, wrong = regression_line(folder)
    figures.append(said)
    return figures, faults + wrong


def compiled_table(folder: Path) -> int:
    """Prints rules, compiled, refused per tree; 1 when something but a placeholder rule is refused."""
    print("sigma: SigmaHQ's trees without pipeline")
    totals: Counter[str] = Counter()
    for tree in corpora.trees(folder):
        began = time.monotonic()
        built = compile_trees([read_tree(tree)], (), progress(tree.name))
        codes = Counter(str(finding.code) for finding in built.refused)
        totals += Counter({"compiled": len(built.linked.rules)}) + codes
        print(f"  {tree.name:24} {row(built, codes)}  {time.monotonic() - began:.0f} s")
    rules = sum(totals.values())
    refused = rules - totals["compiled"]
    print(f"  {'all':24} {rules:5} rules {totals['compiled']:5} compiled {refused:3} refused")
    return int(refused != totals["placeholder"])


def row(built: Compiled, codes: Counter[str]) -> str:
    named = " ".join(f"{code} {number}" for code, number in sorted(codes.items()))
    rules = len(built.linked.rules) + len(built.refused)
    return f"{rules:5} rules {len(built.linked.rules):5} compiled {len(built.refused):3} refused {named}".rstrip()


def compared(name: str, ours: Answers, theirs: Answers, triaged: Set[str] = frozenset()) -> tuple[int, str]:
    """Rules whose sets of events differ and are not triaged, and a line that says so."""
    differing = sorted(title for title in {*ours, *theirs} if ours.get(title, set()) != theirs.get(title, set()))
    known = [title for title in differing if title in triaged]
    new = [title for title in differing if title not in triaged]
    for title in new:
        mine, other = ours.get(title, set()), theirs.get(title, set())
        print(f"  DIFFERENT {title}: {len(mine - other)} only ours, {len(other - mine)} only theirs")
    equal = len({*ours, *theirs}) - len(differing)
    matches = sum(len(found) for found in theirs.values())
    noted = "".join(f", 1 triaged ({title}: {len(ours.get(title, ()))} against 0)" for title in known)
    return len(
        new
    ), f"{name}: {equal}/{len(theirs)} firing rules equal, {matches:,} matches, {len(new)} differences{noted}"


def oracle_lines(folder: Path, ours: Answers) -> tuple[str, int]:
    """The SQLite oracle's own answers, run now."""
    if not oracle.present():
        print(f"  oracle {oracle.ABSENT}")
        return "oracle NOT RUN", 1
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        rows = Path(scratch) / "rows.jsonl"
        corpora.write_rows(rows, folder)
        said = []
        for name, header_columns, triaged in (("one column", False, TRIAGED), ("two columns", True, frozenset[str]())):
            rules = folder / "sigmahq/rules/windows"
            theirs = oracle.detect(rules, rows, corpora.PIPELINES, header_columns=header_columns)
            differing, line = compared(f"SQLite oracle, {name}", ours, theirs.hits, triaged)
            print(f"  {line}" + (f"; {len(theirs.faults)} rules not converted" if theirs.faults else ""))
            wrong += bool(differing or theirs.faults)
            said.append(f"{name} {differing}")
    return f"oracle differences: {', '.join(said)}", wrong


def regression_line(folder: Path) -> tuple[str, int]:
    """SigmaHQ's own cases: every rule of every tree, with the pipelines."""
    built = compile_trees([read_tree(tree) for tree in corpora.trees(folder)], corpora.PIPELINES, progress("all trees"))
    cases = corpora.regressions(folder)
    missed = {"JSON": corpora.missed(cases, built.data), "EVTX": corpora.missed_in_logs(cases, built.data).missed}
    for kind, rules in missed.items():
        for rule in rules:
            print(f"  MISSED by {kind}: regression case of rule {rule}")
    met = ", ".join(f"by {kind} {len(cases) - len(rules)} of {len(cases)}" for kind, rules in missed.items())
    print(f"sigma: regression cases {met}")
    return f"regression cases {met}", int(any(missed.values()))


def progress(name: str) -> Callable[[int, int], None]:
    """A line that counts, on a terminal alone."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{name}: {done}/{total}   ", end="", file=sys.stderr)

    return show
