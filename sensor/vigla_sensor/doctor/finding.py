"""What a check says: how bad it is, and the numbers it rests on. Words are in `texts`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """`blind`: what the sensor is for cannot be seen. `warning`: a part cannot. `note`: good to know. `fine`: nothing
    to do. `unknown`: too little came to tell."""

    BLIND = "blind"
    WARNING = "warning"
    NOTE = "note"
    FINE = "fine"
    UNKNOWN = "unknown"

    @property
    def calls(self) -> bool:
        """Somebody must do something."""
        return self in (Severity.BLIND, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, printed in percent."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """0 to 1; 0 of nothing."""
        return self.part / self.whole if self.whole else 0.0


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes."""

    bytes: int


@dataclass(frozen=True, slots=True)
class Step:
    """How far apart two clocks are, by a name of `clocks.STEPS`."""

    side: str
    name: str


Slot = int | float | str | tuple[str, ...] | tuple[int, ...] | Share | Size | Step


@dataclass(frozen=True, slots=True)
class Finding:
    """`id` is of its words in `texts.toml`; `slots` fill them. `check` is the question that it answers."""

    check: str
    id: str
    severity: Severity
    slots: Mapping[str, Slot] = field(default_factory=dict)
