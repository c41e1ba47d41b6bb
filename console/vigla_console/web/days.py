"""The seven-day picture: Athenian days, and the geometry of its stacked bars. Numbers only; the template draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vigla_console.incidents.models import DayCount, Severity
from vigla_console.web.i18n import athens_midnight

DAYS = 7
WIDTH = 280
HEIGHT = 120
_GAP = 8


def edges(now: datetime, days: int = DAYS) -> list[datetime]:
    """Midnights in Athens around the last ``days`` days, today's end included: daylight saving keeps days whole."""
    today = athens_midnight(now)
    # Through noon: a day of 23 or 25 hours still ends at a midnight.
    return [athens_midnight(today + timedelta(days=offset, hours=12)) for offset in range(1 - days, 2)]


@dataclass(frozen=True, slots=True)
class Piece:
    """One level's part of a day's bar, in SVG units from the top left."""

    severity: Severity
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    day: datetime
    total: int
    counts: Sequence[tuple[Severity, int]]
    pieces: Sequence[Piece]
    middle: float


def bars(days: Sequence[DayCount]) -> list[Bar]:
    """Stacked bars, the worst level at the bottom; all empty days give bars without pieces."""
    tallest = max((sum(day.by_severity.values()) for day in days), default=0) or 1
    width = (WIDTH - _GAP * (len(days) - 1)) / max(len(days), 1)
    found = []
    for place, day in enumerate(days):
        x, base, pieces = place * (width + _GAP), float(HEIGHT), []
        counts = [(severity, day.by_severity.get(severity, 0)) for severity in sorted(Severity, reverse=True)]
        for severity, count in counts:
            height = round(HEIGHT * count / tallest, 2)
            base -= height
            if count:
                pieces.append(Piece(severity, round(x, 2), round(base, 2), round(width, 2), height))
        found.append(Bar(day.day, sum(day.by_severity.values()), counts, pieces, round(x + width / 2, 2)))
    return found
