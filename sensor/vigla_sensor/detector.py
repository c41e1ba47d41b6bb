"""What the Python side needs of the native core (`docs/native-boundary.md`). `vigla_sensor.engine` is the real one."""

from collections.abc import Sequence
from typing import Protocol


class Batch(Protocol):
    """What one poll gives."""

    @property
    def alerts(self) -> Sequence[bytes]:
        """Hits, one JSON document each."""
        ...

    @property
    def checkpoint(self) -> bytes | None:
        """To be committed with the alerts before it."""
        ...

    @property
    def finished(self) -> bool:
        """Nothing more will come."""
        ...


class LiveDetector(Protocol):
    """Watches interfaces and follows log files (`vigla_native.Sensor`)."""

    def start(self) -> None: ...
    def poll(self, max: int, timeout: float) -> Batch: ...  # noqa: A002
    def stats(self) -> dict[str, int]: ...
    def overlay(self, document: bytes) -> None: ...
    def stop(self) -> None: ...


class OfflineDetector(Protocol):
    """Captures and log files to hits, deterministic (`vigla_native.Replay`)."""

    def poll(self, max: int) -> Batch: ...  # noqa: A002
    def stats(self) -> dict[str, int]: ...
    def warnings(self) -> list[str]: ...
