"""kill -9 at every step, a file that is damaged, and ranges: what comes back is what was promised."""

import os
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sensor.support.alerts import alert
from tests.sensor.support.clock import FakeClock
from tests.sensor.support.process import die, until_killed
from vigla_sensor.spool import Fate, Lane, Limits, Settlement, Spool, open_spool, read_status
from vigla_sensor.spool.ranges import MAX_RANGES, add

LIMITS = Limits(max_bytes=1024 * 1024, min_free_bytes=0, ballast_bytes=0)
ROUNDS = 4


class _DyingConnection(sqlite3.Connection):
    """Dies before statement number `VIGLA_TEST_DIE_AT` of the process."""

    statements = 0

    def execute(self, *arguments: object) -> sqlite3.Cursor:  # type: ignore[override]
        type(self).statements += 1
        if self.statements == int(os.environ["VIGLA_TEST_DIE_AT"]):
            die()
        return super().execute(*arguments)  # type: ignore[arg-type]


def _live(path: str, acknowledged: str) -> None:
    """Accepts, leases, settles and evicts; writes down what was acknowledged before it goes on."""
    real = sqlite3.connect
    sqlite3.connect = lambda *a, **k: real(*a, factory=_DyingConnection, **k)  # type: ignore[assignment]
    spool = open_spool(Path(path) / "spool.db", ("hub",), FakeClock(), LIMITS)
    with Path(acknowledged).open("a", encoding="utf-8", buffering=1) as told:
        for n in range(ROUNDS):
            spool.accept([alert(f"{n}-{m}", 90 if m == 0 else 30, size=20_000) for m in range(12)], b"%d" % n)
            told.write(f"{n}\n")
            batch = spool.lease("hub", Lane.PRIORITY, 2, 100_000)
            spool.settle("hub", [Settlement(each.number, Fate.DELIVERED) for each in batch])
            spool.release("hub")


def test_kill_at_every_step(tmp_path: Path) -> None:
    at, killed = 1, True
    while killed:
        folder = tmp_path / f"{at}"
        folder.mkdir()
        os.environ["VIGLA_TEST_DIE_AT"] = str(at)
        killed = until_killed(_live, str(folder), str(folder / "told")) == -9
        spool = open_spool(folder / "spool.db", ("hub",), FakeClock(), LIMITS)
        told = (folder / "told").read_text().split() if (folder / "told").exists() else []
        _check(spool, folder, len(told))
        spool.close()
        at += max(1, at // 2)
    assert at > 100


def _check(spool: Spool, folder: Path, acknowledged: int) -> None:
    status = read_status(folder / "spool.db")
    assert status.violations == ()
    assert int(spool.checkpoint or b"-1") in (acknowledged - 1, acknowledged)
    accepted = status.sinks["hub"].counters.get(90, {}).get("accepted", 0) if status.sinks else 0
    assert accepted == int(spool.checkpoint or b"-1") + 1
    # The same input again after the restart: what was accepted is known, the rest is new.
    again = spool.accept([alert(f"{n}-0", 90, size=20_000) for n in range(ROUNDS)])
    assert again.repeated == accepted


def _filled(path: Path) -> int:
    spool = open_spool(path, ("hub",), FakeClock(), Limits(min_free_bytes=0, ballast_bytes=0))
    spool.accept([alert(f"{n}", size=3000) for n in range(300)], b"kept")
    epoch = spool.epoch
    spool.close()
    return epoch


@pytest.mark.parametrize("damage", ["header", "middle", "cut", "empty noise"])
def test_a_damaged_file_is_moved_aside_and_salvaged(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "spool.db"
    epoch = _filled(path)
    data = bytearray(path.read_bytes())
    match damage:
        case "header":
            data[:100] = os.urandom(100)
        case "middle":
            half = len(data) // 2 // 4096 * 4096
            data[half : half + 16384] = b"\xa5" * 16384
        case "cut":
            del data[len(data) // 2 :]
        case _:
            data[:] = os.urandom(8192)
    path.write_bytes(data)
    clock = FakeClock()
    spool = open_spool(path, ("hub",), clock, Limits(min_free_bytes=0, ballast_bytes=0))
    status = read_status(path)
    assert status.violations == ()
    assert len(list(tmp_path.glob("spool.db.corrupt-*"))) >= 1
    assert spool.accept([alert("after", 90)]).new == 1
    salvaged = status.sinks["hub"].pending.get(50, 0) if status.sinks else 0
    if damage == "middle":
        assert spool.epoch > epoch
        assert salvaged >= 50
        assert salvaged + status.lost.get("corrupt", 0) == 300
    spool.close()


def test_a_second_process_can_read_while_one_writes(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "spool.db", ("hub",), FakeClock(), LIMITS)
    with closing(sqlite3.connect(tmp_path / "spool.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM alert").fetchone()
        for n in range(20):
            spool.accept([alert(f"{n}-{m}", size=5000) for m in range(20)])
        assert read_status(tmp_path / "spool.db").violations == ()
    spool.close()


@given(st.lists(st.sets(st.integers(1, 3000), max_size=40), max_size=8))
def test_ranges_hold_exactly_what_was_added(steps: list[set[int]]) -> None:
    ranges: list[list[int]] = []
    for step in steps:
        ranges = add(ranges, step)
    assert [number for first, last in ranges for number in range(first, last + 1)] == sorted(set().union(*steps))
    assert all(left[1] + 1 < right[0] for left, right in pairwise(ranges))


def test_ranges_are_bounded_and_never_lose_a_number() -> None:
    numbers = [n * 3 for n in range(5 * MAX_RANGES)]
    ranges = add([], numbers)
    assert len(ranges) <= MAX_RANGES
    assert all(any(first <= number <= last for first, last in ranges) for number in numbers)
