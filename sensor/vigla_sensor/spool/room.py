"""Writes within the limits: tidies up when the spool is over them, and once more when the disk itself is full."""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from vigla_sensor.spool.eviction import Eviction
from vigla_sensor.spool.rows import Rows
from vigla_sensor.spool.schema import BUSY_MS
from vigla_sensor.spool.space import Space, is_full
from vigla_sensor.spool.transaction import transaction

_T = TypeVar("_T")

_SHRINK = 20
"""Once over the limit, this part of it is freed, so that not every accept has to tidy up."""

_LOG = 1024 * 1024
"""Bytes of log after which it is folded back."""


class DiskFull(OSError):
    """The disk refused a write even after tidying up; nothing of it was written."""


class Room:
    """Runs the spool's transactions."""

    def __init__(self, connection: sqlite3.Connection, space: Space, rows: Rows, eviction: Eviction) -> None:
        self._connection, self._space, self._rows, self._eviction = connection, space, rows, eviction

    def write(self, work: Callable[[], _T]) -> _T:
        """One transaction, durable on return. A full disk is tidied up and the work done once more; then `DiskFull`."""
        try:
            return self._commit(work)
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise
        self._tidy()
        try:
            return self._commit(work)
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise
            raise DiskFull(f"{self._space.path}: {error}") from error

    def _commit(self, work: Callable[[], _T]) -> _T:
        with transaction(self._connection):
            result = work()
        if self._space.log_bytes() > self._log_limit and not self._fold_log_back("PASSIVE"):
            self._tidy()  # committed, but the file cannot grow: what is in the log must shrink before the log is full
        return result

    def trim(self) -> None:
        """Brings the files back within their limits."""
        if self._space.used(self._connection) <= self._space.allowed():
            return
        self._fold_log_back("TRUNCATE")
        allowed = self._space.allowed()
        if self._space.used(self._connection) <= allowed:
            return
        self._evict(allowed - allowed // _SHRINK, "full")
        if allowed < self._space.limits.max_bytes:
            self._space.drop_ballast()
            self.give_back()

    def give_back(self) -> None:
        """Gives free pages and the log's blocks to the disk."""
        self._vacuum()
        self._fold_log_back("TRUNCATE")

    def _tidy(self) -> None:
        """On a full disk: ballast away, a tenth (or what finds no place) evicted, the file cut, the log folded back."""
        self._space.drop_ballast()
        if not self._fold_log_back("TRUNCATE"):
            self._vacuum()
            self._fold_log_back("TRUNCATE")
        pages = self._pages()
        overhang = pages - self._space.path.stat().st_size  # stands in the log and finds no place in the file
        self._evict(pages - max(pages // 10, overhang + pages // 20), "disk_full")
        self.give_back()

    def _evict(self, target: int, reason: str) -> None:
        def excess() -> int:
            return self._pages() - target

        try:
            with transaction(self._connection):
                self._rows.forget(self._rows.stamp() - self._space.limits.remember_seconds * 1000)
            self._eviction.evict(excess, reason)
            while excess() > 0 and self._forget_oldest():
                pass
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise
        self._fold_log_back("TRUNCATE")

    def _pages(self) -> int:
        return self._space.used(self._connection) - self._space.log_bytes()

    def _forget_oldest(self) -> int:
        with transaction(self._connection):
            return self._rows.forget_oldest()

    def _vacuum(self) -> bool:
        return self._try("PRAGMA incremental_vacuum")

    def _fold_log_back(self, mode: str) -> bool:
        """Writes the log into the file; False if that cannot grow. A reader may hold the end of it back: no matter."""
        return self._try(f"PRAGMA wal_checkpoint({mode})")

    def _try(self, pragma: str) -> bool:
        self._connection.execute("PRAGMA busy_timeout=0")  # a reader that holds on must not hold up the sensor
        try:
            # `execute` would step once: `incremental_vacuum` gives back one page a step, in rows without columns.
            self._connection.executescript(pragma)
        except sqlite3.OperationalError as error:
            if not is_full(error) and error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return not is_full(error)
        finally:
            self._connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        return True

    @property
    def _log_limit(self) -> int:
        return min(_LOG, self._space.limits.max_bytes // 8)
