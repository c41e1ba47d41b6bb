"""Opens a spool and never refuses to sense: a damaged file is moved aside, and what can be read of it is salvaged."""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from vigla_sensor.alert.alert import Alert, Severity
from vigla_sensor.clock import Clock
from vigla_sensor.spool.ledger import Ledger
from vigla_sensor.spool.model import Limits
from vigla_sensor.spool.schema import connect, prepare
from vigla_sensor.spool.space import Space, is_corrupt
from vigla_sensor.spool.spool import Spool

_log = logging.getLogger(__name__)
_SALVAGE_BATCH = 500


def open_spool(
    path: Path, sinks: Sequence[str], clock: Clock, limits: Limits | None = None, check: bool = True
) -> Spool:
    """Opens or creates a spool. `check`: `quick_check` first.

    A corrupt file, with its log, goes to `<name>.corrupt-<epoch>`; a new one of a later epoch takes its place; readable
    rows that were still to be sent are accepted again (same ids: harmless), the rest is counted `lost{corrupt}`.
    Raises `UnknownSchema` for a file of another version and `OSError` where the folder cannot be written.
    """
    limits = limits or Limits()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _open(path, sinks, clock, limits, check, 0)
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):
            if isinstance(error, sqlite3.OperationalError):
                raise OSError(f"{path}: the spool cannot be opened: {error}") from error
            raise
    aside = _move_aside(path, int(clock.now().timestamp()))
    old_epoch, expected = _books(aside)
    spool = _open(path, sinks, clock, limits, False, old_epoch + 1)
    salvaged = sum(spool.accept(batch).new for batch in _batches(aside))
    lost = max(0, expected - salvaged)
    if lost:
        spool.note_lost("corrupt", lost)
    _log.error("the spool was damaged: %d alerts salvaged, %d lost; the old file is %s", salvaged, lost, aside)
    return spool


def _open(path: Path, sinks: Sequence[str], clock: Clock, limits: Limits, check: bool, epoch: int) -> Spool:
    connection = connect(path)
    try:
        if check and (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise _corrupt(str(found))
        prepare(connection, max(epoch, int(clock.now().timestamp())))
        return Spool(connection, Space(path, limits), sinks, clock)
    except BaseException:
        connection.close()
        raise


def _corrupt(message: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(message)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _move_aside(path: Path, stamp: int) -> Path:
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        found = path.with_name(path.name + suffix)
        if found.exists():
            found.rename(aside.with_name(aside.name + suffix))
    return aside


def _books(path: Path) -> tuple[int, int]:
    """Epoch and pending alerts as far as the damaged file tells; zeros where it does not."""
    epoch = pending = 0
    with _reading(path) as connection:
        if connection is not None:
            with contextlib.suppress(sqlite3.DatabaseError, TypeError):
                epoch = int(Ledger(connection).value("epoch"))
            with contextlib.suppress(sqlite3.DatabaseError):
                pending = connection.execute("SELECT count(DISTINCT alert_id) FROM delivery").fetchone()[0]
    return epoch, pending


def _batches(path: Path) -> Iterator[list[Alert]]:
    batch: list[Alert] = []
    for alert in _readable(path):
        batch.append(alert)
        if len(batch) == _SALVAGE_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _readable(path: Path) -> Iterator[Alert]:
    """Rows from the front until the first damage, then from the back until it."""
    seen: set[bytes] = set()
    for order in ("ASC", "DESC"):
        with _reading(path) as connection, contextlib.suppress(sqlite3.DatabaseError):
            if connection is None:
                return
            query = f"SELECT event_id, index_name, severity, fold_key, body FROM alert ORDER BY id {order}"  # noqa: S608
            for event_id, index_name, severity, fold_key, body in connection.execute(query):
                if event_id in seen:
                    continue
                seen.add(event_id)
                with contextlib.suppress(ValueError, TypeError, AttributeError):
                    yield Alert(event_id.hex(), index_name, Severity(severity), fold_key, body)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    try:
        connection = sqlite3.connect(path, isolation_level=None)
    except sqlite3.DatabaseError:
        yield None
        return
    try:
        yield connection
    finally:
        connection.close()
