"""The composition root: makes the parts from the configuration and runs the one loop that owns time."""

from vigla_sensor.run.live import run_live
from vigla_sensor.run.replay import ReplayReport, replay_to_sinks, replay_to_stream
from vigla_sensor.run.wiring import StartFault

__all__ = ["ReplayReport", "StartFault", "replay_to_sinks", "replay_to_stream", "run_live"]
