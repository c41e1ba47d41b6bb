"""The index an alert belongs to (DESIGN 5.3): by its own time, so that a line read again lands where it did before."""

from datetime import UTC, datetime, timedelta

OLDEST = timedelta(days=400)
NEWEST = timedelta(days=1)


def bucket(timestamp: datetime, accepted: datetime) -> str:
    """The year (UTC) of `timestamp`, or `odd` outside 400 days back to one day ahead of `accepted` (both included)."""
    if accepted - OLDEST <= timestamp <= accepted + NEWEST:
        return f"{timestamp.astimezone(UTC).year:04d}"
    return "odd"


def index_name(tenant: str, timestamp: datetime, accepted: datetime) -> str:
    """`vigla-alerts-<tenant>-<year>` or `vigla-alerts-<tenant>-odd`."""
    return f"vigla-alerts-{tenant}-{bucket(timestamp, accepted)}"


def acceptance(now: datetime, floors: tuple[datetime, ...]) -> datetime:
    """The acceptance time: never below the pack's build or the last server's `Date`, since a box may boot in 1970."""
    return max(now, *floors) if floors else now
