"""The conformance suite as a program of its own: any engine that is a command can run it (docs/sigma-conformance.md).

    python3 conformance.py --command 'my-engine --rules {rules} --events {events}'

For each case the rule's documents are written into a folder ``{rules}`` and the events into a file ``{events}``, one
JSON object a line; ``{logsource}`` is the events' log source as ``product=case,service=s`` (without it in the command,
cases about log sources are left out). An engine matches when it writes anything to standard output; it refuses when it
ends with another status than 0, or when what it writes to standard error contains the word given with ``--refusal``.
Exit 1 when a verdict is another than the case's. Standard library only: this file and the cases are all that is needed.
"""

from __future__ import annotations

import argparse
import base64
import json
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CASES = Path(__file__).with_name("cases.jsonl")
FRAME = {"author": "Vigla", "level": "low", "logsource": {"product": "case"}}
LOGSOURCE = {"product": "case"}

Verdict = str
"""``true``, ``false`` or ``refused``; of an engine ``accepted`` where it takes a rule that the suite refuses."""


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the suite. ``documents`` are YAML texts, the first is the rule that the verdict is about."""

    clause: str
    why: str
    documents: tuple[str, ...]
    events: tuple[bytes, ...]
    verdict: Verdict
    refused: str | None = None
    line: int | None = None
    suggestion: str | None = None
    logsource: Mapping[str, str] = field(default_factory=lambda: LOGSOURCE)
    lists: Mapping[str, list[str]] = field(default_factory=dict)
    pipelines: tuple[str, ...] = ()
    differs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.clause}: {self.why}"

    def judged(self, verdict: Verdict) -> Verdict:
        """An engine's answer in the case's terms: whether a rule that should be refused matches is of no interest."""
        return "accepted" if self.verdict == "refused" and verdict in ("true", "false") else verdict

    def expected(self, engine: str) -> Verdict:
        """What an engine is known to answer: the case's verdict where no difference is recorded."""
        return self.differs[engine]["verdict"] if engine in self.differs else self.verdict


