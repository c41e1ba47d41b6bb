"""The alert as the spool and the sinks see it: an id, where it goes, how urgent it is, and a sealed body."""

from dataclasses import dataclass
from enum import IntEnum

BODY_START = b'{"event":{'
"""Every body starts so: the spool puts `event.sequence` behind it when the number is known, without parsing."""


class Severity(IntEnum):
    """`event.severity`, by Sigma's level."""

    INFORMATIONAL = 10
    LOW = 30
    MEDIUM = 50
    HIGH = 70
    CRITICAL = 90

    @classmethod
    def of_level(cls, level: str) -> "Severity":
        """Raises `KeyError` for a word that is not one of Sigma's five levels."""
        return cls[level.upper()]


@dataclass(frozen=True, slots=True)
class Alert:
    """A composed alert. `event_id` is 32 hexadecimal digits; `body` its JSON without `event.sequence`; `fold_key` is
    the same for one rule and entity.
    """

    event_id: str
    index_name: str
    severity: Severity
    fold_key: str
    body: bytes

    def __post_init__(self) -> None:
        if not self.body.startswith(BODY_START):
            raise ValueError(f"an alert's body must start with {BODY_START!r}")


def with_sequence(body: bytes, sequence: int) -> bytes:
    """The body with its `event.sequence`."""
    return BODY_START + b'"sequence":%d,' % sequence + body[len(BODY_START) :]
