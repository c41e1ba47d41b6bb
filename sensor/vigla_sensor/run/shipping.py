"""All couriers of a sensor and their threads: ticked by the loop, drained before a planned end."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import datetime

from vigla_sensor.clock import Clock
from vigla_sensor.deliver import Courier, Sink
from vigla_sensor.spool import Spool

_PAUSE = 0.02
_SERVER_DATE = "server_date"


class Shipping:
    """The executor needs a thread per sink."""

    def __init__(self, sinks: Sequence[Sink], spool: Spool, clock: Clock, executor: Executor) -> None:
        self._spool, self._clock = spool, clock
        self.couriers = tuple(Courier(sink, spool, clock, executor) for sink in sinks)
        noted = spool.recall(_SERVER_DATE)
        self._noted = datetime.fromisoformat(noted) if noted else None

    def tick(self) -> bool:
        """Moves every courier on; whether anything was done."""
        done = [courier.tick() for courier in self.couriers]
        self._note_date()
        return any(done)

    def server_date(self) -> datetime | None:
        """The latest `Date` any server sent, kept over restarts: a box without a clock battery boots in 1970."""
        return self._noted

    def _note_date(self) -> None:
        dates = [courier.server_date for courier in self.couriers if courier.server_date is not None]
        if dates and (self._noted is None or (max(dates) - self._noted).total_seconds() > 3600):
            self._noted = max(dates)
            self._spool.remember(_SERVER_DATE, self._noted.isoformat())

    def drain(self, patience: float, tell: Callable[[int], None], pause: Callable[[float], None] = time.sleep) -> int:
        """Ships until nothing waits or nothing moved for `patience` seconds; how many deliveries still wait."""
        moved, waiting = self._clock.monotonic(), self._spool.pending()
        while waiting:
            if not self.tick():
                pause(_PAUSE)
            left = self._spool.pending()
            now = self._clock.monotonic()
            if left < waiting:
                moved = now
            elif now - moved > patience:
                break
            waiting = left
            tell(waiting)
        self.land(pause)
        return self._spool.pending()

    def land(self, pause: Callable[[float], None] = time.sleep, seconds: float = 35.0) -> None:
        """Waits for answers to what is on its way; a sink's own timeout ends it before `seconds`."""
        deadline = self._clock.monotonic() + seconds
        while any(courier.busy for courier in self.couriers) and self._clock.monotonic() < deadline:
            for courier in self.couriers:
                courier.land()
            pause(_PAUSE)

    def close(self) -> None:
        """Ends all connections."""
        for courier in self.couriers:
            courier.close()

    def reasons(self) -> dict[str, str]:
        """Sinks that do not flow, and why."""
        found = {courier.name: courier.state.reason for courier in self.couriers if courier.state.state != "flowing"}
        for courier in self.couriers:
            for index, reason in self._spool.parked(courier.name).items():
                found[f"{courier.name}, {index}"] = reason
        return found
