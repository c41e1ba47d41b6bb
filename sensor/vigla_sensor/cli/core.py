"""The native core as the commands use it; `vigla_sensor.engine` is the real one, tests bring their own."""

from collections.abc import Sequence
from typing import Protocol

from vigla_sensor.detector import LiveDetector, OfflineDetector


class Core(Protocol):
    """Every call raises `ValueError` (pack, input or settings refused: what, where, what to do)."""

    def live(self, settings: bytes, pack: bytes, checkpoint: bytes | None) -> LiveDetector: ...
    def replay(self, settings: bytes, pack: bytes, paths: Sequence[str]) -> OfflineDetector: ...
    def events(
        self, paths: Sequence[str], settings: bytes, out: int, pack: bytes | None
    ) -> tuple[dict[str, int], list[str]]: ...
    def explain(self, pack: bytes, rule: str, event: bytes, settings: bytes, number: int) -> str: ...
    def sources_explain(self, pack: bytes, settings: bytes, path: str, out: int) -> dict[str, int]: ...
    def pack_info(self, pack: bytes) -> bytes: ...
    def interfaces(self, settings: bytes) -> bytes: ...


class NativeCore:
    """Delegates to `vigla_sensor.engine`, imported when a command needs it: `spool status` works without the core."""

    def live(self, settings: bytes, pack: bytes, checkpoint: bytes | None) -> LiveDetector:
        from vigla_sensor import engine

        return engine.Sensor(settings, pack, checkpoint)

    def replay(self, settings: bytes, pack: bytes, paths: Sequence[str]) -> OfflineDetector:
        from vigla_sensor import engine

        return engine.Replay(settings, pack, list(paths))

    def events(
        self, paths: Sequence[str], settings: bytes, out: int, pack: bytes | None
    ) -> tuple[dict[str, int], list[str]]:
        from vigla_sensor import engine

        return engine.events(list(paths), settings, out, pack)

    def explain(self, pack: bytes, rule: str, event: bytes, settings: bytes, number: int) -> str:
        from vigla_sensor import engine

        return engine.explain(pack, rule, event, settings, number)

    def sources_explain(self, pack: bytes, settings: bytes, path: str, out: int) -> dict[str, int]:
        from vigla_sensor import engine

        return engine.sources_explain(pack, settings, path, out)

    def pack_info(self, pack: bytes) -> bytes:
        from vigla_sensor import engine

        return engine.pack_info(pack)

    def interfaces(self, settings: bytes) -> bytes:
        from vigla_sensor import engine

        return engine.interfaces(settings)
