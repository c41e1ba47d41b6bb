"""The courier: what it does with outcomes, and when. The clock is told, the sink is scripted, nothing sleeps."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sensor.support.alerts import INDEX, alert
from tests.sensor.support.clock import FakeClock
from tests.sensor.support.sinks import InlineExecutor, Script, ScriptedSink, created, items
from vigla_sensor.deliver import Courier
from vigla_sensor.deliver.answers import Answered, ItemAnswer, Refused, Silence, Silent
from vigla_sensor.deliver.pacing import LARGEST, LONGEST, Pacing
from vigla_sensor.spool import Limits, Spool, SpooledAlert, Status, open_spool, read_status

CLOSED = "vigla-alerts-kalamata-2025"


class Rig:
    """A courier with its spool; `step` lets time pass until something is done."""

    def __init__(self, folder: Path, script: Script | Iterator[Script]) -> None:
        self.clock, self.path = FakeClock(), folder / "spool.db"
        self.spool: Spool = open_spool(self.path, ("hub",), self.clock, Limits(min_free_bytes=0, ballast_bytes=0))
        self.sink = ScriptedSink(script)
        self.courier = Courier(self.sink, self.spool, self.clock, InlineExecutor(), Pacing(random.Random(7)))  # noqa: S311

    def step(self, seconds: float = 0.0) -> bool:
        self.clock.advance(seconds)
        sent = self.courier.tick()
        self.courier.land()
        return sent

    def books(self) -> Status:
        status = read_status(self.path)
        assert status.violations == ()
        return status

    def counted(self, fate: str) -> int:
        return sum(counted.get(fate, 0) for counted in self.books().sinks["hub"].counters.values())


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[list[Rig]]:
    made: list[Rig] = []
    yield made
    for each in made:
        each.spool.close()


def test_delivers_and_settles(tmp_path: Path) -> None:
    rig = Rig(tmp_path, created)
    rig.spool.accept([alert(f"{n}") for n in range(150)])
    while rig.step():
        pass
    assert [len(batch) for batch in rig.sink.sent] == [100, 50]
    assert rig.counted("delivered") == 150
    assert rig.courier.state.state == "flowing"


def test_priority_goes_four_to_one_while_both_wait(tmp_path: Path) -> None:
    rig = Rig(tmp_path, created)
    rig.courier._pacing.size = 1
    rig.spool.accept([alert(f"{n}-{severity}", severity, size=9_000) for n in range(300) for severity in (70, 30)])
    taken = ""
    for _ in range(15):
        rig.courier._pacing.size = 1
        rig.step()
        taken += "H" if rig.sink.sent[-1][0].severity == 70 else "l"
    assert taken == "HHHHl" * 3


def test_silence_is_retried_with_growing_waits_and_a_half_open_breaker(tmp_path: Path) -> None:
    def fail_then_work() -> Iterator[Script]:
        for _ in range(8):
            yield lambda _: Silent(Silence.CONNECT, "refused")
        while True:
            yield created

    rig = Rig(tmp_path, fail_then_work())
    rig.spool.accept([alert(f"{n}") for n in range(60)])
    waits = []
    for _ in range(8):
        assert rig.step()
        waits.append(rig.courier.due() - rig.clock.monotonic())
        assert not rig.step()
        assert rig.courier.state.state == "waiting"
        rig.clock.advance(waits[-1])
    assert all(0 <= wait <= min(LONGEST, 2.0**n) for n, wait in enumerate(waits))
    assert [len(batch) for batch in rig.sink.sent] == [60] + [10] * 7
    rig.step()
    assert rig.courier.state.state == "flowing"
    while rig.step():
        pass
    assert rig.counted("delivered") == 60


def test_a_wait_the_server_asked_for_is_kept(tmp_path: Path) -> None:
    rig = Rig(tmp_path, lambda _: Refused(429, retry_after=40.0))
    rig.spool.accept([alert("a")])
    rig.step()
    assert rig.courier.due() - rig.clock.monotonic() >= 40.0


def test_too_large_is_halved_until_one_stands_alone(tmp_path: Path) -> None:
    poison = alert("37").event_id

    def picky(batch: list[SpooledAlert]) -> Answered | Refused:
        return Refused(413) if any(each.event_id == poison for each in batch) else created(batch)  # type: ignore[return-value]

    rig = Rig(tmp_path, picky)
    rig.spool.accept([alert(f"{n}") for n in range(60)])
    for _ in range(80):
        rig.step(30)
    assert rig.counted("delivered") == 59
    assert rig.counted("dead_lettered") == 1


def test_a_bad_row_among_good_is_rejected(tmp_path: Path) -> None:
    bad = alert("bad").event_id
    answer = items(
        lambda each: ItemAnswer(
            each.event_id, *((400, "document_parsing_exception") if each.event_id == bad else (201,))
        )
    )
    rig = Rig(tmp_path, answer)
    rig.spool.accept([alert("good"), alert("bad")])
    rig.step()
    assert rig.counted("dead_lettered") == 1
    assert rig.counted("delivered") == 1
    assert rig.spool.parked("hub") == {}


def test_a_wrong_mapping_parks_all_and_buries_none_until_one_passes(tmp_path: Path) -> None:
    mended = False
    bad = alert("bad").event_id

    def strict(each: SpooledAlert) -> ItemAnswer:
        if mended and each.event_id != bad:
            return ItemAnswer(each.event_id, 201)
        return ItemAnswer(each.event_id, 400, "strict_dynamic_mapping_exception", "nope")

    rig = Rig(tmp_path, items(strict))
    rig.spool.accept([alert("bad"), *(alert(f"{n}") for n in range(20))])
    for _ in range(10):
        rig.step(60)
    assert rig.counted("dead_lettered") == 0
    assert "no other document has passed" in rig.spool.parked("hub")[INDEX]
    # One probe a minute, each time the next one.
    probes = [batch[0].number for batch in rig.sink.sent[1:]]
    assert probes == sorted(set(probes))
    assert all(len(batch) == 1 for batch in rig.sink.sent[1:])
    mended = True
    for _ in range(5):
        rig.step(60)
    assert rig.counted("delivered") == 20
    assert rig.counted("dead_lettered") == 1
    assert rig.spool.parked("hub") == {}


def test_a_bad_row_that_is_left_alone_is_buried_once_another_has_passed(tmp_path: Path) -> None:
    bad = alert("bad").event_id
    fault = (400, "document_parsing_exception")
    rig = Rig(tmp_path, items(lambda each: ItemAnswer(each.event_id, *(fault if each.event_id == bad else (201,)))))
    rig.spool.accept([alert("bad")])
    for _ in range(5):
        rig.step(60)
    assert rig.counted("dead_lettered") == 0
    rig.spool.accept([alert("good")])
    for _ in range(4):
        rig.step(60)
    assert rig.counted("delivered") == 1
    assert rig.counted("dead_lettered") == 1


def test_a_closed_index_parks_alone(tmp_path: Path) -> None:
    closed = True

    def answer(each: SpooledAlert) -> ItemAnswer:
        shut = closed and each.index_name == CLOSED
        return ItemAnswer(each.event_id, 400, "index_closed_exception") if shut else ItemAnswer(each.event_id, 201)

    rig = Rig(tmp_path, items(answer))
    rig.spool.accept([alert(f"{n}", index=CLOSED if n % 2 else INDEX) for n in range(20)])
    rig.step()
    rig.spool.accept([alert("later", index=CLOSED), alert("fresh", 90)])
    rig.step()
    assert rig.counted("delivered") == 11
    assert rig.courier.state.state == "flowing"
    assert list(rig.spool.parked("hub")) == [CLOSED]
    closed = False
    for _ in range(3):
        rig.step(60)
    assert rig.counted("delivered") == 22


def test_items_that_were_not_executed_are_sent_again_alone(tmp_path: Path) -> None:
    busy = True

    def answer(each: SpooledAlert) -> ItemAnswer:
        full = busy and each.number % 2 == 0
        return ItemAnswer(each.event_id, *((429, "es_rejected_execution_exception") if full else (201,)))

    rig = Rig(tmp_path, items(answer))
    rig.spool.accept([alert(f"{n}") for n in range(20)])
    rig.step()
    busy = False
    rig.step(5)
    assert sorted(each.number for each in rig.sink.sent[1]) == list(range(2, 21, 2))[: len(rig.sink.sent[1])]
    rig.step(5)
    assert rig.counted("delivered") == 20


def test_contradictions_settle_nothing_and_park_after_five(tmp_path: Path) -> None:
    rig = Rig(tmp_path, lambda batch: Answered(tuple(ItemAnswer("00" * 16, 201) for _ in batch)))
    rig.spool.accept([alert(f"{n}") for n in range(5)])
    states = []
    for _ in range(5):
        rig.step(400)
        states.append(rig.courier.state.state)
    assert states == ["waiting"] * 4 + ["parked"]
    assert rig.spool.pending() == 5


def test_401_is_not_revoked_until_two_minutes_have_passed(tmp_path: Path) -> None:
    rig = Rig(tmp_path, lambda _: Refused(401, "security_exception", "missing"))
    rig.spool.accept([alert("a")])
    rig.step()
    assert "credential refused" not in rig.courier.state.reason
    for _ in range(30):
        rig.step(5)
    assert rig.courier.state.reason.startswith("credential refused")
    assert rig.spool.pending() == 1
    rig.sink._script = created
    rig.step(60)
    assert rig.courier.state.state == "flowing"
    assert rig.spool.pending() == 0


def test_a_parked_sink_is_probed_each_minute_with_one(tmp_path: Path) -> None:
    rig = Rig(tmp_path, lambda _: Refused(403, "security_exception"))
    rig.spool.accept([alert(f"{n}") for n in range(50)])
    rig.step()
    for _ in range(120):
        rig.step(1)
    assert [len(batch) for batch in rig.sink.sent[1:]] == [1, 1]


def test_a_clock_that_jumps_does_not_stick_the_backoff(tmp_path: Path) -> None:
    rig = Rig(tmp_path, lambda _: Silent(Silence.CONNECT, "x"))
    rig.spool.accept([alert("a")])
    rig.step()
    rig.clock.jump(timedelta(days=-3650))
    rig.sink._script = created
    rig.step(LONGEST)
    assert rig.spool.pending() == 0


def test_batches_grow_while_answers_are_fast(tmp_path: Path) -> None:
    rig = Rig(tmp_path, created)
    rig.spool.accept([alert(f"{n}") for n in range(500)])
    pacing = rig.courier._pacing
    for _ in range(40):
        pacing.succeeded(0.1)
    assert pacing.size == LARGEST
    pacing.failed(None, smaller=True, sent=500)
    assert pacing.size == 250
    for _ in range(20):
        pacing.failed(None, smaller=True, sent=500)
    assert pacing.size == 1
