"""Where alerts wait until every sink has settled them (DESIGN 5.4, delivery.md 4).

The promise: `accept` returns after the alerts are durable; in every committed state, per sink and severity,
`accepted = delivered + already_there + dead_lettered + folded + dropped + pending`.
"""

from vigla_sensor.spool.model import Accepted, Fate, Lane, Limits, Settlement, SinkStatus, SpooledAlert, Status
from vigla_sensor.spool.recovery import open_spool
from vigla_sensor.spool.spool import Spool
from vigla_sensor.spool.status import read_status

__all__ = [
    "Accepted",
    "Fate",
    "Lane",
    "Limits",
    "Settlement",
    "SinkStatus",
    "Spool",
    "SpooledAlert",
    "Status",
    "open_spool",
    "read_status",
]
