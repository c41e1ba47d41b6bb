"""A sensor on interfaces, in this process: start, wait for what is due, stop; and the same over a capture file."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.sensor.native.packs import pack
from vigla_sensor import engine

PATIENCE_SECONDS = 20.0
Hit = dict[str, Any]

_SOURCES = [
    {"product": "zeek", "service": "conn"},
    {"product": "zeek", "service": "dhcp"},
    {"product": "zeek", "service": "dns"},
    {"product": "zeek", "service": "http"},
    {"product": "zeek", "service": "weird"},
    {"product": "zeek", "service": "tunnel"},
    {"product": "vigla", "service": "sensor"},
]
# Which field all events of a source have, where it is not the first.
_TELLING = {"sensor": 1, "dhcp": 2}


def everything() -> bytes:
    """A pack in which every event of traffic, and of the sensor itself, is a hit; three `dns` of a host correlate."""
    rules = [
        {
            "id": source["service"],
            "title": source["service"],
            "logsource": source,
            "condition": node,
            "selections": {"selection": node},
        }
        for source in _SOURCES
        for node in [_TELLING.get(source["service"], 0)]
    ]
    correlation = {
        "id": "busy",
        "title": "busy",
        "type": "event_count",
        "rules": ["dns"],
        "group_by": ["id.orig_h"],
        "timespan_ms": 60_000,
        "field": [],
        "condition": [{"op": "gte", "value": 3}],
    }
    return pack(
        {
            "fields": ["id.orig_h", "interface", "msg_types"],
            "predicates": [{"op": "exists", "field": field, "value": True} for field in (0, 1, 2)],
            "nodes": [{"p": 0}, {"p": 1}, {"p": 2}],
            "rules": rules,
            "correlations": [correlation],
        }
    )


def settings(*names: str, workers: int = 1, **interface: Any) -> bytes:
    """Settings that watch these interfaces; `interface` are keys of each."""
    interfaces = [{"name": name, **interface} for name in names]
    return json.dumps({"sensor": "s", "interfaces": interfaces, "workers": workers}).encode()


@dataclass
class Watching:
    """A running sensor and what it has found."""

    sensor: engine.Sensor
    hits: list[Hit] = field(default_factory=list)
    checkpoint: bytes | None = None

    def poll(self) -> bool:
        """Takes what is there; whether there may be more."""
        batch = self.sensor.poll(1000, 0.05)
        self.hits += [json.loads(alert) for alert in batch.alerts]
        self.checkpoint = batch.checkpoint or self.checkpoint
        return not batch.finished

    def until(self, enough: Callable[["Watching"], bool]) -> None:
        """Polls until `enough` holds; fails after a long time with what there is."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not enough(self):
            assert time.monotonic() < deadline, (self.stats(), self.hits[-5:])
            self.poll()

    def until_read(self, packets: int) -> None:
        """Until so many packets were taken from the rings."""
        self.until(lambda self: self.stats().get("capture.packets", 0) >= packets)

    def stats(self) -> dict[str, int]:
        """The sensor's counters."""
        return self.sensor.stats()

    def of(self, rule: str) -> list[Hit]:
        """Events that a rule met."""
        return [hit["event"] for hit in self.hits if hit["rule"] == rule]

    def stop(self) -> None:
        """Ends all connections and takes the rest."""
        self.sensor.stop()
        while self.poll():
            pass


@contextmanager
def watching(document: bytes, checkpoint: bytes | None = None) -> Iterator[Watching]:
    """A started sensor; it is stopped at the end, if it was not before."""
    running = Watching(engine.Sensor(document, everything(), checkpoint))
    running.sensor.start()
    try:
        yield running
    finally:
        running.stop()


def replayed(paths: Sequence[Path]) -> list[Hit]:
    """What the same rules find in capture files."""
    replay = engine.Replay(b'{"sensor": "s"}', everything(), [str(path) for path in paths])
    hits: list[Hit] = []
    while True:
        batch = replay.poll(1000)
        hits += [json.loads(alert) for alert in batch.alerts]
        if batch.finished:
            return hits
