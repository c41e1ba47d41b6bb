"""The spool: one writing connection, owned by one thread. Every public method is at most a few transactions."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence

from vigla_sensor.alert.alert import Alert, with_sequence
from vigla_sensor.clock import Clock
from vigla_sensor.spool.eviction import Eviction
from vigla_sensor.spool.ledger import Ledger
from vigla_sensor.spool.model import Accepted, Fate, Lane, Settlement, SpooledAlert
from vigla_sensor.spool.room import DiskFull, Room
from vigla_sensor.spool.rows import Rows
from vigla_sensor.spool.space import Space

_log = logging.getLogger(__name__)

SEQUENCE_BITS = 20
"""`event.sequence` = epoch x 2^20 + number: a new spool, made a second later, starts above all that an old one gave."""

_SWEEP_SECONDS = 3600.0


class Spool:
    """See the package. Opened by `open_spool`; leases are memory: after a crash what was not settled goes out again."""

    def __init__(self, connection: sqlite3.Connection, space: Space, sinks: Sequence[str], clock: Clock) -> None:
        self._connection, self._space, self._clock = connection, space, clock
        self._sinks = tuple(sinks)
        self._ledger = Ledger(connection)
        self._rows = Rows(connection, self._ledger, sinks, clock)
        self._room = Room(connection, space, self._rows, Eviction(connection, self._rows, self._all_leased, clock.now))
        self._leased: dict[str, set[int]] = {}
        self._unwritten: Counter[int] = Counter()
        self._swept = clock.monotonic()
        self.epoch = int(self._ledger.value("epoch"))
        space.lay_ballast()

    # Accepting

    def accept(self, alerts: Sequence[Alert], checkpoint: bytes | None = None) -> Accepted:
        """Makes alerts and the core's checkpoint durable in one transaction, then keeps the spool within its limits.

        A known id takes no second number (`repeated`). What the disk refuses even after tidying up is `lost`: it is
        counted, and the checkpoint stays where it was.
        """
        try:
            done = self._room.write(lambda: self._accept(alerts, checkpoint))
        except DiskFull:
            self._unwritten.update(int(alert.severity) for alert in alerts)
            if alerts:
                _log.error("disk full: %d alerts could not be spooled and are lost; free some space", len(alerts))
            return Accepted(0, 0, len(alerts))
        self._unwritten.clear()
        self._room.trim()
        return done

    def _accept(self, alerts: Sequence[Alert], checkpoint: bytes | None) -> Accepted:
        new = self._rows.insert(alerts, self._sinks)
        self._ledger.count("", Fate.REPEATED, 0, len(alerts) - new)
        for severity, n in self._unwritten.items():
            self._ledger.count("", Fate.LOST, severity, n, "disk_full")
        if checkpoint is not None:
            self._ledger.put("checkpoint", checkpoint)
        return Accepted(new, len(alerts) - new)

    @property
    def checkpoint(self) -> bytes | None:
        """The last checkpoint, committed with the alerts before it."""
        found = self._ledger.value("checkpoint")
        return None if found is None else bytes(found)

    # Sending

    def lease(self, sink: str, lane: Lane, limit: int, max_bytes: int) -> list[SpooledAlert]:
        """The next alerts of a lane, oldest first (critical before high): at least one, else `limit` and `max_bytes`.

        Leased rows are neither folded nor dropped until they are settled or released.
        """
        query = (
            "SELECT alert_id FROM delivery WHERE sink = ? AND severity = ? AND parked IS NULL ORDER BY alert_id LIMIT ?"
        )
        numbers = [
            row[0] for severity in lane.value for row in self._connection.execute(query, (sink, severity, limit))
        ]
        ordered = numbers if lane is Lane.PRIORITY else sorted(numbers)
        return self._take(sink, ordered[:limit], max_bytes)

    def probe(self, sink: str, index_name: str, after: int) -> SpooledAlert | None:
        """The parked alert of an index that follows number `after`, round and round: one bad row must not hold all."""
        for start in (after, 0):
            row = self._connection.execute(
                "SELECT alert_id FROM delivery JOIN alert ON alert.id = alert_id WHERE sink = ? AND parked IS NOT NULL "
                "AND index_name = ? AND alert_id > ? ORDER BY alert_id LIMIT 1",
                (sink, index_name, start),
            ).fetchone()
            if row:
                return self._take(sink, [row[0]], 0)[0]
        return None

    def _take(self, sink: str, numbers: Sequence[int], max_bytes: int) -> list[SpooledAlert]:
        taken: list[SpooledAlert] = []
        size = 0
        for number in numbers:
            event_id, index_name, severity, body = self._connection.execute(
                "SELECT event_id, index_name, severity, body FROM alert WHERE id = ?", (number,)
            ).fetchone()
            size += len(body)
            if taken and size > max_bytes:
                break
            numbered = with_sequence(body, self.sequence(number))
            taken.append(SpooledAlert(number, event_id.hex(), index_name, severity, numbered))
        self._leased.setdefault(sink, set()).update(alert.number for alert in taken)
        return taken

    def waits(self, sink: str, lane: Lane) -> bool:
        """Whether a lane has something to send that is not parked."""
        query = "SELECT 1 FROM delivery WHERE sink = ? AND severity = ? AND parked IS NULL LIMIT 1"
        return any(self._connection.execute(query, (sink, severity)).fetchone() for severity in lane.value)

    def release(self, sink: str) -> None:
        """Ends the leases of a sink: what is not settled may be sent, folded or dropped again."""
        self._leased.pop(sink, None)

    def settle(self, sink: str, settlements: Sequence[Settlement]) -> bool:
        """Books how a sink settled alerts, in one transaction. False if the disk is full: they will go out again."""

        def book() -> None:
            self._rows.settle(sink, settlements)
            if any(settlement.fate is Fate.DEAD_LETTERED for settlement in settlements):
                self._rows.limit_dead(min(self._space.limits.dead_bytes, self._space.limits.max_bytes // 4))

        return self._quietly(book)

    # Parking and redriving

    def park(self, sink: str, index_name: str, reason: str) -> None:
        """Sets the rows of one index aside for a sink; later ones join them. Others flow."""
        self._rows.parked[sink, index_name] = reason[:1024]
        self._quietly(lambda: self._rows.mark(sink, index_name, reason[:1024]))

    def unpark(self, sink: str, index_name: str) -> None:
        """Lets the rows of an index flow again."""
        if self._rows.parked.pop((sink, index_name), None) is not None:
            self._quietly(lambda: self._rows.mark(sink, index_name, None))

    def parked(self, sink: str) -> dict[str, str]:
        """Index to reason."""
        return {index: reason for (at, index), reason in self._rows.parked.items() if at == sink}

    def redrive(self, sink: str | None = None) -> int:
        """Moves dead letters back to be sent, of one sink or all; the number moved. Raises `DiskFull`."""
        return self._room.write(lambda: self._rows.redrive(sink))

    def forgive(self, sink: str, told: dict[str, list[list[int]]]) -> None:
        """Forgets the ranges (of `event.sequence`) that a heartbeat delivered."""
        base = self.sequence(0)

        def forget() -> None:
            for fate, ranges in told.items():
                self._ledger.forgive(sink, Fate(fate), [[first - base, last - base] for first, last in ranges])

        self._quietly(forget)

    # Housekeeping

    def sequence(self, number: int) -> int:
        """The `event.sequence` of a number."""
        return (self.epoch << SEQUENCE_BITS) + number

    def note_lost(self, reason: str, n: int) -> None:
        """Counts alerts that were in a file which can no longer be read."""
        self._quietly(lambda: self._ledger.count("", Fate.LOST, 0, n, reason))

    def remember(self, key: str, value: str) -> None:
        """Keeps a small value, such as the last server `Date`."""
        self._quietly(lambda: self._ledger.put(f"note:{key}", value))

    def recall(self, key: str) -> str | None:
        """A value kept by `remember`."""
        found = self._ledger.value(f"note:{key}")
        return None if found is None else str(found)

    def pending(self) -> int:
        """Deliveries of configured sinks that wait, parked or not."""
        query = "SELECT count(*) FROM delivery WHERE sink = ?"
        return sum(int(self._connection.execute(query, (sink,)).fetchone()[0]) for sink in self._sinks)

    def maintain(self) -> None:
        """When idle: gives log and free pages to the disk, lays the ballast again, forgets ids older than a week."""
        self._room.give_back()
        self._space.lay_ballast()
        if self._clock.monotonic() - self._swept >= _SWEEP_SECONDS:
            self._swept = self._clock.monotonic()
            before = self._rows.stamp() - self._space.limits.remember_seconds * 1000
            self._quietly(lambda: self._rows.forget(before))

    def close(self) -> None:
        """Ends the connection; SQLite folds the log back."""
        self._connection.close()

    def _quietly(self, work: Callable[[], None]) -> bool:
        """A write whose loss in a full disk loses no alert."""
        try:
            self._room.write(work)
        except DiskFull as error:
            _log.warning("disk full, nothing lost: %s", error)
            return False
        return True

    def _all_leased(self) -> set[int]:
        return set().union(*self._leased.values())
