"""Detectors that hand over hits from a list: what the core would have found."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.sensor.support.packs import dns_hit


@dataclass(frozen=True, slots=True)
class ListBatch:
    alerts: Sequence[bytes]
    checkpoint: bytes | None
    finished: bool


class ListDetector:
    """Live and offline: hits in order; a checkpoint is how many were handed over."""

    def __init__(self, hits: Sequence[bytes], checkpoint: bytes | None = None, *, endless: bool = False) -> None:
        self._hits, self._at, self._endless = hits, int(checkpoint or b"0"), endless
        self.overlays: list[bytes] = []
        self.stopped = False

    def start(self) -> None:
        """Nothing to start."""

    def poll(self, max: int, timeout: float = 0.0) -> ListBatch:  # noqa: A002
        batch = self._hits[self._at : self._at + max]
        self._at += len(batch)
        finished = self._at >= len(self._hits) and (self.stopped or not self._endless)
        return ListBatch(batch, b"%d" % self._at, finished)

    def stats(self) -> dict[str, int]:
        return {"events": len(self._hits)}

    def warnings(self) -> list[str]:
        return []

    def overlay(self, document: bytes) -> None:
        self.overlays.append(document)

    def stop(self) -> None:
        self.stopped = True


def dns_hits(count: int, start: int = 1_795_392_847_000_000_000) -> list[bytes]:
    """So many different matches, a second apart."""
    return [dns_hit(f"{n:032x}", ts=start + n * 1_000_000_000) for n in range(count)]
