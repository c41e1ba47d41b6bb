"""The spool's promises, durable accept, one number per id, settlement per sink, lanes, parking, redriving."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sensor.support.alerts import INDEX, alert
from tests.sensor.support.clock import FakeClock
from vigla_sensor.spool import Fate, Lane, Limits, Settlement, Spool, Status, open_spool, read_status
from vigla_sensor.spool.schema import UnknownSchema

SMALL = Limits(min_free_bytes=0, ballast_bytes=0)
MEGABYTE = 1_000_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def opened(path: Path, clock: FakeClock, sinks: tuple[str, ...] = ("hub",), limits: Limits = SMALL) -> Spool:
    return open_spool(path / "spool.db", sinks, clock, limits)


def books(path: Path) -> Status:
    status = read_status(path / "spool.db")
    assert status.violations == ()
    return status


def settle_all(spool: Spool, sink: str, fate: Fate = Fate.DELIVERED, lane: Lane = Lane.REST) -> int:
    batch = spool.lease(sink, lane, 500, MEGABYTE)
    assert spool.settle(sink, [Settlement(each.number, fate, 400, "t", "r") for each in batch])
    spool.release(sink)
    return len(batch)


def test_accept_survives_a_new_opening(tmp_path: Path, clock: FakeClock) -> None:
    first = opened(tmp_path, clock)
    first.accept([alert("a"), alert("b", 90)], b"offset 7")
    first.close()
    again = opened(tmp_path, clock)
    assert again.checkpoint == b"offset 7"
    assert again.epoch == first.epoch
    (critical,) = again.lease("hub", Lane.PRIORITY, 10, MEGABYTE)
    assert critical.event_id == alert("b").event_id
    assert json.loads(critical.body)["event"]["sequence"] == (first.epoch << 20) + 2
    again.close()


def test_the_log_is_synchronous(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    pragma = lambda name: spool._connection.execute(f"PRAGMA {name}").fetchone()[0]  # noqa: E731
    assert (pragma("journal_mode"), pragma("synchronous"), pragma("auto_vacuum")) == ("wal", 2, 2)
    spool.close()


def test_a_known_id_takes_no_second_number_even_after_it_left(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    assert spool.accept([alert("a"), alert("a")]).repeated == 1
    settle_all(spool, "hub")
    assert spool.accept([alert("a"), alert("b")]).new == 1
    assert books(tmp_path).last_number == 2
    assert books(tmp_path).repeated == 2
    clock.advance(8 * 24 * 3600)
    spool.maintain()
    assert spool.accept([alert("a")]).new == 1
    spool.close()


def test_numbers_are_never_used_twice(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    spool.accept([alert("a"), alert("b")])
    settle_all(spool, "hub")
    spool.accept([alert("c")])
    assert [each.number for each in spool.lease("hub", Lane.REST, 10, MEGABYTE)] == [3]
    spool.close()


def test_an_alert_leaves_when_every_sink_has_settled_it(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock, ("hub", "elasticsearch"))
    spool.accept([alert("a")])
    settle_all(spool, "hub")
    assert spool.pending() == 1
    assert len(spool.lease("elasticsearch", Lane.REST, 10, MEGABYTE)) == 1
    settle_all(spool, "elasticsearch", Fate.ALREADY_THERE)
    assert spool._connection.execute("SELECT count(*) FROM alert").fetchone()[0] == 0
    status = books(tmp_path)
    assert status.sinks["hub"].counters[50] == {"accepted": 1, "delivered": 1}
    assert status.sinks["elasticsearch"].counters[50] == {"accepted": 1, "already_there": 1}
    assert status.sinks["elasticsearch"].ranges == {"already_there": [[(spool.epoch << 20) + 1] * 2]}
    spool.close()


def test_settling_twice_counts_once(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    spool.accept([alert("a")])
    (leased,) = spool.lease("hub", Lane.REST, 10, MEGABYTE)
    for _ in range(2):
        spool.settle("hub", [Settlement(leased.number, Fate.DELIVERED)])
    assert books(tmp_path).sinks["hub"].counters[50]["delivered"] == 1
    spool.close()


def test_lanes_take_critical_first_then_the_oldest(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    spool.accept([alert(f"{severity}-{n}", severity) for n in range(2) for severity in (10, 70, 30, 90, 50)])
    priority = spool.lease("hub", Lane.PRIORITY, 3, MEGABYTE)
    assert [(each.severity, each.number) for each in priority] == [(90, 4), (90, 9), (70, 2)]
    assert [each.number for each in spool.lease("hub", Lane.REST, 10, MEGABYTE)] == [1, 3, 5, 6, 8, 10]
    spool.close()


def test_a_batch_ends_at_its_bytes_but_takes_one(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    spool.accept([alert(f"{n}", size=10_000) for n in range(5)])
    assert len(spool.lease("hub", Lane.REST, 10, 25_000)) == 2
    assert len(spool.lease("hub", Lane.REST, 10, 10)) == 1
    spool.close()


def test_parked_rows_stay_while_others_flow(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    closed = "vigla-alerts-kalamata-2025"
    spool.accept([alert("old", index=closed), alert("new"), alert("old2", index=closed)])
    spool.park("hub", closed, "index_closed_exception")
    spool.accept([alert("old3", index=closed)])
    assert [each.number for each in spool.lease("hub", Lane.REST, 10, MEGABYTE)] == [2]
    spool.close()
    spool = opened(tmp_path, clock)
    assert spool.parked("hub") == {closed: "index_closed_exception"}
    probes = [spool.probe("hub", closed, after) for after in (0, 1, 3, 4)]
    assert [probe.number for probe in probes if probe] == [1, 3, 4, 1]
    assert spool.probe("hub", INDEX, 0) is None
    spool.unpark("hub", closed)
    assert [each.number for each in spool.lease("hub", Lane.REST, 10, MEGABYTE)] == [1, 2, 3, 4]
    spool.close()


def test_dead_letters_are_kept_and_redriven(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    spool.accept([alert("a"), alert("b")])
    settle_all(spool, "hub", Fate.DEAD_LETTERED)
    assert books(tmp_path).sinks["hub"].counters[50]["dead_lettered"] == 2
    assert spool.pending() == 0
    assert spool.redrive("elsewhere") == 0
    assert spool.redrive() == 2
    assert settle_all(spool, "hub") == 2
    assert books(tmp_path).sinks["hub"].counters[50] == {"accepted": 2, "dead_lettered": 0, "delivered": 2}
    spool.close()


def test_dead_letters_are_bounded(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock, limits=Limits(min_free_bytes=0, ballast_bytes=0, dead_bytes=30_000))
    for n in range(6):
        spool.accept([alert(f"{n}", size=9000)])
        settle_all(spool, "hub", Fate.DEAD_LETTERED)
        clock.advance(1)
    status = books(tmp_path).sinks["hub"]
    assert status.counters[50] == {"accepted": 6, "dead_lettered": 3, "dropped": 3}
    assert status.reasons["dropped:dead_full"] == 3
    assert spool.redrive() == 3
    spool.close()


def test_the_settled_number_and_the_ranges_explain_every_number(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    spool.accept([alert(f"{n}") for n in range(6)])
    batch = spool.lease("hub", Lane.REST, 4, MEGABYTE)
    fates = (Fate.DELIVERED, Fate.DEAD_LETTERED, Fate.DEAD_LETTERED, Fate.DELIVERED)
    spool.settle("hub", [Settlement(each.number, fate) for each, fate in zip(batch, fates, strict=True)])
    status, base = books(tmp_path).sinks["hub"], spool.epoch << 20
    assert status.settled == base + 4
    assert status.ranges == {"dead_lettered": [[base + 2, base + 3]]}
    spool.forgive("hub", status.ranges)
    assert books(tmp_path).sinks["hub"].ranges == {}
    spool.close()


def test_a_removed_sinks_rows_stay_in_the_books(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock, ("hub", "elasticsearch"))
    spool.accept([alert("a")])
    settle_all(spool, "hub")
    spool.close()
    spool = opened(tmp_path, clock, ("hub",))
    assert spool.pending() == 0
    assert books(tmp_path).sinks["elasticsearch"].pending == {50: 1}
    spool.close()


def test_a_wall_clock_that_jumps_changes_nothing_but_stamps(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    for years in (10, -20):
        clock.jump(timedelta(days=365 * years))
        spool.accept([alert(f"{years}")])
    assert [each.index_name for each in spool.lease("hub", Lane.REST, 10, MEGABYTE)] == [INDEX, INDEX]
    assert spool.settle("hub", [Settlement(1, Fate.DELIVERED)])
    books(tmp_path)
    spool.close()


def test_a_file_of_another_version_is_neither_read_nor_replaced(tmp_path: Path, clock: FakeClock) -> None:
    opened(tmp_path, clock).close()
    with closing(sqlite3.connect(tmp_path / "spool.db")) as connection, connection:
        connection.execute("UPDATE meta SET value = 99 WHERE key = 'schema'")
    with pytest.raises(UnknownSchema, match="schema 99, this sensor reads 1"):
        opened(tmp_path, clock)
    assert [each.name for each in tmp_path.glob("*corrupt*")] == []


def test_status_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no spool here"):
        read_status(tmp_path / "spool.db")
