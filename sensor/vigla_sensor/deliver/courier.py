"""The courier of one sink: takes from the spool, hands to the sink, books what came of it, and decides when next.

It owns no thread and never blocks: `tick` is called by the one loop that owns time. Sends run in an executor.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime

from vigla_sensor.clock import Clock
from vigla_sensor.deliver.answers import Answer, Answered, Refused
from vigla_sensor.deliver.outcome import AlreadyThere, Delivered, Outcome, ParkIndex, ParkSink, Reject, Retry
from vigla_sensor.deliver.pacing import PROBE, Pacing
from vigla_sensor.deliver.sink import Sink
from vigla_sensor.deliver.triage import triage
from vigla_sensor.spool import Fate, Lane, Settlement, Spool, SpooledAlert

_log = logging.getLogger(__name__)

BATCH_BYTES = 900_000
"""The hub takes a million on the wire, and the worst body does not shrink."""

PRIORITY_SHARE = 4
"""Of five batches while both lanes wait."""

CONTRADICTIONS = 5
"""Answers in a row that do not fit the question, after which it is no accident."""

REFUSED_AFTER = 120.0
"""Seconds of unbroken 401 before the credential is called refused: a node that restarts says 401 to valid keys."""

_CREDENTIAL_PROBE = 5.0


@dataclass(frozen=True, slots=True)
class CourierState:
    """For heartbeat and status: `flowing`, `waiting` (backing off) or `parked`, and why, since when (monotonic)."""

    state: str
    reason: str
    since: float


@dataclass(frozen=True, slots=True)
class _Flight:
    batch: Sequence[SpooledAlert]
    future: Future[Answer]
    started: float
    probed: str | None


class Courier:
    """See the module."""

    def __init__(
        self, sink: Sink, spool: Spool, clock: Clock, executor: Executor, pacing: Pacing | None = None
    ) -> None:
        self._sink, self._spool, self._clock, self._executor = sink, spool, clock, executor
        self._pacing = pacing or Pacing()
        self._flight: _Flight | None = None
        self._next = 0.0
        self._streak = 0
        self._contradictions = 0
        self._unauthorized: float | None = None
        self._parked = False
        self._probes = dict.fromkeys(spool.parked(sink.name), (0.0, 0))
        self._successes: Counter[str] = Counter()
        self._suspects: dict[int, int] = {}
        self.state = CourierState("flowing", "", clock.monotonic())
        self.server_date: datetime | None = None
        """The last `Date` the other side sent."""

    @property
    def name(self) -> str:
        return self._sink.name

    def close(self) -> None:
        """Ends the sink's connections."""
        self._sink.close()

    @property
    def busy(self) -> bool:
        """Whether a batch is on its way."""
        return self._flight is not None

    def tick(self) -> bool:
        """Books an answer that came, sends what is due; whether anything was done."""
        done = self.land()
        return self._take_off() or done

    def due(self) -> float:
        """Monotonic time before which nothing will be sent."""
        return self._next

    # Sending

    def _take_off(self) -> bool:
        now = self._clock.monotonic()
        if self._flight is not None or now < self._next:
            return False
        probed, batch = self._probe(now) or (None, self._batch())
        if not batch:
            return False
        self._flight = _Flight(batch, self._executor.submit(self._sink.send, batch), now, probed)
        return True

    def _batch(self) -> Sequence[SpooledAlert]:
        priority, rest = (self._spool.waits(self.name, lane) for lane in (Lane.PRIORITY, Lane.REST))
        lane = Lane.PRIORITY if priority and not (rest and self._streak >= PRIORITY_SHARE) else Lane.REST
        self._streak = self._streak + 1 if lane is Lane.PRIORITY else 0
        limit = 1 if self._parked else self._pacing.limit()
        return self._spool.lease(self.name, lane, limit, BATCH_BYTES)

    def _probe(self, now: float) -> tuple[str, Sequence[SpooledAlert]] | None:
        for index, (at, after) in self._probes.items():
            if now >= at:
                self._probes[index] = (now + PROBE, after)
                alert = self._spool.probe(self.name, index, after)
                if alert is not None:
                    self._probes[index] = (now + PROBE, alert.number)
                    return index, [alert]
        return None

    # Booking

    def land(self) -> bool:
        """Books an answer that came; whether one did."""
        flight = self._flight
        if flight is None or not flight.future.done():
            return False
        self._flight = None
        answer = flight.future.result()
        if isinstance(answer, Answered | Refused) and answer.date is not None:
            self.server_date = answer.date
        outcomes = triage(answer, [alert.event_id for alert in flight.batch])
        self._book(flight, outcomes)
        self._spool.release(self.name)
        self._schedule(flight, outcomes)
        return True

    def _book(self, flight: _Flight, outcomes: Sequence[Outcome]) -> None:
        settled: list[Settlement] = []
        parked: dict[str, str] = {}
        rows = list(zip(flight.batch, outcomes, strict=True))
        proven = {alert.index_name for alert, outcome in rows if isinstance(outcome, Delivered | AlreadyThere)}
        self._successes.update(proven)
        for alert, outcome in rows:
            match outcome:
                case Delivered():
                    settled.append(Settlement(alert.number, Fate.DELIVERED))
                case AlreadyThere():
                    settled.append(Settlement(alert.number, Fate.ALREADY_THERE))
                case Reject() if not outcome.needs_proof or self._is_proven(alert, proven):
                    settled.append(
                        Settlement(alert.number, Fate.DEAD_LETTERED, outcome.status, outcome.type, outcome.reason)
                    )
                case Reject():
                    said = f"{outcome.status} {outcome.type}: {outcome.reason}; no other document has passed since"
                    parked[alert.index_name] = said
                case ParkIndex():
                    parked[alert.index_name] = outcome.reason
                case Retry() | ParkSink():
                    pass
        if settled:
            self._spool.settle(self.name, settled)
            for settlement in settled:
                self._suspects.pop(settlement.number, None)
        self._park(parked, proven)

    def _is_proven(self, alert: SpooledAlert, proven: set[str]) -> bool:
        """Whether another row got in beside this one, or between its last refusal and this: then it is the row.

        Without it, the index itself may be at fault (a mapping made by hand), and nothing is buried.
        """
        before = self._suspects.get(alert.number)
        if alert.index_name in proven or (before is not None and before < self._successes[alert.index_name]):
            return True
        self._suspects[alert.number] = self._successes[alert.index_name]
        return False

    def _park(self, parked: dict[str, str], proven: set[str]) -> None:
        for index in proven - parked.keys():
            if self._probes.pop(index, None) is not None:
                self._spool.unpark(self.name, index)
                _log.info("%s: %s takes documents again", self.name, index)
        for index, reason in parked.items():
            if index not in self._probes:
                _log.error("%s: %s is set aside, nothing is lost: %s", self.name, index, reason)
                self._probes[index] = (self._clock.monotonic() + PROBE, 0)
                self._spool.park(self.name, index, reason)

    # Deciding when next

    def _schedule(self, flight: _Flight, outcomes: Sequence[Outcome]) -> None:
        now = self._clock.monotonic()
        parks = [outcome for outcome in outcomes if isinstance(outcome, ParkSink)]
        retries = [outcome for outcome in outcomes if isinstance(outcome, Retry)]
        self._contradictions = self._contradictions + 1 if any(r.contradiction for r in retries) else 0
        if not any(park.credential for park in parks):
            self._unauthorized = None
        if parks:
            self._stop(now, parks[0])
        elif self._contradictions >= CONTRADICTIONS:
            self._stop(now, ParkSink(f"{self._contradictions} answers in a row make no sense: {retries[0].reason}"))
        elif len(retries) < len(outcomes):
            self._parked = False
            self._pacing.succeeded(now - flight.started)
            self._next = now
            if any(retry.smaller for retry in retries):
                self._next = now + self._pacing.failed(None, smaller=True, sent=len(flight.batch))
            self._enter("flowing", "")
        else:
            self._parked = False
            after = max((retry.after for retry in retries if retry.after is not None), default=None)
            smaller = any(retry.smaller for retry in retries)
            self._next = now + self._pacing.failed(after, smaller=smaller, sent=len(flight.batch))
            self._enter("waiting", retries[0].reason)

    def _stop(self, now: float, park: ParkSink) -> None:
        self._parked = True
        self._next = now + PROBE
        reason = park.reason
        if park.credential:
            self._unauthorized = now if self._unauthorized is None else self._unauthorized
            if now - self._unauthorized >= REFUSED_AFTER:
                reason = f"credential refused: {park.reason}; put a valid one into its file, no restart is needed"
            else:
                self._next = now + _CREDENTIAL_PROBE
        self._enter("parked", reason)

    def _enter(self, state: str, reason: str) -> None:
        if (state, reason) != (self.state.state, self.state.reason):
            since = self.state.since if state == self.state.state else self._clock.monotonic()
            if state == "parked":
                _log.error("%s: delivery waits for you, nothing is lost: %s", self.name, reason)
            elif state == "waiting":
                _log.warning("%s: no delivery for now, will try again: %s", self.name, reason)
            elif self.state.state != "flowing":
                _log.info("%s: delivery flows again", self.name)
            self.state = CourierState(state, reason, since)
