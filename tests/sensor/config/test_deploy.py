"""The files an operator starts from: the example configuration reads, names every key, and the unit is hardened."""

import configparser
import dataclasses
import typing
from pathlib import Path

from vigla_sensor.config import Interface, Settings, load

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "systemd"


def test_the_example_configuration_reads() -> None:
    settings = load(DEPLOY / "sensor.toml")
    assert settings.sinks.hub is not None
    assert str(settings.sinks.hub.credential) == "systemd:hub"
    assert settings.interfaces == (Interface("eth1"),)
    assert settings.spool.max_bytes == Settings(settings.sensor).spool.max_bytes


def _keys(kind: type) -> set[str]:
    """Names of all keys below a settings class."""
    found: set[str] = set()
    for field in dataclasses.fields(kind):
        found.add(field.name)
        hint = typing.get_type_hints(kind)[field.name]
        for inner in (hint, *typing.get_args(hint)):
            if dataclasses.is_dataclass(inner) and isinstance(inner, type) and inner.__name__ != "SecretRef":
                found |= _keys(inner)
    return found


def test_the_example_names_the_keys_an_operator_meets() -> None:
    text = (DEPLOY / "sensor.toml").read_text(encoding="utf-8")
    rare = {"limits", "flows", "correlation_bytes", "overlay", "device", "year", "charset", "timeout_seconds"}
    missing = {key for key in _keys(Settings) - rare if key not in text}
    assert missing == set()


def test_the_unit_runs_without_privileges() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "vigla-sensor.service", encoding="utf-8")
    service = unit["Service"]
    assert service["User"] not in ("", "root")
    assert service["CapabilityBoundingSet"] == "CAP_NET_RAW"
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    assert service["RestartPreventExitStatus"] == "2"
