"""Takes away what is out of every window, so that nothing here grows with an attacker's patience."""

from datetime import timedelta

from sqlalchemy import delete

from vigla_console.clock import Clock
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.schema import LOGIN_FAILURE, ROLLUP, SESSION, SIGHTING, SPENT_KEY
from vigla_console.database.times import to_column

SIGHTINGS = timedelta(days=30)  # clusters look 48 hours around; late backlogs of weeks still find their like
ROLLUPS = timedelta(days=400)
DAY = timedelta(days=1)


def prune(database: CaseDatabase, clock: Clock) -> int:
    """Returns how many rows went; decisions, history and audit are never among them."""
    now = clock.now()
    with database.write() as connection:
        gone = (
            delete(SIGHTING).where(SIGHTING.c.last < to_column(now - SIGHTINGS)),
            delete(ROLLUP).where(ROLLUP.c.hour < to_column(now - ROLLUPS)),
            delete(SESSION).where(SESSION.c.last_seen < to_column(now - DAY)),
            delete(LOGIN_FAILURE).where(LOGIN_FAILURE.c.last < to_column(now - DAY)),
            delete(SPENT_KEY).where(SPENT_KEY.c.at < to_column(now - DAY)),
        )
        return sum(connection.execute(one).rowcount for one in gone)
