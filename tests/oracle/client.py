"""Asks the SQLite oracle, which runs in an environment of its own (`make oracle`)."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PYTHON = Path(os.environ.get("VIGLA_ORACLE", HERE.parents[1] / ".cache/oracle/bin/python"))
ABSENT = "NOT RUN: the SQLite oracle's environment is missing; make it with `make oracle`"

Row = Mapping[str, Mapping[str, object]]
"""``{"fields": {...}, "header": {...}}``"""


def present() -> bool:
    """Whether the oracle's environment has been made."""
    return PYTHON.is_file()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the oracle said to one job: rows by rule id, or why it could not."""

    hits: Mapping[str, Sequence[int]]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Detection:
    """A whole tree over a whole file: places of matching rows by rule title; ids of rules that could not be asked."""

    hits: Mapping[str, frozenset[int]]
    rules: int
    faults: Mapping[str, str]


def detect(rules: Path, events: Path, pipelines: Sequence[str], *, header_columns: bool) -> Detection:
    """Every rule over every row of ``events`` (JSON lines of rows). Takes about a minute for 2,407 rules."""
    options = [word for name in pipelines for word in ("--pipeline", name)]
    said = json.loads(_run(["detect", str(rules), str(events), *options, *["--header-columns"] * header_columns]))
    titles = said["titles"]
    hits = {titles[rule]: frozenset(rows) for rule, rows in said["hits"].items()}
    return Detection(hits, len(titles), said["faults"])


def cases(jobs: Iterable[Mapping[str, object]]) -> list[Answer]:
    """``{"rules": [yaml], "rows": [...], "lists": {...}}`` each."""
    return [Answer(said.get("hits", {}), said.get("fault", "")) for said in _jobs("cases", jobs)]


def correlate(jobs: Iterable[Mapping[str, object]]) -> list[dict[str, Any]]:
    """``{"rules": yaml, "rows": [...]}`` each; rows have a ``timestamp`` in seconds. ``{"hits": [...]}`` or a fault."""
    return _jobs("correlate", jobs)


def _jobs(command: str, jobs: Iterable[Mapping[str, object]]) -> list[dict[str, Any]]:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for job in jobs:
            file.write(json.dumps(job) + "\n")
        file.flush()
        return [json.loads(line) for line in _run([command, file.name]).splitlines()]


def _run(arguments: list[str]) -> bytes:
    return subprocess.run([PYTHON, "-B", HERE, *arguments], stdout=subprocess.PIPE, check=True).stdout
