"""Composes the demo's towns: a capture and logs for each, and what a console must show. Same ``--now``, same files.

``OUT/<tenant>/captures/office.pcap``, ``OUT/<tenant>/logs/{fortigate,access}.log``, ``OUT/manifest.json``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import random
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import background
import recipes
import stories
import yaml
from lines import FortiGate, Line
from towns import TOWNS, Town

RULES = Path(__file__).resolve().parents[2] / "rules" / "pack"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument(
        "--now", required=True, type=moment, help="ISO 8601 with a zone; everything lies in the 36 hours before it"
    )
    arguments = parser.parse_args()
    traffic = recipes.load()
    titles = rule_titles()
    towns = {}
    for order, town in enumerate(TOWNS):
        began = time.monotonic()
        packets, lines, expect = compose(town, order, arguments.now.timestamp(), arguments.out / town.tenant, traffic)
        towns[town.tenant] = {
            "expect": [titles[name] for name in expect],
            "rules": list(expect),
            "lists": {
                "remote_tool_hosts": [town.host(5)],
                "disabled_accounts": [stories.FORMER_EMPLOYEE],
                "mail_servers": [town.server(4)],
            },
        }
        print(f"{town.tenant}: {packets} packets, {lines} log lines ({time.monotonic() - began:.1f} s)", flush=True)
    manifest = {"now": arguments.now.isoformat(), "shared_source": stories.GUESSER, "towns": towns}
    text = json.dumps(manifest, ensure_ascii=False, indent=2)
    (arguments.out / "manifest.json").write_text(text + "\n", encoding="utf-8")
    return 0


def moment(text: str) -> datetime.datetime:
    """An ISO 8601 moment; one without a zone is refused."""
    try:
        value = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; write for instance 2026-03-02T08:00:00+00:00") from None
    if value.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no zone; add +00:00 or another offset")
    return value


def compose(town: Town, order: int, now: float, folder: Path, traffic: ModuleType) -> tuple[int, int, tuple[str, ...]]:
    """Writes one town's files; returns the number of packets, of log lines, and the names of rules that must fire."""
    rng = random.Random(town.tenant)  # noqa: S311  reproducible, not secret
    device = FortiGate(f"fw-{town.tenant}", f"FGT60FTK0000000{order + 1}")
    told = list(stories.tell(town, device, order, now))
    steps: list[Any] = [*background.traffic(town, now, rng), *(step for story in told for step in story.steps)]
    frames = traffic.compose([{**step, "at": step["at"] - now} for step in steps], start=now)
    for name in ("captures", "logs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    packets = traffic.write(folder / "captures" / "office.pcap", frames)
    written = write_log(
        folder / "logs" / "fortigate.log",
        [*background.firewall(town, device, now, rng), *(line for story in told for line in story.firewall)],
    )
    if town.has_site:
        visits = [*background.visitors(now, rng), *(line for story in told for line in story.site)]
        written += write_log(folder / "logs" / "access.log", visits)
    return packets, written, tuple(name for story in told for name in story.expect)


def write_log(path: Path, lines: Iterable[Line]) -> int:
    """Writes lines in the order of their times; returns how many."""
    ordered = sorted(lines, key=lambda line: line.time)
    path.write_text("".join(f"{line.text}\n" for line in ordered), encoding="utf-8")
    return len(ordered)


def rule_titles() -> dict[str, str]:
    """The title that alerts carry (``rule.name``), by the rule's own name."""
    titles = {}
    for folder in ("detections", "correlations"):
        for path in sorted((RULES / folder).rglob("*.yml")):
            rule = yaml.safe_load(path.read_text(encoding="utf-8"))
            titles[rule["name"]] = rule["title"]
    return titles


if __name__ == "__main__":
    sys.exit(main())
