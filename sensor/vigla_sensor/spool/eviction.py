"""What goes when the spool is full (DESIGN 5.4): fold, then drop the oldest of the lowest; a critical one last of all.

Every step is one transaction, so that a crash between two leaves a state in which the books balance.
"""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from vigla_sensor.alert.alert import Alert, Severity
from vigla_sensor.alert.seal import seal
from vigla_sensor.spool.model import SEVERITIES, Fate
from vigla_sensor.spool.rows import Rows
from vigla_sensor.spool.transaction import transaction

_GROUPS = 64
_FOLD = 200
_DROP = 500
_PAGE_SHARE = 1.5
"""Bytes of disk an alert takes by each byte of its body, about (delivery.md 4: 4.1 KB for 2.5 KB)."""


@dataclass(frozen=True, slots=True)
class Eviction:
    """`leased` numbers are on their way to a sink and exempt."""

    connection: sqlite3.Connection
    rows: Rows
    leased: Callable[[], Collection[int]]
    now: Callable[[], datetime]

    def evict(self, excess: Callable[[], int], reason: str) -> None:
        """Folds and drops until `excess()` (bytes) is not positive or nothing is left that may go."""
        for tier in (SEVERITIES[:-1], SEVERITIES[-1:]):
            for severity in tier:
                while excess() > 0 and self._fold(severity, excess):
                    pass
            for severity in tier:
                while (wanted := excess()) > 0 and self._drop(severity, wanted, reason):
                    pass

    def _fold(self, severity: int, excess: Callable[[], int]) -> bool:
        """Folds repeats of one severity, largest groups first, while there is excess; False if there are none."""
        groups = self.connection.execute(
            "SELECT fold_key, index_name FROM alert WHERE severity = ? "
            "GROUP BY fold_key, index_name HAVING count(*) > 1 ORDER BY sum(length(body)) DESC LIMIT ?",
            (severity, _GROUPS),
        ).fetchall()
        folded = False
        for fold_key, index_name in groups:
            folded |= self._fold_group(severity, fold_key, index_name)
            if folded and excess() <= 0:
                break
        return folded

    def _fold_group(self, severity: int, fold_key: str, index_name: str) -> bool:
        leased = self.leased()
        found = self.connection.execute(
            "SELECT id, event_id, body FROM alert WHERE severity = ? AND fold_key = ? AND index_name = ? "
            "AND NOT EXISTS (SELECT 1 FROM dead WHERE dead.alert_id = alert.id) ORDER BY id LIMIT ?",
            (severity, fold_key, index_name, _FOLD + len(leased)),
        ).fetchall()
        waiting: dict[tuple[str, ...], list[tuple[int, bytes, bytes]]] = {}
        for row in found:
            if row[0] not in leased:
                at = tuple(sink for sink in self.rows.sinks if self._waits(sink, severity, row[0]))
                waiting.setdefault(at, []).append(row)
        repeats = [(at, members) for at, members in waiting.items() if at and len(members) > 1]
        for at, members in repeats:
            alerts = [Alert(key.hex(), index_name, Severity(severity), fold_key, body) for _, key, body in members]
            record, numbers = seal(alerts, self.now()), [number for number, _, _ in members]
            with transaction(self.connection):
                self.rows.remove(severity, numbers, Fate.FOLDED, "full", at)
                self.rows.insert([record], at)
        return bool(repeats)

    def _waits(self, sink: str, severity: int, number: int) -> bool:
        query = "SELECT 1 FROM delivery WHERE sink = ? AND severity = ? AND alert_id = ?"
        return self.connection.execute(query, (sink, severity, number)).fetchone() is not None

    def _drop(self, severity: int, bytes_wanted: int, reason: str) -> bool:
        """Drops the oldest of one severity, at least one; False if none is left."""
        chosen = self._oldest(severity, bytes_wanted)
        if chosen:
            with transaction(self.connection):
                self.rows.remove(severity, chosen, Fate.DROPPED, reason, self.rows.sinks)
        return bool(chosen)

    def _oldest(self, severity: int, bytes_wanted: int) -> Sequence[int]:
        leased = self.leased()
        query = "SELECT alert_id FROM delivery WHERE sink = ? AND severity = ? ORDER BY alert_id LIMIT ?"
        numbers = {
            row[0]
            for sink in self.rows.sinks
            for row in self.connection.execute(query, (sink, severity, _DROP + len(leased)))
        }
        chosen: list[int] = []
        size = 0.0
        for number in sorted(numbers - set(leased))[:_DROP]:
            chosen.append(number)
            length = self.connection.execute("SELECT length(body) FROM alert WHERE id = ?", (number,)).fetchone()[0]
            size += length * _PAGE_SHARE
            if size >= bytes_wanted:
                break
        return chosen
