"""Charts and the map as numbers: Athenian days across both clock changes, bars that add up, one tile for everyone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from vigla_console.incidents.models import DayCount, Severity, TenantPicture
from vigla_console.sensors.models import Sensor
from vigla_console.tenants.models import TenantId
from vigla_console.tenants.municipalities import load
from vigla_console.web import days
from vigla_console.web.i18n import ATHENS
from vigla_console.web.tilemap import draw, states_by_tenant

NOW = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)  # already the 25th in Athens


@pytest.mark.parametrize(
    "now",
    [NOW, datetime(2026, 3, 29, 12, 0, tzinfo=UTC), datetime(2026, 10, 25, 12, 0, tzinfo=UTC)],
    ids=["plain", "short-day", "long-day"],
)
def test_edges_are_midnights_in_athens_and_today_is_last(now: datetime) -> None:
    edges = [edge.astimezone(ATHENS) for edge in days.edges(now)]
    assert len(edges) == 8
    assert {(edge.hour, edge.minute) for edge in edges} == {(0, 0)}
    assert [(b.date() - a.date()).days for a, b in pairwise(edges)] == [1] * 7
    assert edges[-2] <= now < edges[-1]


def test_bars_are_stacked_to_the_tallest_day() -> None:
    week = [DayCount(NOW, {Severity.HIGH: 1, Severity.LOW: 3}), DayCount(NOW, {}), DayCount(NOW, {Severity.LOW: 2})]
    first, empty, last = days.bars(week)
    assert [piece.severity for piece in first.pieces] == [Severity.HIGH, Severity.LOW]
    assert sum(piece.height for piece in first.pieces) == days.HEIGHT
    assert first.pieces[-1].y == 0
    assert (empty.total, empty.pieces) == (0, [])
    assert last.pieces[0].height == days.HEIGHT / 2


def test_a_quiet_week_has_no_pieces() -> None:
    assert all(bar.pieces == [] for bar in days.bars([DayCount(NOW, {})] * 7))


def test_the_map_draws_everyone_once_inside_its_frame() -> None:
    kalamata = TenantId("kalamata")
    picture = [TenantPicture(kalamata, {Severity.HIGH: 2, Severity.LOW: 1}, 1, Severity.HIGH, 0)]
    drawn = draw(load(), picture, {kalamata: "live", TenantId("mytilini"): "silent"})
    assert len(drawn.squares) == len({(one.x, one.y) for one in drawn.squares}) == 332
    assert all(0 <= one.x <= drawn.width - 30 and 0 <= one.y <= drawn.height - 30 for one in drawn.squares)
    assert [(one.municipality.id, one.open, one.sensor) for one in drawn.notable()] == [
        ("kalamata", 3, "live"),
        ("mytilini", 0, "silent"),
    ]
    assert len(drawn.labels) == 13


def test_one_silent_box_makes_its_town_silent() -> None:
    town = TenantId("kalamata")
    boxes = [Sensor(name, town, NOW - timedelta(days=1)) for name in ("a", "b")]
    assert states_by_tenant([(boxes[0], "live"), (boxes[1], "live")]) == {town: "live"}
    assert states_by_tenant([(boxes[0], "silent"), (boxes[1], "live")]) == {town: "silent"}
    assert states_by_tenant([(boxes[0], "live"), (boxes[1], "never")]) == {town: "silent"}
