"""Which index an alert lies in (DESIGN 5.3): tenant and year of its own time, so that a retry lands where the first
try did. Pure.
"""

import re
from datetime import UTC, datetime, timedelta

from vigla_console.tenants.models import TenantId

PREFIX = "vigla-alerts-"
OLDEST = timedelta(days=400)
NEWEST = timedelta(days=1)
_NAME = re.compile(r"vigla-alerts-([a-z][a-z0-9_]{1,39})-(\d{4}|odd)", re.ASCII)


def index_name(tenant: TenantId, timestamp: datetime, accepted: datetime) -> str:
    """`-odd` outside 400 days back to one day ahead of acceptance, both ends included."""
    usual = accepted - OLDEST <= timestamp <= accepted + NEWEST
    return f"{PREFIX}{tenant}-{timestamp.astimezone(UTC).year:04d}" if usual else f"{PREFIX}{tenant}-odd"


def tenant_of(index: str) -> TenantId | None:
    """The tenant an index belongs to; None for an index that is none of ours."""
    match = _NAME.fullmatch(index)
    return TenantId(match[1]) if match else None


def year_of(index: str) -> int | None:
    """The year whose alerts an index holds; None for `-odd`."""
    match = _NAME.fullmatch(index)
    return int(match[2]) if match and match[2] != "odd" else None
