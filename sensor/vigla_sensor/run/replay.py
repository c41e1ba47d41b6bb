"""`vigla-sensor replay`: files to alerts, to a stream or through the real spool to the sinks."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import BinaryIO

from vigla_sensor.alert import Alert, Composer, Pack
from vigla_sensor.alert.alert import with_sequence
from vigla_sensor.clock import Clock
from vigla_sensor.config import Settings
from vigla_sensor.detector import OfflineDetector
from vigla_sensor.run import wiring
from vigla_sensor.run.heartbeats import Heartbeats, content, status_reader
from vigla_sensor.run.shipping import Shipping
from vigla_sensor.spool.spool import SEQUENCE_BITS

BATCH = 500
PATIENCE = 60.0
"""Seconds without any progress after which a drain gives up; the alerts stay in the spool."""

Tell = Callable[[str], None]


@dataclass(slots=True)
class ReplayReport:
    """What a replay did. `waiting` alerts are still in the spool, `reasons` says why; `warnings` are the core's."""

    alerts: int = 0
    repeated: int = 0
    lost: int = 0
    waiting: int = 0
    reasons: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)


def replay_to_stream(
    detector: OfflineDetector, settings: Settings, pack: Pack, clock: Clock, out: BinaryIO, tell: Tell
) -> ReplayReport:
    """Writes alert documents as JSON lines. Equal inputs give equal lines, `event.created` and `.sequence` apart."""
    report = ReplayReport()
    epoch = int(clock.now().timestamp()) << SEQUENCE_BITS
    for alerts in _batches(detector, wiring.composer(settings, pack, clock, live=False)):
        for alert in alerts:
            report.alerts += 1
            out.write(with_sequence(alert.body, epoch + report.alerts) + b"\n")
        tell(f"{report.alerts} alerts")
    return _finish(report, detector)


def replay_to_sinks(
    detector: OfflineDetector, settings: Settings, pack: Pack, clock: Clock, tell: Tell, patience: float = PATIENCE
) -> ReplayReport:
    """Spools and ships while reading, drains, and tells the hub the books. Raises `StartFault`."""
    report, started = ReplayReport(), clock.now()
    sinks = wiring.sinks(settings)
    if not sinks:
        raise wiring.StartFault("no sink is configured: add [sinks.hub] or [sinks.elasticsearch], or write with --out")
    with ExitStack() as stack:
        stack.enter_context(wiring.only_one(settings.spool.path))
        spool = stack.enter_context(contextlib.closing(wiring.spool(settings, sinks, clock)))
        executor = stack.enter_context(ThreadPoolExecutor(len(sinks), "deliver"))
        shipping = stack.enter_context(contextlib.closing(Shipping(sinks, spool, clock, executor)))
        composer = wiring.composer(settings, pack, clock, live=False, accepted_floor=shipping.server_date)
        for alerts in _batches(detector, composer):
            done = spool.accept(alerts)
            report.alerts += len(alerts)
            report.repeated += done.repeated
            report.lost += done.lost
            shipping.tick()
            tell(f"{report.alerts} alerts, {spool.pending()} to deliver")
        report.waiting = shipping.drain(patience, lambda left: tell(f"{report.alerts} alerts, {left} to deliver"))
        report.reasons = shipping.reasons() if report.waiting else {}
        hub = settings.sinks.hub
        if hub is not None and not report.waiting:
            transport = stack.enter_context(contextlib.closing(wiring.hub_transport(settings)))
            beats = Heartbeats(settings.sensor.id, 0.0, transport, hub.credential.read, executor, clock)
            status, me, counters = status_reader(settings.spool.path), settings.sensor.id, detector.stats()
            beats.farewell(lambda: content(me, started, pack, clock, counters, status(), shipping), status, spool)
    return _finish(report, detector)


def _batches(detector: OfflineDetector, composer: Composer) -> Iterator[list[Alert]]:
    finished = False
    while not finished:
        batch = detector.poll(BATCH)
        finished = batch.finished
        yield [composer.compose(hit) for hit in batch.alerts]


def _finish(report: ReplayReport, detector: OfflineDetector) -> ReplayReport:
    report.warnings = detector.warnings()
    report.counters = detector.stats()
    return report
