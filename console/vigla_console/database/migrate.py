"""Brings a case database to the newest shape, or says which step is missing."""

from pathlib import Path

from alembic.command import upgrade
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from vigla_console.database.engine import CaseDatabase

MIGRATIONS = Path(__file__).parent / "migrations"


class NotMigrated(RuntimeError):
    """The database is older (or newer) than this program."""


def migrate(database: CaseDatabase) -> str:
    """Applies what is missing, in one transaction; returns the revision reached."""
    with database.write() as connection:
        config = _config()
        config.attributes["connection"] = connection
        upgrade(config, "head")
        return _head()


def require_migrated(database: CaseDatabase) -> None:
    """Raises ``NotMigrated`` unless the database has exactly the shape of this program."""
    with database.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != _head():
        raise NotMigrated(f"the case database is at {found or 'nothing'}, this program needs {_head()}: run `migrate`")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def _head() -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise NotMigrated("this installation has no migrations: reinstall vigla-console")
    return head
