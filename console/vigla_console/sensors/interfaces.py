"""Seams of the fleet."""

from collections.abc import Sequence
from typing import Protocol

from vigla_console.sensors.models import Sensor


class SensorReader(Protocol):
    """Built with a Scope."""

    def sensors(self) -> Sequence[Sensor]: ...
    def sensor(self, sensor_id: str) -> Sensor:
        """Raises ``NotFound``."""
        ...
