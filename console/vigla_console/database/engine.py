"""One engine over cases.db, one writer at a time. Reads see a snapshot; writes take the lock at once, so that none
fails half way.
"""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text

BUSY_MS = 10_000


class CaseDatabase:
    """Connections to the case database. ``write`` commits when its block ends well and undoes everything otherwise."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)

    @staticmethod
    def at(path: Path) -> "CaseDatabase":
        """The SQLite file at ``path``, readable by its owner only."""
        if not path.exists():
            path.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
        return CaseDatabase(f"sqlite:///{path}")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot; nothing written here is kept."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one writer."""
        with self.engine.connect().execution_options(vigla_write=True) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url)
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's `begin` below says BEGIN itself
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("vigla_write", False)
        connection.execute(text("BEGIN IMMEDIATE" if immediate else "BEGIN"))

    return engine
