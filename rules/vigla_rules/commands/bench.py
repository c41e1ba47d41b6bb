"""``vigla-rules bench``: a pack against a file of events, as the sensor matches them."""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from vigla_rules.engine import EngineError, Matched, RuleCost, index_report, match_file
from vigla_rules.speech import Speech
from vigla_rules.terminal import ProgressBar, table
from vigla_rules.vpk import Pack, read_pack

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """What one bench gave. ``seconds``: of CPU, all runs together, loading of the pack included."""

    runs: int
    seconds: float
    loading: float
    matched: Matched

    @property
    def events(self) -> int:
        """Events of one run: its lines without those that are none."""
        counters = self.matched.counters
        return counters.get("jsonl.lines", 0) - counters.get("jsonl.blank", 0) - self.dropped

    @property
    def dropped(self) -> int:
        """Lines of one run that are no events."""
        return sum(count for name, count in self.matched.counters.items() if name.startswith("jsonl.dropped"))

    @property
    def candidates(self) -> float:
        """Rules evaluated per event."""
        return self.matched.counters.get("sigma.candidates", 0) / max(self.events, 1)

    @property
    def scanned(self) -> int:
        """Bytes of values scanned per event."""
        return self.matched.counters.get("sigma.scanned_bytes", 0) // max(self.events, 1)

    @property
    def rate(self) -> int:
        """Events per CPU second, without the loading of the pack; 0 where there is too little to measure."""
        spent = self.seconds - self.runs * self.loading
        return round(self.events * self.runs / spent) if spent > 0 else 0


def bench_command(options: argparse.Namespace) -> int:
    """Prints speed, candidates, the always list and the dearest rules."""
    say: Speech = options.say
    pack = read_pack(options.pack)
    product, _, service = options.logsource.partition("/")
    logsource = {"product": product, **({"service": service} if service else {})}
    try:
        data = options.pack.read_bytes()
        costs = index_report(data)
        measured = _measure(data, options, logsource)
    except (EngineError, OSError) as error:
        sys.stderr.write(f"vigla-rules: {error}\n")
        return 1
    if options.json:
        sys.stdout.write(json.dumps(_json(measured, costs, pack), ensure_ascii=False) + "\n")
        return 0
    _print(measured, costs, pack, say)
    return 0


def _measure(data: bytes, options: argparse.Namespace, logsource: dict[str, str]) -> Measured:
    started = time.process_time()
    match_file(data, Path(os.devnull), logsource)  # no event: reading the pack and building its automata alone
    loading = time.process_time() - started
    progress = ProgressBar("bench")
    progress(0, options.repeat)
    started = time.process_time()
    for run in range(options.repeat):
        matched = match_file(data, options.events, logsource)
        progress(run + 1, options.repeat)
    return Measured(options.repeat, time.process_time() - started, loading, matched)


def _print(measured: Measured, costs: list[RuleCost], pack: Pack, say: Speech) -> None:
    titles = _titles(pack)
    matched = measured.matched
    sys.stdout.write(
        say(
            "bench.speed",
            events=measured.events,
            runs=measured.runs,
            seconds=f"{measured.seconds:.2f}",
            rate=measured.rate,
            rules=len(costs),
        )
        + "\n"
    )
    if measured.dropped:
        sys.stdout.write(say("bench.dropped", count=measured.dropped) + "\n")
    sys.stdout.write(
        say("bench.matches", matches=matched.matches.total(), rules=len(matched.matches))
        + "\n"
        + say("bench.candidates", count=f"{measured.candidates:.2f}", bytes=measured.scanned)
        + "\n"
    )
    always = [cost for cost in costs if cost.always]
    sys.stdout.write(say("bench.always", count=len(always)) + "\n")
    sys.stdout.writelines(f"  {titles[cost.rule]} ({cost.predicates})\n" for cost in always[:SHOWN])
    head = ("rule", "needles", "share", "predicates", "hits")
    rows: list[tuple[str, ...]] = [tuple(say(f"bench.{word}") for word in head)]
    for cost in dearest(costs)[:SHOWN]:
        numbers = (cost.needles, f"{cost.share:.2e}", cost.predicates, matched.matches[cost.rule])
        rows.append((titles[cost.rule], *map(str, numbers)))
    sys.stdout.write("\n" + table(rows) + "\n")


def dearest(costs: list[RuleCost]) -> list[RuleCost]:
    """Most expensive first: expected candidates, then questions, then the rule's id."""
    return sorted(costs, key=lambda cost: (-cost.share, -cost.predicates, cost.rule))


def _json(measured: Measured, costs: list[RuleCost], pack: Pack) -> dict[str, object]:
    titles = _titles(pack)
    return {
        "events": measured.events,
        "runs": measured.runs,
        "cpu_seconds": round(measured.seconds, 3),
        "events_per_cpu_second": measured.rate,
        "matches": measured.matched.matches.total(),
        "matching_rules": len(measured.matched.matches),
        "candidates_per_event": round(measured.candidates, 3),
        "scanned_bytes_per_event": measured.scanned,
        "always": [{"id": cost.rule, "title": titles[cost.rule]} for cost in costs if cost.always],
        "dearest": [
            {
                "id": cost.rule,
                "title": titles[cost.rule],
                "needles": cost.needles,
                "share": cost.share,
                "predicates": cost.predicates,
                "hits": measured.matched.matches[cost.rule],
            }
            for cost in dearest(costs)[:SHOWN]
        ],
        "counters": {name: count for name, count in measured.matched.counters.items() if "{" not in name},
    }


def _titles(pack: Pack) -> dict[str, str]:
    rules = pack.json("rules.json")["rules"]
    assert isinstance(rules, list)  # noqa: S101  # the core has read it
    return {str(rule["id"]): str(rule["title"]) for rule in rules}
