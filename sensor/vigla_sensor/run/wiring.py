"""Makes parts from settings. What is wrong with the configuration shows here, before anything starts."""

import fcntl
import json
import os
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import vigla_sensor
from vigla_sensor.alert import ClockState, Composer, Identity, Pack, PackFault
from vigla_sensor.clock import Clock
from vigla_sensor.config import Interface, LogFile, Organization, SecretRef, SensorIdentity, Settings
from vigla_sensor.deliver.http import HttpTransport
from vigla_sensor.deliver.hub import HubSink
from vigla_sensor.deliver.sink import Sink
from vigla_sensor.run.logsource import log_source
from vigla_sensor.spool import Limits, Spool, open_spool
from vigla_sensor.spool.schema import UnknownSchema
from vigla_sensor.telemetry import kernel_clock


class StartFault(RuntimeError):
    """The configuration is well formed and cannot be used: what, where, what to do."""


def read_pack(path: Path) -> tuple[bytes, Pack]:
    """A pack's bytes and metadata. Raises `StartFault`."""
    try:
        data = path.read_bytes()
        return data, Pack.read(data)
    except OSError as error:
        raise StartFault(
            f"{path}: the pack cannot be read: {error.strerror}; make one with `vigla-rules compile`"
        ) from error
    except PackFault as error:
        raise StartFault(f"{path}: {error}") from error


def identity(settings: Settings) -> Identity:
    """Who this sensor is."""
    me = settings.sensor
    organization = (me.organization.id, me.organization.name)
    return Identity.of(me.id, me.serial_number, organization, vigla_sensor.__version__, me.local_networks)


def nobody() -> Settings:
    """Settings of a replay without a configuration."""
    return Settings(SensorIdentity("replay", Organization("replay", "Replay")))


def composer(
    settings: Settings,
    pack: Pack,
    clock: Clock,
    *,
    live: bool,
    accepted_floor: Callable[[], datetime | None] = lambda: None,
) -> Composer:
    """`live`: the box's clock is part of every alert."""
    state = (lambda: ClockState(*kernel_clock())) if live else None
    return Composer(pack, identity(settings), clock.now, state, accepted_floor)


def core_settings(settings: Settings, logsource: str | None = None) -> bytes:
    """The core's settings (`docs/native-boundary.md`). `logsource`: of JSON and event logs, see `log_source`.

    Raises `StartFault` for one that is written wrongly.
    """
    document: dict[str, Any] = {
        "sensor": settings.sensor.id,
        "local_networks": list(settings.sensor.local_networks),
        "lists": {name: list(values) for name, values in settings.lists.items()},
        "logsource": None,
        "files": [_file(entry) for entry in settings.files],
        "interfaces": [_interface(entry) for entry in settings.interfaces],
        "workers": settings.workers,
        "limits": _said({"flows": settings.limits.flows, "correlation_bytes": settings.limits.correlation_bytes}),
        "zone": settings.zone,
        "lateness_ms": settings.lateness_ms,
    }
    if logsource is not None:
        try:
            document["logsource"] = log_source(logsource)
        except ValueError as error:
            raise StartFault(f"--logsource: {error}") from error
    return json.dumps(document).encode()


def _interface(entry: Interface) -> dict[str, Any]:
    """`vlans` are what doctor expects; the core takes whatever comes."""
    return {key: value for key, value in asdict(entry).items() if key != "vlans"}


def _file(entry: LogFile) -> dict[str, Any]:
    return _said(
        {
            "path": str(entry.path),
            "source": entry.source,
            "device": entry.device,
            "zone": entry.zone,
            "year": entry.year,
            "charset": entry.charset,
        }
    )


def _said(keys: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}


def sinks(settings: Settings) -> list[Sink]:
    """The configured sinks. Raises `StartFault` where a credential or authority file cannot be used."""
    found: list[Sink] = []
    hub, elasticsearch = settings.sinks.hub, settings.sinks.elasticsearch
    if hub is not None:
        transport = hub_transport(settings)
        found.append(HubSink(transport, _secret(hub.credential, "sinks.hub.credential")))
    if elasticsearch is not None:
        # The client costs a second to import: only a sensor that ships to Elasticsearch pays for it.
        from vigla_sensor.deliver.elasticsearch import ClientBulk, ElasticsearchSink

        key = _secret(elasticsearch.api_key, "sinks.elasticsearch.api_key")
        try:
            bulk = ClientBulk(elasticsearch.url, elasticsearch.ca_file, elasticsearch.timeout_seconds)
        except (OSError, ssl.SSLError) as error:
            raise StartFault(f"sinks.elasticsearch.ca_file: {error}") from error
        found.append(ElasticsearchSink(bulk, key))
    return found


def hub_transport(settings: Settings) -> HttpTransport:
    """A connection of its own to the hub. Raises `StartFault`."""
    hub = settings.sinks.hub
    if hub is None:
        raise StartFault("sinks.hub is not configured")
    try:
        return HttpTransport(hub.url, hub.ca_file, hub.timeout_seconds)
    except (OSError, ssl.SSLError) as error:
        raise StartFault(f"sinks.hub.ca_file: {error}") from error


def _secret(reference: SecretRef, key: str) -> Callable[[], str]:
    """Tried once now: a credential that cannot be read is a fault of the configuration, later one of the weather."""
    try:
        reference.read()
    except (OSError, ValueError) as error:
        raise StartFault(f"{key}: {error}; put the credential there, readable by this user") from error
    return reference.read


def spool(settings: Settings, found: Sequence[Sink], clock: Clock) -> Spool:
    """The spool, opened for the given sinks. Raises `StartFault` where it cannot be; damage is mended, not a fault."""
    at = settings.spool
    limits = Limits(at.max_bytes, at.min_free_bytes, at.ballast_bytes, at.dead_bytes)
    try:
        return open_spool(at.path, tuple(sink.name for sink in found), clock, limits)
    except UnknownSchema as error:
        raise StartFault(f"{at.path}: {error}") from error
    except OSError as error:
        raise StartFault(f"spool.path: {error}; name a folder that this user can write") from error


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """One process at a time sends from a spool. Raises `StartFault` while another does."""
    lock = path.with_name(path.name + ".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartFault(f"spool.path: {lock.parent} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartFault(f"{path}: another vigla-sensor works on this spool; stop it or name another") from error
        yield
    finally:
        os.close(handle)
