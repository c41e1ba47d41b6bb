"""rsigma 0.23.0 as a third opinion: a program of its own, whose path ``VIGLA_RSIGMA`` gives or that stands in PATH."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.sigma.conformance import Case, run_command

VERSION = "0.23.0"
ABSENT = (
    f"NOT RUN: rsigma {VERSION} is not there "
    f"(`cargo install --locked rsigma --version {VERSION}`, then VIGLA_RSIGMA=PATH)"
)
# It goes on after a rule that it cannot read, and says so.
REFUSAL = "error"


def binary() -> str | None:
    """Its path, if it is there and of the version whose differences are recorded."""
    path = os.environ.get("VIGLA_RSIGMA") or shutil.which("rsigma")
    if path is None or not Path(path).is_file():
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    return path if VERSION in said.split() else None


def verdict(path: str, case: Case) -> str:
    """One case. Lines that are no JSON are read as plain text unless it is told otherwise."""
    command = [path, "engine", "eval", "-q", "-r", "{rules}", "-e", "@{events}", "--input-format", "json"]
    return run_command([*command, "--output-format", "ndjson"], REFUSAL, case)


def hits(path: str, rules: Path, events: Iterable[bytes]) -> dict[str, set[int]]:
    """Rule id → places of the events, each of which has a ``__line`` of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch) / "events.ndjson"
        with written.open("wb") as out:
            out.writelines(line + b"\n" for line in events)
        command = [path, "engine", "eval", "-q", "-r", str(rules), "-e", f"@{written}", "--include-event"]
        done = subprocess.run([*command, "--output-format", "ndjson"], capture_output=True, check=True)
    found: dict[str, set[int]] = {}
    for line in done.stdout.splitlines():
        match = json.loads(line)
        found.setdefault(match["rule_id"], set()).add(int(match["event"]["__line"]))
    return found


def numbered(events: Sequence[dict[str, object]]) -> Iterable[bytes]:
    """Events with their places, as ``hits`` wants them."""
    return (json.dumps({**event, "__line": at}, ensure_ascii=False).encode() for at, event in enumerate(events))


def applies(case: Case) -> bool:
    """Whether it can be asked: it knows neither our lists nor pySigma's pipelines nor log sources of events."""
    return not (case.lists or case.pipelines or case.clause == "1.4 logsource")
