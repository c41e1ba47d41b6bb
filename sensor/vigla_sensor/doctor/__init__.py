"""`vigla-sensor doctor`: what a mirror port shows and hides. Watches for some minutes, then judges; it changes nothing.

`looking` watches and `tally` counts, `observation` is what was seen, `checks` judge it, `texts` and `report` say it.
"""

from vigla_sensor.doctor.checks import diagnose
from vigla_sensor.doctor.finding import Finding, Severity
from vigla_sensor.doctor.looking import look_at_files, look_at_interfaces
from vigla_sensor.doctor.observation import Box, Expected, Observation
from vigla_sensor.doctor.probe import probe_pack
from vigla_sensor.doctor.report import document, lines
from vigla_sensor.doctor.texts import LANGUAGES, Texts, read_texts

__all__ = [
    "LANGUAGES",
    "Box",
    "Expected",
    "Finding",
    "Observation",
    "Severity",
    "Texts",
    "diagnose",
    "document",
    "lines",
    "look_at_files",
    "look_at_interfaces",
    "probe_pack",
    "read_texts",
]
