"""The steps of the case database lead exactly to what the tables say."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select

from vigla_console.database.engine import CaseDatabase
from vigla_console.database.migrate import NotMigrated, migrate, require_migrated
from vigla_console.database.schema import META, METADATA


@pytest.fixture
def database(tmp_path: Path) -> CaseDatabase:
    return CaseDatabase.at(tmp_path / "cases.db")


def test_migrated_is_what_the_tables_say(database: CaseDatabase) -> None:
    with pytest.raises(NotMigrated, match="run `migrate`"):
        require_migrated(database)
    migrate(database)
    require_migrated(database)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    database.close()


def test_a_write_that_fails_leaves_nothing(database: CaseDatabase) -> None:
    migrate(database)

    def half() -> None:
        with database.write() as connection:
            connection.execute(insert(META).values(key="a", value="b"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    with database.read() as connection:
        assert connection.execute(select(META)).all() == []
    database.close()


def test_what_is_written_is_synced_at_each_commit(database: CaseDatabase) -> None:
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()
