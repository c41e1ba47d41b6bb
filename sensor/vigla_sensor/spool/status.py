"""Reads a spool's books: what stands where, and whether the invariant holds. Works beside a running sensor."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from vigla_sensor.spool.model import ENDS, Fate, SinkStatus, Status
from vigla_sensor.spool.schema import connect_read_only
from vigla_sensor.spool.spool import SEQUENCE_BITS


def read_status(path: Path) -> Status:
    """The status of a spool file, from one committed state. Raises `FileNotFoundError` where there is none."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no spool here; has the sensor run with this configuration?")
    with closing(connect_read_only(path)) as connection:
        log = path.with_name(path.name + "-wal")
        return status_of(connection, path.stat().st_size + (log.stat().st_size if log.exists() else 0))


def status_of(connection: sqlite3.Connection, size: int = 0) -> Status:
    """The status as one read transaction sees it."""
    own = not connection.in_transaction
    if own:
        connection.execute("BEGIN")
    try:
        return _status(connection, size)
    finally:
        if own:
            connection.execute("COMMIT")


def _status(connection: sqlite3.Connection, size: int) -> Status:
    meta = dict(connection.execute("SELECT key, value FROM meta WHERE key != 'checkpoint'").fetchall())
    epoch, number = int(meta["epoch"]), int(meta["number"])
    sinks: dict[str, SinkStatus] = {}
    repeated = 0
    lost: dict[str, int] = {}
    for sink, fate, reason, severity, n in connection.execute("SELECT sink, fate, reason, severity, n FROM counter"):
        if fate == Fate.REPEATED:
            repeated += n
        elif fate == Fate.LOST:
            lost[reason] = lost.get(reason, 0) + n
        else:
            found = sinks.setdefault(sink, SinkStatus())
            counted = found.counters.setdefault(severity, {})
            counted[fate] = counted.get(fate, 0) + n
            if reason:
                found.reasons[f"{fate}:{reason}"] = found.reasons.get(f"{fate}:{reason}", 0) + n
    waiting = connection.execute(
        "SELECT sink, delivery.severity, count(*), min(alert_id), min(accepted_at) FROM delivery "
        "JOIN alert ON alert.id = alert_id GROUP BY sink, delivery.severity"
    ).fetchall()
    for sink, severity, n, _, _ in waiting:
        sinks.setdefault(sink, SinkStatus()).pending[severity] = n
    return Status(
        epoch=epoch,
        last_number=number,
        bytes=size,
        sinks={name: _complete(connection, name, found, meta, waiting) for name, found in sorted(sinks.items())},
        repeated=repeated,
        lost=lost,
        violations=tuple(_violations(connection, sinks)),
    )


def _complete(
    connection: sqlite3.Connection,
    name: str,
    found: SinkStatus,
    meta: dict[str, int | str],
    waiting: list[tuple[str, int, int, int, int]],
) -> SinkStatus:
    base = int(meta["epoch"]) << SEQUENCE_BITS
    mine = [row for row in waiting if row[0] == name]
    first = min((row[3] for row in mine), default=int(meta["number"]) + 1)
    parked = connection.execute(
        "SELECT index_name, max(parked) FROM delivery JOIN alert ON alert.id = alert_id "
        "WHERE sink = ? AND parked IS NOT NULL GROUP BY index_name",
        (name,),
    ).fetchall()
    ranges = {
        key.rpartition(":")[2]: [[base + first, base + last] for first, last in json.loads(str(value))]
        for key, value in meta.items()
        if key.startswith(f"ranges:{name}:")
    }
    return SinkStatus(
        found.pending,
        found.counters,
        found.reasons,
        dict(parked),
        min((row[4] for row in mine), default=0),
        base + first - 1,
        {fate: found for fate, found in ranges.items() if found},
    )


def _violations(connection: sqlite3.Connection, sinks: dict[str, SinkStatus]) -> list[str]:
    """Where the books do not balance, or a row names an alert that is not there."""
    found = []
    for name, sink in sinks.items():
        for severity in sorted({*sink.counters, *sink.pending}):
            counted = sink.counters.get(severity, {})
            ends = sum(counted.get(fate, 0) for fate in ENDS)
            pending, accepted = sink.pending.get(severity, 0), counted.get(Fate.ACCEPTED, 0)
            if accepted != ends + pending:
                found.append(
                    f"{name}, severity {severity}: accepted {accepted} is not {ends} settled + {pending} pending"
                )
        buried = connection.execute("SELECT count(*) FROM dead WHERE sink = ?", (name,)).fetchone()[0]
        counted_dead = sum(counted.get(Fate.DEAD_LETTERED, 0) for counted in sink.counters.values())
        if buried != counted_dead:
            found.append(f"{name}: {buried} dead letters, {counted_dead} counted")
    for table in ("delivery", "dead"):
        query = f"SELECT count(*) FROM {table} WHERE alert_id NOT IN (SELECT id FROM alert)"  # noqa: S608
        orphans = connection.execute(query).fetchone()[0]
        if orphans:
            found.append(f"{table}: {orphans} rows name an alert that is not there")
    return found
