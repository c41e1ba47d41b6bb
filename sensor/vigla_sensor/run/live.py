"""`vigla-sensor run`: poll, compose, accept with the checkpoint, ship. One loop, one owner of time and of the spool."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack

from vigla_sensor.alert import Alert, Composer, Pack, Severity
from vigla_sensor.alert.hit import BadHit
from vigla_sensor.clock import Clock
from vigla_sensor.config import Settings
from vigla_sensor.detector import LiveDetector
from vigla_sensor.run import wiring
from vigla_sensor.run.heartbeats import Heartbeats, content, status_reader
from vigla_sensor.run.shipping import Shipping
from vigla_sensor.spool import Spool
from vigla_sensor.stopping import stop_signals
from vigla_sensor.telemetry.heartbeat import Heartbeat

_log = logging.getLogger(__name__)

COMMIT_ALERTS = 500
COMMIT_SECONDS = 0.2
"""Alerts are committed together: so many, or so long after the first; a critical one at once."""

_CHECKPOINT_SECONDS = 5.0
_MAINTAIN_SECONDS = 60.0
_STOP_SECONDS = 10.0
_OVERLAY = "overlay"

MakeDetector = Callable[[bytes, bytes, bytes | None], LiveDetector]
"""Settings, pack, checkpoint to a detector; `ValueError` for what the core refuses."""


class Loop:
    """The parts and the turn of the loop; `run_live` makes it."""

    def __init__(
        self, detector: LiveDetector, composer: Composer, spool: Spool, shipping: Shipping, clock: Clock
    ) -> None:
        self._detector, self._composer, self._spool = detector, composer, spool
        self._shipping, self._clock = shipping, clock
        self._saved = self._maintained = clock.monotonic()
        self.bad_hits = 0
        self.finished = False

    def turn(self) -> None:
        """Gathers what is there, makes it durable, moves the couriers."""
        alerts, checkpoint = self.gather()
        now = self._clock.monotonic()
        if alerts or (checkpoint is not None and now - self._saved >= _CHECKPOINT_SECONDS):
            self._spool.accept(alerts, checkpoint)
            self._saved = now
        moved = self._shipping.tick()
        if not alerts and not moved and now - self._maintained >= _MAINTAIN_SECONDS:
            self._maintained = now
            self._spool.maintain()

    def gather(self) -> tuple[list[Alert], bytes | None]:
        """One commit's worth of alerts and the last checkpoint that stands behind them."""
        alerts: list[Alert] = []
        checkpoint: bytes | None = None
        deadline = self._clock.monotonic() + COMMIT_SECONDS
        while True:
            wait = max(0.0, deadline - self._clock.monotonic())
            batch = self._detector.poll(COMMIT_ALERTS - len(alerts), wait)
            alerts.extend(self._compose(batch.alerts))
            checkpoint = batch.checkpoint or checkpoint
            self.finished = batch.finished
            urgent = any(alert.severity is Severity.CRITICAL for alert in alerts)
            if self.finished or urgent or len(alerts) >= COMMIT_ALERTS or self._clock.monotonic() >= deadline:
                return alerts, checkpoint

    def _compose(self, hits: Sequence[bytes]) -> Iterator[Alert]:
        for hit in hits:
            try:
                yield self._composer.compose(hit)
            except BadHit as error:
                self.bad_hits += 1
                if self.bad_hits == 1:
                    _log.error("an alert is lost, more are counted: %s", error)

    def close(self) -> None:
        """Stops sensing, keeps what was found, books answers that are on their way."""
        self._detector.stop()
        deadline = self._clock.monotonic() + _STOP_SECONDS
        while not self.finished and self._clock.monotonic() < deadline:
            alerts, checkpoint = self.gather()
            self._spool.accept(alerts, checkpoint)
        self._shipping.land()


def run_live(settings: Settings, clock: Clock, make: MakeDetector) -> int:
    """Runs until SIGTERM or SIGINT; 0. Raises `StartFault` for a configuration that cannot be used."""
    if settings.pack is None:
        raise wiring.StartFault('pack.path is not configured: name the compiled rules, e.g. [pack] path = "vigla.vpk"')
    if not settings.files and not settings.interfaces:
        raise wiring.StartFault(
            "nothing to watch: add an [[interfaces]] table with the name of the mirror port's interface, or a "
            "[[files]] table with the path of a log file"
        )
    data, pack = wiring.read_pack(settings.pack.path)
    sinks = wiring.sinks(settings)
    if not sinks:
        raise wiring.StartFault("no sink is configured: add [sinks.hub] or [sinks.elasticsearch]")
    with ExitStack() as stack:
        stack.enter_context(wiring.only_one(settings.spool.path))
        spool = stack.enter_context(contextlib.closing(wiring.spool(settings, sinks, clock)))
        executor = stack.enter_context(ThreadPoolExecutor(len(sinks) + 1, "deliver"))
        try:
            detector = make(wiring.core_settings(settings), data, spool.checkpoint)
            if settings.pack.overlay is not None:
                detector.overlay(settings.pack.overlay.read_bytes())
        except (ValueError, OSError) as error:
            raise wiring.StartFault(str(error)) from error
        _restore_overlay(detector, spool)
        shipping = stack.enter_context(contextlib.closing(Shipping(sinks, spool, clock, executor)))
        composer = wiring.composer(settings, pack, clock, live=True, accepted_floor=shipping.server_date)
        loop = Loop(detector, composer, spool, shipping, clock)
        beat = _heartbeat(settings, pack, clock, executor, detector, spool, shipping, stack)
        try:
            detector.start()
        except (ValueError, OSError) as error:
            raise wiring.StartFault(str(error)) from error
        names = ", ".join(interface.name for interface in settings.interfaces) or "no interface"
        _log.info("sensing: %s, %d files, pack %s %s", names, len(settings.files), pack.name, pack.version)
        with stop_signals() as stopping:
            while not stopping() and not loop.finished:
                loop.turn()
                beat()
        loop.close()
    _log.info("stopped")
    return 0


def _restore_overlay(detector: LiveDetector, spool: Spool) -> None:
    """The hub's last overlay outlives a restart; one that fits the pack no more keeps nobody from sensing."""
    noted = spool.recall(_OVERLAY)
    if noted is not None:
        try:
            detector.overlay(noted.encode())
        except ValueError as error:
            _log.error("the hub's last overlay does not fit this pack and is left out: %s", error)


def _heartbeat(
    settings: Settings,
    pack: Pack,
    clock: Clock,
    executor: Executor,
    detector: LiveDetector,
    spool: Spool,
    shipping: Shipping,
    stack: ExitStack,
) -> Callable[[], None]:
    """One turn of the heartbeat; nothing where no hub is configured."""
    hub = settings.sinks.hub
    if hub is None:
        return lambda: None
    status = status_reader(settings.spool.path)
    beats = Heartbeats(
        settings.sensor.id,
        settings.heartbeat_seconds,
        stack.enter_context(contextlib.closing(wiring.hub_transport(settings))),
        hub.credential.read,
        executor,
        clock,
    )

    def now() -> Heartbeat:
        return content(settings.sensor.id, beats.started, pack, clock, detector.stats(), status(), shipping)

    def turn() -> None:
        overlay = beats.tick(now, status, spool)
        text = None if overlay is None else overlay.decode()
        if overlay is None or text is None or text == spool.recall(_OVERLAY):
            return
        try:
            detector.overlay(overlay)
        except ValueError as error:
            _log.error("the hub's overlay was refused, the last one stays: %s", error)
        else:
            spool.remember(_OVERLAY, text)

    return turn
