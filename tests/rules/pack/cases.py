"""The cases of samples as inputs: files for the sensor, events for the obvious evaluator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vigla_native
from tests.rules.pack import oracle
from tests.rules.pack.reading import PACK, Rule, load, recipes, settings, sources
from tests.sigma.reference import Event

NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
PARTS = ("product", "category", "service")
DEFINITIONS = {path.stem: load(path) for path in sources()}


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a rule's sample: ``alerts`` of the rule that it must raise, 0 for a negative."""

    rule: Rule
    name: str
    body: dict[str, Any]
    lists: dict[str, list[str]]

    @property
    def alerts(self) -> int:
        return int(self.body.get("alerts", 0))

    @property
    def entity(self) -> str | None:
        return self.body.get("entity")

    def file(self, folder: Path) -> Path:
        """The raw input: a log of the sample, or a capture composed in ``folder``; not of events without a raw path."""
        if "log" in self.body:
            return PACK / "samples" / self.rule.place / str(self.body["log"])
        path = folder / f"{self.rule.name}-{self.name.replace(' ', '_')}.pcap"
        module, function = self.body["recipe"].split(".")
        getattr(recipes(module), function)(path, **self.body["args"])
        return path

    def settings(self, file: Path) -> bytes:
        """The core's settings for this case."""
        files = [{"path": str(file), "source": self.body["source"]}] if "source" in self.body else []
        return json.dumps({"local_networks": NETWORKS, "lists": self.lists, "files": files}).encode()

    def events(self, folder: Path) -> list[Event]:
        """What rules see: a log's by the obvious reader, a capture's by the native decoders; else as they stand."""
        if "events" in self.body:
            return [
                Event(
                    {"ts": each["ts"], **each["fields"]},
                    {part: each["logsource"].get(part) for part in PARTS},
                    each["ts"] * 10**9,
                )
                for each in self.body["events"]
            ]
        path = self.file(folder)
        if "log" not in self.body:
            return list(decoded(path, self.settings(path)))
        definition = DEFINITIONS[self.body["source"]]
        read = [oracle.event(definition, line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [
            Event(fields, {part: logsource.get(part) for part in PARTS}, round(seconds * 1e9))
            for seconds, logsource, fields in (found for found in read if found is not None)
        ]


def cases_of(rule: Rule) -> list[Case]:
    sample = load(PACK / "samples" / rule.place / "sample.yml")
    lists = {name: [] for name in settings()["lists"]} | sample.get("with", {}).get("lists", {})
    listed = [*sample["true_positives"], *sample["true_negatives"]]
    return [Case(rule, body["name"], body, lists) for body in listed]


def decoded(path: Path, settings: bytes) -> Iterator[Event]:
    """A capture's events as the sensor prints them."""
    printed = path.with_suffix(".jsonl")
    with printed.open("wb") as out:
        vigla_native.events([str(path)], settings, out.fileno())
    for line in printed.read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        logsource = {"product": "zeek", "category": None, "service": fields["_path"]}
        yield Event(fields, logsource, round(fields["ts"] * 1e9))
