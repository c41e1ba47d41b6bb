"""Sends the heartbeat to the hub each minute, on a connection and a thread of its own: never behind alerts."""

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, wait
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import vigla_sensor
from vigla_sensor.alert import Pack
from vigla_sensor.clock import Clock
from vigla_sensor.deliver.http import Fault, Reply, Transport
from vigla_sensor.deliver.hub import authorized
from vigla_sensor.run.shipping import Shipping
from vigla_sensor.spool import Spool, Status, read_status
from vigla_sensor.telemetry import kernel_clock
from vigla_sensor.telemetry.heartbeat import Heartbeat

_log = logging.getLogger(__name__)

PATH = "/ingest/v1/heartbeat"


class Heartbeats:
    """`overlay` takes the overlay document that an answer carries; it raises `ValueError` for one it refuses."""

    def __init__(
        self,
        sensor: str,
        every: float,
        transport: Transport,
        credential: Callable[[], str],
        executor: Executor,
        clock: Clock,
    ) -> None:
        self._sensor, self._every, self._transport, self._credential = sensor, every, transport, credential
        self._executor, self._clock = executor, clock
        self._started = clock.now()
        self._next = clock.monotonic()
        self._flight: tuple[Future[Reply], Status] | None = None
        self._failing = False

    def tick(self, content: Callable[[], Heartbeat], status: Callable[[], Status], spool: Spool) -> bytes | None:
        """Sends when due; the overlay document of an answer that came, if it carries one."""
        overlay = self._land(spool)
        now = self._clock.monotonic()
        if self._flight is None and now >= self._next:
            self._next = now + self._every
            told = status()
            body = json.dumps(content().document()).encode()
            self._flight = (self._executor.submit(self._send, body), told)
        return overlay

    def farewell(self, content: Callable[[], Heartbeat], status: Callable[[], Status], spool: Spool) -> None:
        """Sends one more and waits for its answer: the last word of a run that ends as planned."""
        self._next = self._clock.monotonic()
        self.tick(content, status, spool)
        if self._flight is not None:
            wait([self._flight[0]])
            self._land(spool)

    def _send(self, body: bytes) -> Reply:
        return self._transport.post(PATH, body, authorized(self._credential(), "application/json"))

    def _land(self, spool: Spool) -> bytes | None:
        if self._flight is None or not self._flight[0].done():
            return None
        (future, told), self._flight = self._flight, None
        try:
            reply = future.result()
        except (Fault, OSError, ValueError) as error:
            self._fail(str(error))
            return None
        if reply.status != 200:
            self._fail(f"HTTP {reply.status}: {reply.body[:200].decode('utf-8', 'replace')}")
            return None
        self._failing = False
        for name, sink in told.sinks.items():
            if sink.ranges:
                spool.forgive(name, sink.ranges)
        return _overlay(reply.body)

    def _fail(self, reason: str) -> None:
        if not self._failing:
            _log.warning("no heartbeat reaches the hub, it will show this sensor as silent: %s", reason)
        self._failing = True

    @property
    def started(self) -> datetime:
        return self._started


def content(
    sensor: str,
    started: datetime,
    pack: Pack,
    clock: Clock,
    counters: Mapping[str, int],
    status: Status,
    shipping: Shipping,
) -> Heartbeat:
    """The heartbeat of this moment."""
    states = {courier.name: courier.state for courier in shipping.couriers}
    sinks: dict[str, dict[str, Any]] = {}
    for name, found in status.sinks.items():
        state = states.get(name)
        oldest = found.oldest_pending
        sinks[name] = {
            **asdict(found),
            "oldest_pending": datetime.fromtimestamp(oldest / 1000, UTC).isoformat() if oldest else None,
            "state": state.state if state else "not configured",
            "reason": state.reason if state else "",
        }
    return Heartbeat(
        sensor=sensor,
        sent=clock.now(),
        started=started,
        versions={"vigla-sensor": vigla_sensor.__version__},
        pack={"name": pack.name, "version": pack.version, "sha256": pack.sha256},
        clock=kernel_clock(),
        counters=counters,
        spool={
            "epoch": status.epoch,
            "last_sequence": (status.epoch << 20) + status.last_number,
            "bytes": status.bytes,
            "repeated": status.repeated,
            "lost": dict(status.lost),
            "violations": list(status.violations),
        },
        sinks=sinks,
    )


def status_reader(path: Path) -> Callable[[], Status]:
    """Reads the spool's books on a connection of its own."""
    return lambda: read_status(path)


def _overlay(body: bytes) -> bytes | None:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return None
    overlay = document.get("overlay") if isinstance(document, dict) else None
    return json.dumps(overlay).encode() if isinstance(overlay, dict) else None
