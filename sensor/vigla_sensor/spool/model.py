"""The nouns of the spool."""

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from vigla_sensor.alert.alert import Severity

SEVERITIES = tuple(sorted(int(severity) for severity in Severity))
"""From the lowest to the highest."""


class Fate(StrEnum):
    """What a counter counts. `ACCEPTED` is the sum of the ends and of what is pending; the last two stand outside."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    ALREADY_THERE = "already_there"
    DEAD_LETTERED = "dead_lettered"
    FOLDED = "folded"
    DROPPED = "dropped"
    REPEATED = "repeated"
    """A known id came again and took no number."""
    LOST = "lost"
    """Never accepted: the disk refused, or it lay in a file that cannot be read."""


ENDS = (Fate.DELIVERED, Fate.ALREADY_THERE, Fate.DEAD_LETTERED, Fate.FOLDED, Fate.DROPPED)


class Lane(Enum):
    """High and critical first; the rest may not starve for ever."""

    PRIORITY = (90, 70)
    REST = (50, 30, 10)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes: of the spool's pages and log, of what must stay free on the disk, of the ballast, of dead letters."""

    max_bytes: int = 512 * 1024 * 1024
    min_free_bytes: int = 256 * 1024 * 1024
    ballast_bytes: int = 8 * 1024 * 1024
    dead_bytes: int = 64 * 1024 * 1024
    remember_seconds: int = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class SpooledAlert:
    """An alert on its way: `number` is its row, `body` has its `event.sequence`."""

    number: int
    event_id: str
    index_name: str
    severity: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Settlement:
    """How one sink settled one alert. A dead letter says status, type and reason."""

    number: int
    fate: Fate
    status: int = 0
    type: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a batch: new numbers, known ids, and what could not be written."""

    new: int
    repeated: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """Per severity: fates to counts. `reasons` splits drops and folds."""

    pending: dict[int, int] = field(default_factory=dict)
    counters: dict[int, dict[str, int]] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    parked: dict[str, str] = field(default_factory=dict)
    oldest_pending: int = 0
    """Unix milliseconds of acceptance; 0 where nothing waits."""
    settled: int = 0
    """`event.sequence` up to which nothing waits at this sink."""
    ranges: dict[str, list[list[int]]] = field(default_factory=dict)
    """Fate to ranges [first, last] of `event.sequence` that the hub cannot see arrive."""


@dataclass(frozen=True, slots=True)
class Status:
    """The whole spool, in one committed state. `violations` is empty, or the spool is at fault."""

    epoch: int
    last_number: int
    bytes: int
    sinks: dict[str, SinkStatus]
    repeated: int
    lost: dict[str, int]
    violations: tuple[str, ...]
