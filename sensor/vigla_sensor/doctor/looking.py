"""Watches: interfaces for a time, or files to their end. The only part of doctor that waits."""

from collections.abc import Callable

from vigla_sensor.detector import LiveDetector, OfflineDetector
from vigla_sensor.doctor.tally import Tally

_BATCH = 2_000
_TURN_SECONDS = 0.25
_END_SECONDS = 30.0
"""How long the last connections may take to be told."""

Tell = Callable[[float, int], None]
"""Seconds so far, and packets (of files: events)."""


def look_at_files(detector: OfflineDetector, tally: Tally, stopping: Callable[[], bool], tell: Tell) -> bool:
    """Reads to the end, or until told to stop; whether it came to the end."""
    finished = False
    while not finished:
        if stopping():
            return False
        batch = detector.poll(_BATCH)
        finished = batch.finished
        tally.add(batch.alerts)
        tell(0.0, tally.seen)
    return True


def look_at_interfaces(
    detector: LiveDetector,
    tally: Tally,
    seconds: float,
    monotonic: Callable[[], float],
    stopping: Callable[[], bool],
    tell: Tell,
) -> float:
    """Watches with a started detector for `seconds`, less when told to stop; then ends all connections and stops it.

    How long it watched.
    """
    begun = monotonic()
    while (watched := monotonic() - begun) < seconds and not stopping():
        tally.add(detector.poll(_BATCH, min(_TURN_SECONDS, seconds - watched)).alerts)
        tell(monotonic() - begun, detector.stats().get("capture.packets", 0))
    watched = monotonic() - begun
    detector.stop()
    deadline, finished = monotonic() + _END_SECONDS, False
    while not finished and monotonic() < deadline:
        batch = detector.poll(_BATCH, _TURN_SECONDS)
        tally.add(batch.alerts)
        finished = batch.finished
    return watched
