"""Counters and small values of the spool: moved in the transaction that moves the rows, never beside it."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from vigla_sensor.spool.model import Fate
from vigla_sensor.spool.ranges import add


class Ledger:
    """Works on the spool's connection, inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def count(self, sink: str, fate: Fate, severity: int, n: int, reason: str = "") -> None:
        if n:
            self._connection.execute(
                "INSERT INTO counter VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (sink, fate, reason, severity) DO UPDATE SET n = n + excluded.n",
                (sink, str(fate), reason, severity, n),
            )

    def value(self, key: str, default: Any = None) -> Any:
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else row[0]

    def put(self, key: str, value: int | str | bytes) -> None:
        self._connection.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )

    def excuse(self, sink: str, fate: Fate, numbers: Iterable[int]) -> None:
        """Remembers, for the next heartbeat, numbers that the sink will not see arrive."""
        key = f"ranges:{sink}:{fate}"
        self.put(key, json.dumps(add(json.loads(self.value(key, "[]")), numbers)))

    def forgive(self, sink: str, fate: Fate, told: list[list[int]]) -> None:
        """Forgets ranges that a heartbeat delivered; those that grew meanwhile stay."""
        key = f"ranges:{sink}:{fate}"
        left = [found for found in json.loads(self.value(key, "[]")) if found not in told]
        self.put(key, json.dumps(left))
