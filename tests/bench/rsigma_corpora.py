"""The rsigma part of `make corpora`: the suite, the same rules over the same flat events, and random rules.

rsigma knows no log source of an event, and pySigma's pipelines are not its own: both engines are given SigmaHQ's
Windows rules with ``product: windows`` alone, and the events as flat objects, the body over the header. Each difference
is triaged: theirs, ours, or the specification's silence.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Set
from pathlib import Path

import yaml

from tests.sigma import conformance, corpora, differential, rsigma
from vigla_rules.compiling import compile_trees
from vigla_rules.layout import read_tree

# Of 2,407 rules over 24,661 events; the cause of each stands in docs/sigma-conformance.md.
WILDCARD = ("theirs", "a wildcard inside an anchored value is a letter (trap 7)")
TRIAGED: Mapping[str, tuple[str, str]] = {
    "Renamed ProcDump Execution": ("theirs", "`/` is never exchanged (trap 8)"),
    "Potential AD User Enumeration From Non-Machine Account": WILDCARD,
    "Weak Encryption Enabled and Kerberoast": WILDCARD,
}


def run(folder: Path, progress: Callable[[int, int], None]) -> tuple[str, int]:
    """The figure for the last line, and how many differences are new. About three minutes."""
    peer = rsigma.binary()
    if peer is None:
        print(f"  rsigma {rsigma.ABSENT}")
        return "rsigma NOT RUN", 0
    new = cases(peer)
    new += windows(peer, folder, progress)
    outcome = differential.run(peer)
    for question in outcome.new:
        print(f"  NEW {question.key}: {question.value!r} over {question.event!r}: we say {question.ours}")
    print(
        f"  rsigma {rsigma.VERSION}, random: {outcome.rules:,} rules x {outcome.events} events, "
        f"{sum(outcome.known.values()) + len(outcome.new):,} of {outcome.asked:,} answers differ"
    )
    for (whose, why), number in outcome.known.most_common():
        print(f"    {number:6,} {whose}: {why}")
    new += len(outcome.new)
    return f"rsigma {rsigma.VERSION}: {new} differences not triaged", new


def cases(peer: str) -> int:
    """The conformance suite."""
    asked = [case for case in conformance.read_cases() if rsigma.applies(case)]
    differing = [case for case in asked if "rsigma" in case.differs]
    new = [case for case in asked if rsigma.verdict(peer, case) != case.expected("rsigma")]
    for case in new:
        print(f"  NEW {case.name}")
    theirs = sum(case.differs["rsigma"]["whose"] == "theirs" for case in differing)
    print(
        f"  rsigma {rsigma.VERSION}, suite: {len(asked)} cases, {len(differing)} differ: {theirs} theirs, "
        f"{len(differing) - theirs} specification, 0 ours; {len(new)} new"
    )
    return len(new)


def windows(peer: str, folder: Path, progress: Callable[[int, int], None]) -> int:
    """SigmaHQ's Windows rules over the Windows events."""
    with tempfile.TemporaryDirectory() as scratch:
        rules = Path(scratch) / "rules"
        rules.mkdir()
        for path in sorted((folder / "sigmahq/rules/windows").rglob("*.yml")):
            document = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
            document["logsource"] = {"product": "windows"}
            (rules / path.name).write_text(
                yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8"
            )
        rows = [
            dict(corpora.windows_row(json.loads(line), corpora.WINDOWS)["fields"]) for line in corpora.lines(folder)
        ]
        built = compile_trees([read_tree(rules)], (), progress)
        titles = {rule.meta.id: rule.meta.title for rule in built.linked.rules}
        ours = corpora.native_hits(built.data, (json.dumps(row, ensure_ascii=False).encode() for row in rows))
        theirs = rsigma.hits(peer, rules, rsigma.numbered(rows))
    return told(titles, ours, theirs)


def told(titles: Mapping[str, str], ours: Mapping[str, Set[int]], theirs: Mapping[str, Set[int]]) -> int:
    """Prints the rules that differ; how many are not triaged."""
    empty: frozenset[int] = frozenset()
    differing = sorted(rule for rule in {*ours, *theirs} if ours.get(rule, empty) != theirs.get(rule, empty))
    print(
        f"  rsigma {rsigma.VERSION}, Windows rules by product alone: {len(ours)} firing rules, "
        f"{sum(map(len, ours.values())):,} matches, {len(differing)} rules differ"
    )
    new = 0
    for rule in differing:
        mine, other = ours.get(rule, empty), theirs.get(rule, empty)
        whose, why = TRIAGED.get(titles[rule], ("NEW", f"for instance lines {sorted(mine ^ other)[:3]}"))
        new += whose == "NEW"
        print(f"    {titles[rule]}: {len(mine - other)} only ours, {len(other - mine)} only theirs; {whose}: {why}")
    return new
