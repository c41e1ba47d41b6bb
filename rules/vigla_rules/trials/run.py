"""Runs the cases of samples and compares: expected, native, reference."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigla_rules.checking.samples import Case, Sample
from vigla_rules.trials.evaluator import Evaluator
from vigla_rules.trials.mutants import Observed, escaped
from vigla_rules.trials.recipes import RecipeError, run_recipe
from vigla_rules.trials.replay import Alert, Input, Replay, ReplayError
from vigla_rules.trials.tap import Seen, Tap

MAX_SHOWN = 5
DEFAULT_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case. Counts are hits of the case's rule; ``None``: that engine did not run. ``problems``: why it failed."""

    case: Case
    native: int | None
    reference: int | None
    milliseconds: int
    problems: tuple[str, ...]
    observed: Observed | None = None

    @property
    def behaves(self) -> bool:
        """Whether the case came out as its sample says, from every engine that ran."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything that one run of samples needs."""

    replay: Replay
    evaluator: Evaluator | None
    pack: Path
    rules: Mapping[str, Any]
    tap: Tap
    tap_path: Path
    recipes: Path
    folder: Path

    def run(self, sample: Sample, rule: str) -> Iterator[Outcome]:
        """The outcomes of a sample's cases, in their order. ``rule`` is the rule's id."""
        for at, case in enumerate(sample.cases):
            started = time.monotonic()
            native = reference = observed = None
            try:
                given = self._input(sample, case, f"{sample.path.parent.name}-{at}")
                alerts, seen = self._both(given, rule)
                native = len(alerts)
                context = {
                    "lists": sample.lists,
                    "local_networks": DEFAULT_NETWORKS if sample.local_networks is None else sample.local_networks,
                }
                observed = Observed(case, seen, context)
                if self.evaluator is not None:
                    reference = self.evaluator.hits(self.rules, rule, seen, context)
                problems = self._problems(case, rule, alerts, reference, seen, context)
            except (ReplayError, RecipeError, OSError, ValueError) as error:
                problems = [str(error)]
            elapsed = round(1000 * (time.monotonic() - started))
            yield Outcome(case, native, reference, elapsed, tuple(problems), observed)

    def mutants(self, rule: str, outcomes: Sequence[Outcome]) -> tuple[int, list[str]]:
        """How many mutants the rule has, and those that no case notices; none unless every case ran."""
        observed = [outcome.observed for outcome in outcomes if outcome.observed is not None]
        if self.evaluator is None or len(observed) < len(outcomes):
            return 0, []
        return escaped(self.rules, rule, observed, self.evaluator)

    def _both(self, given: Input, rule: str) -> tuple[list[Alert], list[Seen]]:
        """The rule's alerts and the events behind them: two runs of the core side by side."""
        with ThreadPoolExecutor(2) as pool:
            alerts, tapped = pool.map(lambda pack: self.replay.alerts(pack, given), (self.pack, self.tap_path))
        return _own(alerts, rule), self.tap.events(tapped)

    def _input(self, sample: Sample, case: Case, stem: str) -> Input:
        path, logsource = case.folder / str(case.input), None
        if case.kind == "recipe":
            path = self.folder / f"{stem}.pcap"
            run_recipe(self.recipes, str(case.input), case.arguments, path)
        elif case.kind == "events":
            path = self.folder / f"{stem}.jsonl"
            logsource = _write_events(path, case.input)
        return Input(path, case.source, case.year, case.zone, logsource, sample.lists, sample.local_networks)

    def _problems(
        self,
        case: Case,
        rule: str,
        alerts: Sequence[Alert],
        reference: int | None,
        seen: Sequence[Seen],
        context: Mapping[str, Any],
    ) -> list[str]:
        problems = []
        native = len(alerts)
        expected = "at least 1" if case.alerts is None else str(case.alerts)
        wrong = native < 1 if case.alerts is None else native != case.alerts
        if wrong:
            problems.append(f"{native} alerts, expected {expected}")
            problems += self._reasons(case, rule, alerts, seen, context)
        if reference is not None and reference != native:
            problems.append(f"native found {native}, the reference {reference}")
        if case.entity is not None and alerts and (entity := _entity(alerts[0])) != case.entity:
            problems.append(f"entity {entity!r}, expected {case.entity!r}")
        return problems

    def _reasons(
        self, case: Case, rule: str, alerts: Sequence[Alert], seen: Sequence[Seen], context: Mapping[str, Any]
    ) -> list[str]:
        if not seen:
            return ["no event came of the input: no decoder or source definition takes it"]
        if not case.positive:
            return [f"matched: {json.dumps(_matched(alert), ensure_ascii=False)}" for alert in alerts[:MAX_SHOWN]]
        missed = self.evaluator.misses(self.rules, rule, seen, context) if self.evaluator is not None else []
        came = Counter("/".join(part for part in event.logsource.to_json().values() if part) for event in seen)
        return missed[:MAX_SHOWN] or [f"no event of its log source, or a list is not filled; came: {dict(came)}"]


def _own(alerts: Sequence[Alert], rule: str) -> list[Alert]:
    return [
        alert
        for alert in alerts
        if _part(alert, "rule").get("uuid") == rule and _part(alert, "event").get("action") != "correlation-summary"
    ]


def _part(alert: Alert, key: str) -> Mapping[str, Any]:
    value = alert.get(key)
    return value if isinstance(value, Mapping) else {}


def _entity(alert: Alert) -> str | None:
    entity = _part(alert, "vigla").get("entity")
    return str(entity["value"]) if entity else None


def _matched(alert: Alert) -> object:
    return _part(alert, "vigla").get("matched")


def _write_events(path: Path, events: object) -> str:
    """JSON lines of a case's ``events``; gives their one log source as ``product[/service]``."""
    if not isinstance(events, list) or not events:
        raise ValueError("`events` is no list; write `[{logsource: {...}, fields: {...}, ts: ...}]`")
    logsources = {json.dumps(event.get("logsource"), sort_keys=True) for event in events}
    source = events[0].get("logsource") or {}
    if len(logsources) > 1 or not source.get("product") or source.get("category"):
        raise ValueError("`events` of one case share a log source of product and service; use raw lines for others")
    lines = [json.dumps({"ts": event.get("ts", 0), **event["fields"]}, ensure_ascii=False) for event in events]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return f"{source['product']}/{source['service']}" if source.get("service") else str(source["product"])
