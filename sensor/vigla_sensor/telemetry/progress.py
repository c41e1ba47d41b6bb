"""Progress for a person: one moving line on a terminal, a plain line at the end otherwise. Never on standard output."""

import time
from collections.abc import Callable
from typing import TextIO

_EVERY = 0.1


class Progress:
    """`update` may be called often; what is drawn is bounded."""

    def __init__(self, stream: TextIO, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._monotonic = stream, monotonic
        self._moving = stream.isatty()
        self._drawn, self._width = 0.0, 0

    def update(self, text: str) -> None:
        """Draws the line anew, on a terminal."""
        now = self._monotonic()
        if self._moving and now - self._drawn >= _EVERY:
            self._drawn = now
            self._draw(text)

    def done(self, text: str) -> None:
        """The last line."""
        if self._moving:
            self._draw(text)
        else:
            self._stream.write(text)
        self._stream.write("\n")
        self._stream.flush()

    def _draw(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)
