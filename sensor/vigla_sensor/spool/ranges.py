"""Ranges of numbers, kept as `[[first, last], ...]`: what the heartbeat tells the hub not to wait for. Pure."""

from collections.abc import Iterable

Ranges = list[list[int]]

MAX_RANGES = 128


def add(ranges: Ranges, numbers: Iterable[int]) -> Ranges:
    """The ranges with the numbers in them: sorted, joined where they touch.

    Over `MAX_RANGES` the smallest gaps are closed: the hub then excuses some number too many, never misses one.
    """
    joined: Ranges = []
    for first, last in sorted([*ranges, *([number, number] for number in numbers)]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    while len(joined) > MAX_RANGES:
        nearest = min(range(1, len(joined)), key=lambda at: joined[at][0] - joined[at - 1][1])
        joined[nearest - 1][1] = joined[nearest][1]
        del joined[nearest]
    return joined
