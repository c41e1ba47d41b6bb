"""A full spool: fold first, then the oldest of the lowest; a critical one last; leased rows never."""

import json
import resource
from pathlib import Path

import pytest

from tests.sensor.support.alerts import alert
from tests.sensor.support.clock import FakeClock
from tests.sensor.support.process import in_child
from vigla_sensor.spool import Lane, Limits, Spool, Status, open_spool, read_status

LIMIT = 1024 * 1024
SMALL = Limits(max_bytes=LIMIT, min_free_bytes=0, ballast_bytes=0)


def opened(path: Path, limits: Limits = SMALL) -> Spool:
    return open_spool(path / "spool.db", ("hub",), FakeClock(), limits)


def books(path: Path) -> Status:
    status = read_status(path / "spool.db")
    assert status.violations == ()
    return status


def files(path: Path) -> int:
    return sum(each.stat().st_size for each in path.iterdir())


def count(status: Status, severity: int, fate: str) -> int:
    return status.sinks["hub"].counters.get(severity, {}).get(fate, 0)


def test_repeats_are_folded_before_anything_is_dropped(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for n in range(60):
        repeats = [alert(f"r{n}-{m}", 30, fold_key="rule|ip|203.0.113.9", size=2000) for m in range(10)]
        spool.accept([alert(f"single{n}", 30, size=2000), *repeats])
    status = books(tmp_path)
    assert count(status, 30, "folded") > 0
    assert count(status, 30, "dropped") == 0
    waiting = [json.loads(each.body) for each in spool.lease("hub", Lane.REST, 500, 10_000_000)]
    held = sum(each["vigla"].get("folded", {"count": 1})["count"] for each in waiting)
    assert held == 660
    assert files(tmp_path) < LIMIT * 1.2
    spool.close()


def test_the_oldest_of_the_lowest_go_first(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for n in range(130):
        spool.accept([alert(f"{n}-{severity}", severity, size=1500) for severity in (10, 30, 50, 70, 90)])
        status = books(tmp_path)
        gone = [count(status, severity, "dropped") for severity in (10, 30, 50, 70, 90)]
        waiting = [status.sinks["hub"].pending.get(severity, 0) for severity in (10, 30, 50, 70, 90)]
        dropped_up_to = max((at for at, dropped in enumerate(gone) if dropped), default=0)
        # Lower ones that wait came after the last eviction, which frees a twentieth of the limit.
        assert all(left < 30 for left in waiting[:dropped_up_to])
    assert gone[0] > 100
    assert gone[1] > 0
    assert gone[4] == 0
    numbers = [row[0] for row in spool._connection.execute("SELECT alert_id FROM delivery WHERE severity = 50")]
    assert max(numbers) - min(numbers) == 5 * (len(numbers) - 1)
    assert files(tmp_path) < LIMIT * 1.2
    assert status.sinks["hub"].reasons["dropped:full"] == sum(gone)
    spool.close()


def test_a_critical_one_goes_only_when_nothing_lower_is_left(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    before = 0
    for n in range(400):
        spool.accept([alert(f"low{n}", 30, size=2000)] if n % 10 == 0 else [alert(f"critical{n}", 90, size=2000)])
        status = books(tmp_path)
        dropped = count(status, 90, "dropped")
        if dropped > before:
            assert status.sinks["hub"].pending.get(30, 0) == 0
        before = dropped
    assert before > 0
    newest = spool.lease("hub", Lane.PRIORITY, 500, 10_000_000)[-1]
    assert newest.event_id == alert("critical399").event_id
    spool.close()


def test_leased_rows_are_exempt(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.accept([alert(f"leased{n}", 10, fold_key="same", size=2000) for n in range(20)])
    leased = [each.number for each in spool.lease("hub", Lane.REST, 20, LIMIT)]
    for n in range(300):
        spool.accept([alert(f"{n}", 50, size=4000)])
    left = {row[0] for row in spool._connection.execute("SELECT id FROM alert")}
    assert left.issuperset(leased)
    assert count(books(tmp_path), 10, "folded") == 0
    spool.close()


def test_every_number_is_explained_after_folds_and_drops(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for block in range(15):
        spool.accept([alert(f"{block}-{n}", 30, fold_key=f"{block}-{n // 2}", size=4500) for n in range(20)])
        spool.accept([alert(f"c{block}-{n}", 90, size=200) for n in range(20)])
    status, base = books(tmp_path), spool.epoch << 20
    sink = status.sinks["hub"]
    told = {
        number - base for ranges in sink.ranges.values() for first, last in ranges for number in range(first, last + 1)
    }
    waiting = {row[0] for row in spool._connection.execute("SELECT alert_id FROM delivery")}
    assert sink.ranges.keys() == {"folded", "dropped"}
    assert told | waiting == set(range(1, status.last_number + 1))
    assert not told & waiting
    spool.close()


def test_under_the_free_space_an_eighth_is_kept(tmp_path: Path) -> None:
    spool = opened(tmp_path, Limits(max_bytes=LIMIT * 2, min_free_bytes=2**60, ballast_bytes=4096))
    for n in range(200):
        spool.accept([alert(f"{n}", size=4000)])
    assert 100_000 < spool._space.used(spool._connection) < LIMIT
    assert books(tmp_path).sinks["hub"].pending[50] > 20
    spool.close()


def _fill(path: str, limit: int) -> dict[str, int]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    spool = opened(Path(path), Limits(min_free_bytes=0, ballast_bytes=0))
    lost = 0
    for n in range(300):
        batch = [alert(f"{n}-{m}", 90 if m == 0 else 30, size=3000) for m in range(10)]
        lost += spool.accept(batch, b"%d" % n).lost
    return {"lost": lost, "checkpoint": int(spool.checkpoint or b"-1")}


@pytest.mark.parametrize("limit", [3 * LIMIT, 6 * LIMIT])
def test_a_disk_that_is_full_loses_the_lowest_and_goes_on(tmp_path: Path, limit: int) -> None:
    told = in_child(_fill, str(tmp_path), limit)
    status = books(tmp_path)
    accepted = sum(counted["accepted"] for counted in status.sinks["hub"].counters.values())
    assert accepted + told["lost"] == 3000
    assert status.lost.get("disk_full", 0) == told["lost"]
    assert told["checkpoint"] == 299
    assert count(status, 30, "dropped") > 0
    assert count(status, 90, "dropped") == 0


def _fill_hopelessly(path: str) -> dict[str, int]:
    spool = opened(Path(path), Limits(min_free_bytes=0, ballast_bytes=0))
    spool.accept([alert("first", 90)], b"first")
    size = (Path(path) / "spool.db").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    lost = spool.accept([alert(f"{n}", 90, size=200_000) for n in range(20)], b"second").lost
    unmoved = spool.checkpoint == b"first"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    spool.accept([alert("last", 90)], b"third")
    return {"lost": lost, "unmoved": unmoved, "moved": spool.checkpoint == b"third"}


def test_what_cannot_be_written_is_lost_and_counted_and_the_checkpoint_waits(tmp_path: Path) -> None:
    assert in_child(_fill_hopelessly, str(tmp_path)) == {"lost": 20, "unmoved": True, "moved": True}
    assert books(tmp_path).lost == {"disk_full": 20}
