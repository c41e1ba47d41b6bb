"""What lies beside the project: SigmaHQ's trees and regression cases, Windows events with another engine's answers."""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.sigma.windows import windows_row

CORPORA = Path(__file__).parents[3] / "shared/corpora"
REQUIRED = "VIGLA_REQUIRE_CORPORA" in os.environ
PIPELINES = ("sysmon", "windows-logsource")
WINDOWS: Mapping[str, str | None] = {"product": "windows", "category": None, "service": None}


def present(folder: Path = CORPORA) -> bool:
    """Whether the Sigma part is there."""
    return (folder / "sigmahq/rules").is_dir() and (folder / "windows-events/expected.json").is_file()


def trees(folder: Path = CORPORA) -> list[Path]:
    """SigmaHQ's five trees."""
    return sorted((folder / "sigmahq").glob("rules*"))


def lines(folder: Path = CORPORA) -> Iterator[bytes]:
    """The 24,661 Windows events, one JSON object each."""
    import zstandard

    with (folder / "windows-events/events.jsonl.zst").open("rb") as packed:
        rest = b""
        for chunk in zstandard.ZstdDecompressor().read_to_iter(packed):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
        if rest:
            yield rest


def expected(folder: Path = CORPORA) -> dict[str, frozenset[int]]:
    """Rule title → places of the events that it matches."""
    raw = json.loads((folder / "windows-events/expected.json").read_text(encoding="utf-8"))
    return {title: frozenset(found) for title, found in raw.items()}


def write_rows(path: Path, folder: Path = CORPORA) -> None:
    """The events as rows for engines that are handed fields."""
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(windows_row(json.loads(line), WINDOWS)) + "\n" for line in lines(folder))


def native_hits(pack: bytes, events: Iterable[bytes], product: str = "windows") -> dict[str, set[int]]:
    """Rule id → places of the lines that the native engine says it matches."""
    import vigla_native

    found: dict[str, set[int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        written, answers = Path(folder) / "events.jsonl", Path(folder) / "answers.jsonl"
        with written.open("wb") as out:
            out.writelines(line + b"\n" for line in events)
        with answers.open("wb") as out:
            vigla_native.match_lines(pack, str(written), json.dumps({"product": product}).encode(), out.fileno())
        for answer in map(json.loads, answers.read_bytes().splitlines()):
            for rule in answer["rules"]:
                found.setdefault(rule, set()).add(answer["line"])
    return found


@dataclass(frozen=True, slots=True)
class Regression:
    """One of SigmaHQ's own cases: its events must fire the rule at least ``count`` times."""

    rule: str
    count: int
    events: list[dict[str, Any]]
    evtx: Path


def regressions(folder: Path = CORPORA) -> list[Regression]:
    """The 202 cases, from their JSON; ``evtx`` is the same as recorded."""
    found = []
    for path in sorted((folder / "sigmahq/regression_data").rglob("info.yml")):
        info = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        test = info["regression_tests_info"][0] if info.get("regression_tests_info") else None
        recorded = folder / "sigmahq" / test["path"] if test else path
        source = recorded.with_suffix(".json")
        if source.is_file():
            events = objects(source.read_text(encoding="utf-8"))
            found.append(Regression(info["rule_metadata"][0]["id"], test.get("match_count") or 1, events, recorded))
    return found


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects that stand in a row in one file, or in one list."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text.rstrip()):
        value, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
        found += value if isinstance(value, list) else [value]
    return found


def missed(cases: Iterable[Regression], pack: bytes) -> list[str]:
    """Ids of the rules that fire less often over their case's JSON than they must."""
    held = list(cases)
    numbered = [case.rule for case in held for _ in case.events]
    hits = native_hits(pack, (json.dumps(event).encode() for case in held for event in case.events))
    counted = {rule: sum(numbered[line] == rule for line in found) for rule, found in hits.items()}
    return [case.rule for case in held if counted.get(case.rule, 0) < case.count]


@dataclass(frozen=True, slots=True)
class LogsRead:
    """What the native engine made of the event logs (EVTX) of the regression cases."""

    missed: list[str]
    stats: Mapping[str, int]
    warnings: list[str]


def missed_in_logs(cases: Iterable[Regression], pack: bytes) -> LogsRead:
    """The same as ``missed`` over the cases as they were recorded, all in one replay."""
    import vigla_native

    held = list(cases)
    replay = vigla_native.Replay(b"{}", pack, [str(case.evtx) for case in held])
    hits: Counter[tuple[str, str]] = Counter()
    finished = False
    while not finished:
        batch = replay.poll(10_000)
        finished = batch.finished
        hits.update((hit["rule"], hit["input"]) for hit in map(json.loads, batch.alerts))
    silent = [case.rule for case in held if hits[case.rule, case.evtx.name] < case.count]
    return LogsRead(silent, replay.stats(), replay.warnings())
