"""Moves rows and counts them, always inside the caller's transaction: the invariant is kept here or nowhere."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from vigla_sensor.alert.alert import Alert
from vigla_sensor.clock import Clock
from vigla_sensor.spool.ledger import Ledger
from vigla_sensor.spool.model import Fate, Settlement

_REASON = 1024


class Rows:
    """The tables of one spool. `sinks` are all that any row may name: configured now or before."""

    def __init__(self, connection: sqlite3.Connection, ledger: Ledger, sinks: Sequence[str], clock: Clock) -> None:
        self._connection, self._ledger, self._clock = connection, ledger, clock
        stored = [row[0] for row in connection.execute("SELECT sink FROM counter WHERE sink != '' GROUP BY sink")]
        self.sinks = tuple(dict.fromkeys([*sinks, *stored]))
        self.parked: dict[tuple[str, str], str] = {
            (sink, index): str(reason)
            for sink, index, reason in connection.execute(
                "SELECT sink, index_name, max(parked) FROM delivery JOIN alert ON alert.id = alert_id "
                "WHERE parked IS NOT NULL GROUP BY sink, index_name"
            )
        }

    def insert(self, alerts: Iterable[Alert], sinks: Sequence[str]) -> int:
        """Numbers alerts for sinks; how many were new. A known id takes no number."""
        first = number = int(self._ledger.value("number"))
        now = self.stamp()
        accepted: Counter[int] = Counter()
        for alert in alerts:
            event_id, severity = bytes.fromhex(alert.event_id), int(alert.severity)
            inserted = self._connection.execute(
                "INSERT INTO alert SELECT ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS "
                "(SELECT 1 FROM settled WHERE event_id = ?2) ON CONFLICT (event_id) DO NOTHING",
                (number + 1, event_id, alert.index_name, severity, alert.fold_key, now, alert.body),
            ).rowcount
            if not inserted:
                continue
            number += 1
            accepted[severity] += 1
            for sink in sinks:
                parked = self.parked.get((sink, alert.index_name))
                self._connection.execute("INSERT INTO delivery VALUES (?, ?, ?, ?)", (sink, severity, number, parked))
        if number > first:
            self._ledger.put("number", number)
        for severity, n in accepted.items():
            for sink in sinks:
                self._ledger.count(sink, Fate.ACCEPTED, severity, n)
        return number - first

    def settle(self, sink: str, settlements: Iterable[Settlement]) -> None:
        """Ends deliveries. One that has ended already (evicted, settled twice) is passed over."""
        excused: dict[Fate, list[int]] = {Fate.ALREADY_THERE: [], Fate.DEAD_LETTERED: []}
        counted: Counter[tuple[Fate, int]] = Counter()
        ended = []
        for settlement in settlements:
            row = self._connection.execute("SELECT severity FROM alert WHERE id = ?", (settlement.number,)).fetchone()
            if row is None or not self._undeliver(sink, row[0], settlement.number):
                continue
            ended.append(settlement.number)
            counted[settlement.fate, row[0]] += 1
            if settlement.fate is Fate.DEAD_LETTERED:
                self._bury(sink, settlement)
            if settlement.fate in excused:
                excused[settlement.fate].append(settlement.number)
        for (fate, severity), n in counted.items():
            self._ledger.count(sink, fate, severity, n)
        for fate, numbers in excused.items():
            if numbers:
                self._ledger.excuse(sink, fate, numbers)
        self.leave(ended)

    def _bury(self, sink: str, settlement: Settlement) -> None:
        died = (self.stamp(), settlement.status, settlement.type, settlement.reason[:_REASON])
        self._connection.execute("INSERT INTO dead VALUES (?, ?, ?, ?, ?, ?)", (sink, settlement.number, *died))

    def remove(self, severity: int, numbers: Sequence[int], fate: Fate, reason: str, sinks: Sequence[str]) -> None:
        """Ends deliveries by policy, at several sinks."""
        for sink in sinks:
            removed = [number for number in numbers if self._undeliver(sink, severity, number)]
            if removed:
                self._ledger.count(sink, fate, severity, len(removed), reason)
                self._ledger.excuse(sink, fate, removed)
        self.leave(numbers)

    def _undeliver(self, sink: str, severity: int, number: int) -> int:
        return self._connection.execute(
            "DELETE FROM delivery WHERE sink = ? AND severity = ? AND alert_id = ?", (sink, severity, number)
        ).rowcount

    def limit_dead(self, limit: int) -> None:
        """Keeps dead letters within `limit` bytes of body: the oldest go out as `dropped{dead_full}`."""
        rows = self._connection.execute(
            "SELECT sink, alert_id, severity, length(body) FROM dead JOIN alert ON alert.id = alert_id "
            "ORDER BY died_at DESC, alert_id DESC"
        ).fetchall()
        size = 0
        for sink, number, severity, length in rows:
            size += length
            if size > limit:
                self._connection.execute("DELETE FROM dead WHERE sink = ? AND alert_id = ?", (sink, number))
                self._ledger.count(sink, Fate.DEAD_LETTERED, severity, -1)
                self._ledger.count(sink, Fate.DROPPED, severity, 1, "dead_full")
                self._ledger.excuse(sink, Fate.DROPPED, [number])
                self.leave([number])

    def redrive(self, sink: str | None) -> int:
        """Moves dead letters back; the number moved."""
        rows = self._connection.execute(
            "SELECT sink, alert_id, severity FROM dead JOIN alert ON alert.id = alert_id WHERE ?1 IS NULL OR sink = ?1",
            (sink,),
        ).fetchall()
        for at, number, severity in rows:
            self._connection.execute("DELETE FROM dead WHERE sink = ? AND alert_id = ?", (at, number))
            self._connection.execute("INSERT INTO delivery VALUES (?, ?, ?, NULL)", (at, severity, number))
            self._ledger.count(at, Fate.DEAD_LETTERED, severity, -1)
        return len(rows)

    def leave(self, numbers: Sequence[int]) -> None:
        """Removes alerts that no delivery and no dead letter names; their ids are remembered."""
        if not numbers:
            return
        unnamed = (
            "id IN (SELECT value FROM json_each(?1)) AND NOT EXISTS (SELECT 1 FROM dead WHERE alert_id = alert.id "
            "AND sink IN (SELECT value FROM json_each(?2))) AND NOT EXISTS (SELECT 1 FROM delivery WHERE "
            "alert_id = alert.id AND delivery.severity = alert.severity AND sink IN (SELECT value FROM json_each(?2)))"
        )
        named = (json.dumps(numbers), json.dumps(self.sinks))
        self._connection.execute(
            f"INSERT OR IGNORE INTO settled SELECT event_id, id, ?3 FROM alert WHERE {unnamed}",  # noqa: S608
            (*named, self.stamp()),
        )
        self._connection.execute(f"DELETE FROM alert WHERE {unnamed}", named)  # noqa: S608

    def forget(self, before: int) -> None:
        """Forgets ids settled before a Unix time in milliseconds."""
        self._connection.execute("DELETE FROM settled WHERE settled_at < ?", (before,))

    def forget_oldest(self) -> int:
        """Forgets some of the oldest remembered ids: it only risks a second number for a line that is read again."""
        return self._connection.execute(
            "DELETE FROM settled WHERE event_id IN (SELECT event_id FROM settled ORDER BY settled_at LIMIT 1000)"
        ).rowcount

    def mark(self, sink: str, index_name: str, reason: str | None) -> None:
        """Parks the rows of an index, or lets them flow (None)."""
        self._connection.execute(
            "UPDATE delivery SET parked = ? WHERE sink = ? AND alert_id IN (SELECT id FROM alert WHERE index_name = ?)",
            (reason, sink, index_name),
        )

    def stamp(self) -> int:
        """Unix milliseconds of now."""
        return int(self._clock.now().timestamp() * 1000)
