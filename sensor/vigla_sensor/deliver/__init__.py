"""Ships spooled alerts: one courier per sink owns retries and waiting; sinks send once and tell what they were told."""

from vigla_sensor.deliver.courier import Courier, CourierState
from vigla_sensor.deliver.sink import Sink

__all__ = ["Courier", "CourierState", "Sink"]
