"""The spool against an obvious model: after any sequence of operations both say the same, and the books balance."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.sensor.support.alerts import INDEX, alert
from tests.sensor.support.clock import FakeClock
from vigla_sensor.spool import Fate, Lane, Limits, Settlement, Spool, SpooledAlert, open_spool, read_status

SINKS = ("hub", "elasticsearch")
OTHER = "vigla-alerts-kalamata-2025"
LIMITS = Limits(min_free_bytes=0, ballast_bytes=0)


class SpoolMachine(RuleBasedStateMachine):
    """The model is a dictionary per sink: id to where it is (`pending`, or a fate)."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vigla-spool-"))
        self.clock = FakeClock()
        self.spool: Spool = self.reopened()
        self.where: dict[str, dict[str, str]] = {sink: {} for sink in SINKS}
        self.severity: dict[str, int] = {}
        self.repeated = 0
        self.checkpoint: bytes | None = None
        self.leased: dict[str, list[SpooledAlert]] = {sink: [] for sink in SINKS}

    def reopened(self) -> Spool:
        return open_spool(self.folder / "spool.db", SINKS, self.clock, LIMITS)

    @rule(
        names=st.lists(st.integers(0, 60), max_size=8),
        severity=st.sampled_from((10, 30, 50, 70, 90)),
        index=st.sampled_from((INDEX, OTHER)),
        checkpoint=st.none() | st.binary(max_size=4),
    )
    def accept(self, names: list[int], severity: int, index: str, checkpoint: bytes | None) -> None:
        batch = [alert(f"{name}", severity, index=index) for name in names]
        done = self.spool.accept(batch, checkpoint)
        new = 0
        for each in batch:
            if each.event_id in self.severity:
                self.repeated += 1
                continue
            new += 1
            self.severity[each.event_id] = severity
            for sink in SINKS:
                self.where[sink][each.event_id] = "pending"
        assert (done.new, done.repeated) == (new, len(batch) - new)
        self.checkpoint = self.checkpoint if checkpoint is None else checkpoint

    @rule(sink=st.sampled_from(SINKS), lane=st.sampled_from(list(Lane)), limit=st.integers(1, 10))
    def lease(self, sink: str, lane: Lane, limit: int) -> None:
        self.spool.release(sink)
        self.leased[sink] = self.spool.lease(sink, lane, limit, 1_000_000)
        for each in self.leased[sink]:
            assert self.where[sink][each.event_id] == "pending"
            assert each.severity in lane.value

    @rule(sink=st.sampled_from(SINKS), data=st.data())
    def settle(self, sink: str, data: st.DataObject) -> None:
        ends = (Fate.DELIVERED, Fate.ALREADY_THERE, Fate.DEAD_LETTERED, None)
        chosen = [(each, data.draw(st.sampled_from(ends))) for each in self.leased[sink]]
        assert self.spool.settle(sink, [Settlement(each.number, fate) for each, fate in chosen if fate])
        self.spool.release(sink)
        for each, fate in chosen:
            if fate and self.where[sink][each.event_id] == "pending":
                self.where[sink][each.event_id] = fate
        self.leased[sink] = []

    @rule(sink=st.sampled_from(SINKS), index=st.sampled_from((INDEX, OTHER)))
    def park(self, sink: str, index: str) -> None:
        self.spool.park(sink, index, "closed")
        assert all(each.index_name != index for each in self.spool.lease(sink, Lane.REST, 100, 1_000_000))
        self.spool.release(sink)
        self.leased[sink] = []
        self.spool.unpark(sink, index)

    @rule(sink=st.sampled_from((*SINKS, None)))
    def redrive(self, sink: str | None) -> None:
        moved = 0
        for name in SINKS if sink is None else (sink,):
            for event_id, place in self.where[name].items():
                if place == Fate.DEAD_LETTERED:
                    self.where[name][event_id] = "pending"
                    moved += 1
        assert self.spool.redrive(sink) == moved

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = self.reopened()
        self.leased = {sink: [] for sink in SINKS}
        assert self.spool.checkpoint == self.checkpoint

    @rule()
    def maintain(self) -> None:
        self.spool.maintain()

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "spool"):
            return
        status = read_status(self.folder / "spool.db")
        assert status.violations == ()
        assert status.repeated == self.repeated
        assert status.last_number == len(self.severity)
        for sink in SINKS:
            found = status.sinks.get(sink)
            for severity in (10, 30, 50, 70, 90):
                mine = [place for event_id, place in self.where[sink].items() if self.severity[event_id] == severity]
                counted = found.counters.get(severity, {}) if found else {}
                assert (found.pending.get(severity, 0) if found else 0) == mine.count("pending")
                for fate in (Fate.DELIVERED, Fate.ALREADY_THERE, Fate.DEAD_LETTERED):
                    assert counted.get(fate, 0) == mine.count(fate)

    def teardown(self) -> None:
        if hasattr(self, "spool"):
            self.spool.close()
            shutil.rmtree(self.folder)


TestSpoolModel = SpoolMachine.TestCase
TestSpoolModel.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
