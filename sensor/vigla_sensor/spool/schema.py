"""The spool's tables (delivery.md 4) and how its file is opened."""

import sqlite3
from pathlib import Path

VERSION = 1
BUSY_MS = 5000
"""How long a write waits for another process: `spool redrive` beside a running sensor."""

_PRAGMAS = (
    "PRAGMA auto_vacuum=INCREMENTAL",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA journal_size_limit=16777216",
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA cache_size=-8192",
    "PRAGMA temp_store=MEMORY",
    # `Room` folds the log back itself: SQLite's own checkpoint keeps silent when the file cannot grow.
    "PRAGMA wal_autocheckpoint=0",
)

_TABLES = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY NOT NULL,
    value ANY NOT NULL
) STRICT;
CREATE TABLE alert (
    id INTEGER PRIMARY KEY,
    event_id BLOB NOT NULL UNIQUE,
    index_name TEXT NOT NULL,
    severity INTEGER NOT NULL,
    fold_key TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE delivery (
    sink TEXT NOT NULL,
    severity INTEGER NOT NULL,
    alert_id INTEGER NOT NULL,
    parked TEXT,
    PRIMARY KEY (sink, severity, alert_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE dead (
    sink TEXT NOT NULL,
    alert_id INTEGER NOT NULL,
    died_at INTEGER NOT NULL,
    status INTEGER NOT NULL,
    type TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (sink, alert_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE settled (
    event_id BLOB PRIMARY KEY NOT NULL,
    alert_id INTEGER NOT NULL,
    settled_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE counter (
    sink TEXT NOT NULL,
    fate TEXT NOT NULL,
    reason TEXT NOT NULL,
    severity INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (sink, fate, reason, severity)
) STRICT, WITHOUT ROWID;
"""


class UnknownSchema(RuntimeError):
    """The file was written by another version: neither read nor replaced."""


def connect(path: Path) -> sqlite3.Connection:
    """Opens the file for writing; transactions are begun by hand."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Opens the file for reading, beside a running sensor."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    return connection


def prepare(connection: sqlite3.Connection, epoch: int) -> None:
    """Creates the tables in an empty file; raises `UnknownSchema` for a file of another version."""
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
        connection.executescript(
            f"BEGIN IMMEDIATE; {_TABLES}"  # noqa: S608
            f"INSERT INTO meta VALUES ('schema', {VERSION}), ('epoch', {epoch}), ('number', 0); COMMIT;"
        )
    found = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    if found is None or found[0] != VERSION:
        raise UnknownSchema(
            f"the spool has schema {found[0] if found else 'none'}, this sensor reads {VERSION}: "
            "drain it with the version that wrote it, or move it aside"
        )
