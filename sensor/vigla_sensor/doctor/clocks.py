"""How far the clock of packets is from others', as the core counts it: `place.clock{source,side,step}`."""

from collections.abc import Mapping

STEPS: tuple[str, ...] = ("100ms", "1s", "5s", "1m", "1h", "1d", "more")
"""The least upper bound that was met: `5s` is 1 to 5 seconds; `more` is over a day."""


def median(offsets: Mapping[tuple[str, str], int]) -> tuple[str, str] | None:
    """(side, step) of the sample in the middle, from far behind to far ahead: a few that lie do not move it."""
    order = [*(("behind", step) for step in reversed(STEPS)), *(("ahead", step) for step in STEPS)]
    middle = (sum(offsets.get(each, 0) for each in order) + 1) // 2
    for each in order:
        middle -= offsets.get(each, 0)
        if middle <= 0 < offsets.get(each, 0):
            return each
    return None


def at_least(step: str, other: str) -> bool:
    """Whether the clocks are that far apart, or further."""
    return STEPS.index(step) >= STEPS.index(other)
