"""What an answer means for one alert."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivered:
    """The store has it, from us, now."""


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """The store had it: an earlier try arrived."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Keep it and try again later. `smaller`: with fewer at a time. `after`: not before so many seconds.

    `contradiction`: the answer did not fit the question; five in a row are no accident.
    """

    reason: str
    smaller: bool = False
    after: float | None = None
    contradiction: bool = False


@dataclass(frozen=True, slots=True)
class ParkIndex:
    """Set the rows of its index aside; others flow."""

    reason: str


@dataclass(frozen=True, slots=True)
class ParkSink:
    """Nothing will pass until somebody acts or the server changes its mind. `credential`: it was not accepted."""

    reason: str
    credential: bool = False


@dataclass(frozen=True, slots=True)
class Reject:
    """This document will never be taken. `needs_proof`: only believed once another got into the same index."""

    status: int
    type: str
    reason: str
    needs_proof: bool = False


Outcome = Delivered | AlreadyThere | Retry | ParkIndex | ParkSink | Reject
