"""Runs something again whenever a folder changes; by looking, which works on every file system."""

import os
import time
from collections.abc import Callable
from pathlib import Path

INTERVAL_SECONDS = 0.4
_PASSED_OVER = ("__pycache__",)
Stamp = dict[str, tuple[int, int]]


def watch(
    folder: Path, run: Callable[[], int], tell: Callable[[list[str]], None], pause: Callable[[float], None] = time.sleep
) -> int:
    """Runs once and after each change, until Ctrl-C; gives the last run's code.

    ``tell`` gets the paths that changed before each further run, none before the first wait. What is saved in several
    steps is one change: it is waited for until two looks agree.
    """
    code = 0
    while True:
        before = stamp(folder)  # taken first: what changes while it runs is seen
        try:
            code = run()
            tell([])
            after = _settled(folder, before, pause)
        except KeyboardInterrupt:
            return code
        tell(changed(before, after))


def stamp(folder: Path) -> Stamp:
    """Size and time of every file below, editors' and Python's own leftovers apart."""
    found: Stamp = {}
    for above, directories, names in os.walk(folder):
        directories[:] = sorted(name for name in directories if name not in _PASSED_OVER and not name.startswith("."))
        for name in names:
            if name.startswith(".") or name.endswith("~"):
                continue
            path = os.path.join(above, name)  # noqa: PTH118
            try:
                seen = os.stat(path)  # noqa: PTH116
            except OSError:  # gone in the meantime
                continue
            found[path] = seen.st_mtime_ns, seen.st_size
    return found


def changed(before: Stamp, after: Stamp) -> list[str]:
    """Paths that are new, gone or different, sorted."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


def _settled(folder: Path, before: Stamp, pause: Callable[[float], None]) -> Stamp:
    last = before
    while True:
        pause(INTERVAL_SECONDS)
        now = stamp(folder)
        if now != before and now == last:
            return now
        last = now
