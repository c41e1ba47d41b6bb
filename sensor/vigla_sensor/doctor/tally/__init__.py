"""Counts the core's events into an `Observation`. Every table is bounded; what does not fit is counted, not kept."""

from vigla_sensor.doctor.tally.tally import Tally

__all__ = ["Tally"]
