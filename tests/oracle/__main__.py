"""The oracle as a program of its own environment: ``.cache/oracle/bin/python tests/oracle COMMAND ...``.

  detect RULES EVENTS [--pipeline NAME]... [--header-columns]
      -> {"hits": {id: [row]}, "titles": {id: title}, "faults": {id: why}}
  cases JOBS        one {"rules": [yaml], "rows": [...], "lists": {...}} a line
      -> one {"hits": {id: [row]}} or {"fault": why} a line
  correlate JOBS    one {"rules": yaml, "rows": [...]} a line
      -> one {"hits": [...]} or {"fault": why} a line

Rows are ``{"fields": {...}, "header": {...}}``. Standard output is JSON alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import convert
from sigma.backends.sqlite.runtime import execute_plan
from sigma.collection import SigmaCollection
from table import open_table, parsed, row_ids


def detect(rules: Path, events: Path, pipelines: list[str], *, header_columns: bool) -> dict[str, object]:
    """All rules of a tree over all events of a file."""
    with events.open("rb") as lines:
        connection = open_table(map(parsed, lines), header_columns=header_columns)
    through = convert.backend(pipelines, header_columns=header_columns)
    hits: dict[str, list[int]] = {}
    titles: dict[str, str] = {}
    faults: dict[str, str] = {}
    paths = sorted(rules.rglob("*.yml"))
    for number, path in enumerate(paths, start=1):
        if sys.stderr.isatty():
            print(f"\roracle: {number}/{len(paths)} rules", end="", file=sys.stderr)
        for rule in convert.convert(path.read_text(encoding="utf-8"), through):
            titles[rule.id] = rule.title
            if rule.fault:
                faults[rule.id] = rule.fault
            elif found := row_ids(connection, rule.where):
                hits[rule.id] = sorted(found)
    return {"hits": hits, "titles": titles, "faults": faults}


def case(job: dict[str, Any]) -> dict[str, object]:
    """A few rules over a few rows."""
    try:
        connection = open_table(rows(job))
        through = convert.backend((), lists=job.get("lists"))
        hits: dict[str, list[int]] = {}
        for text in job["rules"]:
            for rule in convert.convert(text, through):
                if rule.fault:
                    return {"fault": rule.fault}
                hits[rule.id] = sorted(row_ids(connection, rule.where))
    except Exception as error:  # noqa: BLE001  # refusing is an answer too
        return {"fault": f"{type(error).__name__}: {error}"}
    return {"hits": hits}


def correlate(job: dict[str, Any]) -> dict[str, object]:
    """One collection with correlations over rows that have a ``timestamp`` in seconds."""
    try:
        connection = open_table(rows(job), times=True)
        through = convert.backend((), timestamp_format="unix")
        output = json.loads(through.convert(SigmaCollection.from_yaml(str(job["rules"])), output_format="zircolite"))
        found = []
        for rule in output:
            if rule["result_type"] == "correlation":
                hits, _ = execute_plan(connection, rule["correlation_plan"], include_events=False)
                found += [{**hit, "rule": rule["id"]} for hit in hits]
    except Exception as error:  # noqa: BLE001  # refusing is an answer too
        return {"fault": f"{type(error).__name__}: {error}"}
    return {"hits": found}


def rows(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for row in job["rows"]:
        yield parsed(json.dumps(row))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    whole = commands.add_parser("detect")
    whole.add_argument("rules", type=Path)
    whole.add_argument("events", type=Path)
    whole.add_argument("--pipeline", action="append", default=[], choices=sorted(convert.PIPELINES))
    whole.add_argument("--header-columns", action="store_true")
    for name in ("cases", "correlate"):
        commands.add_parser(name).add_argument("jobs", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "detect":
        header_columns = bool(arguments.header_columns)
        print(json.dumps(detect(arguments.rules, arguments.events, arguments.pipeline, header_columns=header_columns)))
        return 0
    answer = {"cases": case, "correlate": correlate}[arguments.command]
    with arguments.jobs.open(encoding="utf-8") as jobs:
        for line in jobs:
            print(json.dumps(answer(json.loads(line))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
