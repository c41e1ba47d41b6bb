"""Nouns of the fleet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vigla_console.tenants.models import TenantId

SILENT_AFTER = timedelta(minutes=3)  # three heartbeats missed


@dataclass(frozen=True, slots=True)
class Sensor:
    """A box. ``last_seen`` is its last heartbeat or delivery, ``last_content`` its last alert."""

    id: str
    tenant: TenantId
    created: datetime
    quarantined: bool = False
    last_seen: datetime | None = None
    last_content: datetime | None = None
    version: str = ""
    counters: Mapping[str, int] | None = None  # at ingest: created, duplicate, conflict, rejected_<type>
    heartbeat: Mapping[str, Any] | None = None  # the last one, as sent

    def state(self, now: datetime) -> str:
        """`never`, `quarantined`, `silent` or `live`."""
        if self.quarantined:
            return "quarantined"
        if self.last_seen is None:
            return "never"
        return "silent" if now - self.last_seen > SILENT_AFTER else "live"
