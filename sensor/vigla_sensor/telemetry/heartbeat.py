"""The heartbeat (DESIGN 5.5, delivery.md 5): what the hub needs to tell silence from quiet and loss from delay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`sinks` is the spool's status per sink with the courier's state; `counters` are the core's."""

    sensor: str
    sent: datetime
    started: datetime
    versions: Mapping[str, str]
    pack: Mapping[str, str]
    clock: tuple[bool, float]
    counters: Mapping[str, int]
    spool: Mapping[str, Any]
    sinks: Mapping[str, Mapping[str, Any]]

    def document(self) -> dict[str, Any]:
        """JSON-ready. Times are RFC 3339 in UTC."""
        return {
            "sensor": self.sensor,
            "sent": self.sent.isoformat(timespec="milliseconds"),
            "started": self.started.isoformat(timespec="milliseconds"),
            "versions": dict(self.versions),
            "pack": dict(self.pack),
            "clock": {"synchronised": self.clock[0], "offset_ms": round(self.clock[1], 3)},
            "counters": dict(self.counters),
            "spool": dict(self.spool),
            "sinks": {name: dict(sink) for name, sink in self.sinks.items()},
        }
