"""The one writer beside ingest: aggregation as alerts arrive, timers each minute, heads of the audit chains each hour.

A thread of the serving process. What fails is logged, counted and tried again; nothing is skipped.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from vigla_console.alerts.interfaces import AlertStore
from vigla_console.alerts.models import ArrivalCursor, Arrivals

LOG = logging.getLogger(__name__)
BATCH = 500
IDLE_SECONDS = 1.0  # Elasticsearch is also written by sensors directly: nobody rings then
PAUSE_AFTER_FAILURE = 5.0


class ArrivalSink(Protocol):
    """Commits arrivals and their cursor together."""

    def cursor(self) -> ArrivalCursor: ...
    def commit(self, begun: ArrivalCursor, arrivals: Arrivals) -> int: ...


def drain(store: AlertStore, sink: ArrivalSink) -> int:
    """Aggregates until nothing is new; returns how many alerts were."""
    done = 0
    while True:
        begun = sink.cursor()
        arrivals = store.since(begun, BATCH)
        if arrivals.cursor == begun:
            return done
        done += sink.commit(begun, arrivals)
        if not arrivals.more:
            return done


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so often."""

    every: float  # seconds
    do: Callable[[], object]


@dataclass(slots=True)
class Worker:
    """``ring`` wakes it; ``stop`` ends it after what it is doing."""

    store: AlertStore
    sink: ArrivalSink
    chores: tuple[Chore, ...]
    failures: int = 0
    pause: float = PAUSE_AFTER_FAILURE
    _bell: threading.Event = field(default_factory=threading.Event)
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="vigla-writer", daemon=True)
        self._thread.start()

    def ring(self) -> None:
        self._bell.set()

    def stop(self) -> None:
        self._ending.set()
        self._bell.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _run(self) -> None:
        due = [0.0 for _ in self.chores]
        while not self._ending.is_set():
            try:
                drain(self.store, self.sink)
                for i, chore in enumerate(self.chores):
                    if time.monotonic() >= due[i]:
                        chore.do()
                        due[i] = time.monotonic() + chore.every
            except Exception:  # the supervised edge: a fault of one round must not end all later ones
                self.failures += 1
                LOG.exception("aggregation failed (%d so far); arrivals wait and are tried again", self.failures)
                self._ending.wait(self.pause)
            self._bell.wait(IDLE_SECONDS)
            self._bell.clear()
