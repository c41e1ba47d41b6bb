"""Tables that traffic grows up to a cap."""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Counted(Generic[K]):
    """How often each of at most `most` keys came; `forgotten` counts what came of others."""

    def __init__(self, most: int) -> None:
        self._most, self._counts = most, dict[K, int]()
        self.forgotten = 0

    def add(self, key: K, n: int = 1) -> None:
        """Once more, or `n` times."""
        if key in self._counts or len(self._counts) < self._most:
            self._counts[key] = self._counts.get(key, 0) + n
        else:
            self.forgotten += n

    def top(self, most: int) -> tuple[tuple[K, int], ...]:
        """The most frequent, most first; equal ones in the order in which they came."""
        return tuple(sorted(self._counts.items(), key=lambda item: -item[1])[:most])

    def get(self, key: K) -> int:
        """How often it came."""
        return self._counts.get(key, 0)

    def __len__(self) -> int:
        return len(self._counts)

    def __iter__(self) -> Iterator[K]:
        return iter(self._counts)

    def items(self) -> dict[K, int]:
        """A copy."""
        return dict(self._counts)
