"""When to try again and with how many: full jitter, breaker, batch size (delivery.md 3). Knows no sink and no clock."""

from dataclasses import dataclass, field
from random import Random, SystemRandom

FIRST = 1.0
LONGEST = 300.0
SMALLEST = 10
LARGEST = 500
GROWTH = 20
FAST = 2.0
"""Seconds; an answer within it lets the batch grow."""

PROBE = 60.0
"""Seconds between tries of what is parked."""


@dataclass(slots=True)
class Pacing:
    """Mutable state of one sink. `random` gives [0, 1)."""

    random: Random = field(default_factory=SystemRandom)
    size: int = 100
    failures: int = 0

    def limit(self) -> int:
        """How many to send: after failures, just enough to see whether it works again."""
        return min(self.size, SMALLEST) if self.failures else self.size

    def succeeded(self, seconds: float) -> None:
        """Something was settled after so many seconds."""
        self.failures = 0
        if seconds < FAST:
            self.size = min(self.size * 2 if self.size < SMALLEST else self.size + GROWTH, LARGEST)

    def failed(self, after: float | None, *, smaller: bool, sent: int) -> float:
        """Seconds to wait: anything up to 1 s, doubling to 5 min; never less than the server asked for."""
        if smaller:
            self.size = max(1, min(self.size, sent) // 2)
        longest = min(LONGEST, FIRST * 2.0 ** min(self.failures, 16))
        self.failures += 1
        wait = self.random.random() * longest
        # Spread what many boxes were told alike.
        return wait if after is None else after + self.random.random() * min(after, FIRST)
