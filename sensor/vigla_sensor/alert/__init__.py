"""From a hit of the native core to the alert document (DESIGN 5.3). Pure: no files, no clock of its own."""

from vigla_sensor.alert.alert import Alert, Severity
from vigla_sensor.alert.bucket import bucket, index_name
from vigla_sensor.alert.compose import Composer
from vigla_sensor.alert.identity import ClockState, Identity
from vigla_sensor.alert.pack import Pack, PackFault

__all__ = ["Alert", "ClockState", "Composer", "Identity", "Pack", "PackFault", "Severity", "bucket", "index_name"]
