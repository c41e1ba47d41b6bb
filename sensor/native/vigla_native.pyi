"""The native core: bytes go in, alerts come out. What crosses is described in docs/native-boundary.md."""

from os import PathLike
from typing import Final, final

__all__ = [
    "Batch",
    "InputError",
    "PackError",
    "Replay",
    "Sensor",
    "SettingsError",
    "__version__",
    "events",
    "explain",
    "fields",
    "index_report",
    "interfaces",
    "match_lines",
    "pack_info",
    "sources_explain",
]

__version__: Final[str]

class PackError(ValueError):
    """The pack was refused: which member, why, what to do."""

class InputError(ValueError):
    """An input cannot be read: no capture, unknown link type, absent."""

class SettingsError(ValueError):
    """The settings say something that cannot be meant."""

@final
class Batch:
    """What one poll gives."""

    @property
    def alerts(self) -> list[bytes]:
        """Hits, one JSON document each."""
    @property
    def checkpoint(self) -> bytes | None:
        """One instant of offsets, ordinals and correlation state: keep it together with the alerts before it."""
    @property
    def finished(self) -> bool:
        """Nothing more will come."""

@final
class Replay:
    """Files to alerts, offline: the same files give the same alerts in the same order."""

    def __new__(cls, settings: bytes, pack: bytes, paths: list[str] | list[PathLike[str]]) -> Replay: ...
    def poll(self, max: int) -> Batch:
        """Goes on until there are `max` alerts or the inputs are at their end."""
    def stats(self) -> dict[str, int]:
        """Counters of all stages."""
    def warnings(self) -> list[str]:
        """What was wrong with inputs that are at their end, and rules that cannot fire."""

@final
class Sensor:
    """Watches interfaces and follows log files in threads of the core's own."""

    def __new__(cls, settings: bytes, pack: bytes, checkpoint: bytes | None = None) -> Sensor: ...
    def start(self) -> None:
        """Opens the interfaces and starts reading; `InputError` for an interface that this user may not watch."""
    def poll(self, max: int, timeout: float) -> Batch:
        """At most `max` alerts, waiting up to `timeout` seconds for the first."""
    def stats(self) -> dict[str, int]:
        """Counters of all stages, of at most a second ago."""
    def reload(self, pack: bytes) -> None:
        """Runs another pack from the next line on; one that is refused changes nothing."""
    def overlay(self, document: bytes) -> None:
        """Takes another overlay; one that is refused changes nothing."""
    def stop(self) -> None:
        """Stops reading; what was found can still be polled, until `finished`."""

def events(
    paths: list[str] | list[PathLike[str]], settings: bytes, out: int, pack: bytes | None = None
) -> tuple[dict[str, int], list[str]]:
    """Writes decoded events to the file descriptor `out`; returns counters and warnings. Log files need a pack."""

def explain(pack: bytes, rule: str, event: bytes, settings: bytes | None = None, number: int = 1) -> str:
    """Why a rule did or did not match an event, the `number`th of those in a row: a JSON tree."""

def fields() -> bytes:
    """Every field of events that the core makes itself: JSON `{common, zeek: {path: names}, behaviour, vigla}`."""

def interfaces(settings: bytes) -> bytes:
    """What would keep the configured interfaces from being watched: JSON list of `{interface, level, problem}`."""

def index_report(pack: bytes) -> bytes:
    """What each rule costs: JSON `{"rules": [{"id", "always", "needles", "share", "predicates"}], "needles"}`.

    `always`: no witness, evaluated for every event of its log source; `share`: of events for which it is a candidate.
    """

def match_lines(pack: bytes, path: str | PathLike[str], logsource: bytes, out: int) -> dict[str, int]:
    """Matches JSON lines; writes `{"line": n, "rules": [...]}` for each that matches to the file descriptor `out`."""

def pack_info(pack: bytes) -> bytes:
    """What a verified pack holds: manifest, rules' metadata, ECS table, source definitions; JSON."""

def sources_explain(pack: bytes, settings: bytes, path: str | PathLike[str], out: int) -> dict[str, int]:
    """Writes which definition took each line of a log file, one JSON object a line, to the file descriptor `out`."""
