"""What the sensor says about itself: the clock's state, counters, the heartbeat's content. Sends nothing."""

from vigla_sensor.telemetry.clock_state import kernel_clock
from vigla_sensor.telemetry.progress import Progress

__all__ = ["Progress", "kernel_clock"]