def read_cases(path: Path = CASES) -> list[Case]:
    """All cases of a file."""
    return [read_case(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def read_case(raw: Mapping[str, Any]) -> Case:
    """One line. ``rule`` stands for a whole document (its frame is added), ``yaml`` for the text itself."""
    documents = [raw["yaml"]] if "yaml" in raw else [yaml_text(framed(raw["rule"], 1))]
    documents += [yaml_text(framed(other, at)) for at, other in enumerate(raw.get("with", ()), start=2)]
    verdict = "refused" if "refused" in raw else str(raw["verdict"]).lower()
    optional = {
        key: raw[key] for key in ("refused", "line", "suggestion", "logsource", "lists", "differs") if key in raw
    }
    optional["pipelines"] = tuple(raw.get("pipelines", ()))
    return Case(raw["clause"], raw["why"], tuple(documents), tuple(event_lines(raw)), verdict, **optional)


def event_lines(raw: Mapping[str, Any]) -> Iterator[bytes]:
    """The events as lines: objects, a line as text, or a line's bytes in base64."""
    if "event_text" in raw:
        yield raw["event_text"].encode()
    elif "event_base64" in raw:
        yield base64.b64decode(raw["event_base64"])
    else:
        for event in raw.get("events", [raw.get("event", {})]):
            yield json.dumps(event, ensure_ascii=False).encode()


def framed(part: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A whole document around the parts that a case names; its id ends in ``number``. ``null`` takes a part away."""
    frame = {"title": f"Rule {number}", "id": f"00000000-0000-4000-8000-{number:012d}", **FRAME}
    whole = {**frame, **part}
    return {key: value for key, value in whole.items() if not (value is None and key in frame)}


def yaml_text(document: object) -> str:
    """Block YAML, every key on a line of its own, every scalar as JSON writes it."""
    return "\n".join(_block(document, 0)) + "\n"


def _block(value: object, indent: int) -> Iterator[str]:
    pad = "  " * indent
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _entry(f"{pad}{json.dumps(str(key), ensure_ascii=False)}:", inner, indent)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _entry(f"{pad}-", inner, indent)
    else:
        yield pad + json.dumps(value, ensure_ascii=False)


def _entry(head: str, inner: object, indent: int) -> Iterator[str]:
    if isinstance(inner, dict | list) and inner:
        yield head
        yield from _block(inner, indent + 1)
    else:
        yield f"{head} {json.dumps(inner, ensure_ascii=False)}"


def run_command(command: Sequence[str], refusal: str, case: Case) -> Verdict:
    """One case through an engine's command line."""
    with tempfile.TemporaryDirectory() as scratch:
        rules, events = Path(scratch) / "rules", Path(scratch) / "events.json"
        rules.mkdir()
        for at, document in enumerate(case.documents, start=1):
            (rules / f"rule_{at}.yml").write_text(document, encoding="utf-8", errors="surrogatepass")
        events.write_bytes(b"".join(line + b"\n" for line in case.events or (b"{}",)))
        source = ",".join(f"{key}={value}" for key, value in case.logsource.items() if value)
        places = {"{rules}": str(rules), "{events}": str(events), "{logsource}": source}
        words = [_filled(word, places) for word in command]
        done = subprocess.run(words, capture_output=True, check=False, timeout=60)
    if done.returncode != 0 or (refusal and refusal in done.stderr.decode(errors="replace")):
        return case.judged("refused")
    return case.judged("true" if done.stdout.strip() else "false")


def _filled(word: str, places: Mapping[str, str]) -> str:
    for mark, path in places.items():
        word = word.replace(mark, path)
    return word


def report(engine: str, cases: Sequence[Case], answer: Callable[[Case], Verdict]) -> int:
    """Prints what differs and a table by clause; how many verdicts are other than recorded for this engine."""
    counts: dict[str, Counter[str]] = {}
    unexpected = 0
    for case in cases:
        verdict = answer(case)
        kind = "same" if verdict == case.verdict else "known" if verdict == case.expected(engine) else "new"
        counts.setdefault(case.clause, Counter())[kind] += 1
        if kind != "same":
            why = case.differs.get(engine, {}).get("why", "") if kind == "known" else "NEW"
            print(f"{case.name}\n    the suite says {case.verdict}, {engine} says {verdict}  {why}")
        unexpected += verdict != case.expected(engine)
    print(f"\n{'clause':24} {'cases':>6} {'same':>6} {'differ':>7} {'of them recorded':>17}")
    for clause, found in sorted(counts.items()):
        print(f"{clause:24} {found.total():6} {found['same']:6} {found['known'] + found['new']:7} {found['known']:17}")
    total = sum(counts.values(), Counter())
    print(f"{'all':24} {total.total():6} {total['same']:6} {total['known'] + total['new']:7} {total['known']:17}")
    return unexpected


def engines_table(cases: Sequence[Case]) -> str:
    """Markdown: per clause the cases, and per engine how many it answers otherwise."""
    engines = sorted({engine for case in cases for engine in case.differs})
    rows: dict[str, Counter[str]] = {}
    for case in cases:
        rows.setdefault(case.clause, Counter()).update(["cases", *case.differs])
    lines = [f"| clause | cases | {' | '.join(engines)} |", "|---|" + "---|" * (len(engines) + 1)]
    for clause, counts in [*sorted(rows.items()), ("all", sum(rows.values(), Counter()))]:
        lines.append(f"| {clause} | {counts['cases']} | {' | '.join(str(counts[name] or '') for name in engines)} |")
    return "\n".join(lines) + "\n"


def reasons_table(cases: Sequence[Case], engine: str) -> str:
    """Markdown: why an engine answers otherwise, whose that is, and how often."""
    reasons = Counter((found["whose"], found["why"]) for case in cases if (found := case.differs.get(engine)))
    lines = ["| whose | why | cases |", "|---|---|---|"]
    lines += [
        f"| {whose} | {why.replace('|', chr(92) + '|')} | {number} |"
        for (whose, why), number in sorted(reasons.items())
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", help="the engine, with {rules} (a folder) and {events} (a file)")
    parser.add_argument("--tables", action="store_true", help="print the tables of docs/sigma-conformance.md and end")
    parser.add_argument("--engine", default="engine", help="its name in `differs`")
    parser.add_argument("--refusal", default="", help="a word on standard error that means the rule was refused")
    parser.add_argument("--cases", type=Path, default=CASES)
    parser.add_argument(
        "--lists", action="store_true", help="run cases with value lists too (the command must know them)"
    )
    arguments = parser.parse_args()
    if arguments.tables:
        cases = read_cases(arguments.cases)
        print(engines_table(cases))
        for engine in sorted({engine for case in cases for engine in case.differs}):
            print(f"{engine}\n\n{reasons_table(cases, engine)}")
        return 0
    command = shlex.split(arguments.command or "")
    if not any("{rules}" in word for word in command) or not any("{events}" in word for word in command):
        print("--command must name {rules} and {events}", file=sys.stderr)
        return 2
    sourced = any("{logsource}" in word for word in command)
    cases = [
        case
        for case in read_cases(arguments.cases)
        if (arguments.lists or not case.lists) and not case.pipelines and (sourced or case.logsource == LOGSOURCE)
    ]
    return int(bool(report(arguments.engine, cases, lambda case: run_command(command, arguments.refusal, case))))


if __name__ == "__main__":
    raise SystemExit(main())
