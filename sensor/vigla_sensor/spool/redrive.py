"""Redrives dead letters in a spool file that a running sensor may be writing too."""

from contextlib import closing
from pathlib import Path

from vigla_sensor.clock import SystemClock
from vigla_sensor.spool.ledger import Ledger
from vigla_sensor.spool.rows import Rows
from vigla_sensor.spool.schema import connect
from vigla_sensor.spool.transaction import transaction


def redrive_file(path: Path, sink: str | None) -> int:
    """Moves dead letters back, of one sink or all; the number moved. Raises `FileNotFoundError`."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no spool here; has the sensor run with this configuration?")
    with closing(connect(path)) as connection, transaction(connection):
        return Rows(connection, Ledger(connection), (), SystemClock()).redrive(sink)
