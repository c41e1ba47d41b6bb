"""What the commands print: a progress bar on a terminal, plain lines otherwise."""

import sys
from typing import TextIO

WIDTH = 30


class ProgressBar:
    """Called with (done, total); silent where the stream is no terminal."""

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self.label = label
        self.stream = sys.stderr if stream is None else stream

    def __call__(self, done: int, total: int) -> None:
        if not self.stream.isatty() or not total:
            return
        filled = WIDTH * done // total
        end = "\n" if done == total else ""
        self.stream.write(f"\r{self.label} [{'#' * filled}{'.' * (WIDTH - filled)}] {done}/{total}{end}")
        self.stream.flush()


def table(rows: list[tuple[str, ...]]) -> str:
    """Rows as columns, the first row the heading."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)
