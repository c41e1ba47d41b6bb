"""The sensor's configuration: one TOML file, typed and frozen. Reads files named in it, opens nothing else."""

from vigla_sensor.config.errors import ConfigError, Place
from vigla_sensor.config.reader import load, parse
from vigla_sensor.config.secrets import SecretRef
from vigla_sensor.config.settings import (
    ElasticsearchSettings,
    HubSettings,
    Interface,
    LimitSettings,
    LogFile,
    Organization,
    PackSettings,
    SensorIdentity,
    Settings,
    Sinks,
    SpoolSettings,
)

__all__ = [
    "ConfigError",
    "ElasticsearchSettings",
    "HubSettings",
    "Interface",
    "LimitSettings",
    "LogFile",
    "Organization",
    "PackSettings",
    "Place",
    "SecretRef",
    "SensorIdentity",
    "Settings",
    "Sinks",
    "SpoolSettings",
    "load",
    "parse",
]
