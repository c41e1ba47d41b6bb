"""Stop signals as something that can be asked, so that what was found before them is kept."""

import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM or SIGINT came; the old handlers come back at the end."""
    stopped: list[int] = []
    old = {number: signal.signal(number, lambda n, _: stopped.append(n)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(stopped)
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
