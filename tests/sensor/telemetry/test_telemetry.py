"""Progress for people, the kernel's clock, and the heartbeat's shape."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

from tests.sensor.support.alerts import alert
from tests.sensor.support.clock import FakeClock
from tests.sensor.support.packs import pack_bytes
from tests.sensor.support.sinks import InlineExecutor, ScriptedSink, created
from vigla_sensor.alert import Pack
from vigla_sensor.run.heartbeats import content
from vigla_sensor.run.shipping import Shipping
from vigla_sensor.spool import Fate, Limits, Settlement, open_spool, read_status
from vigla_sensor.telemetry import Progress, kernel_clock

SAMPLE = Path(__file__).resolve().parents[2] / "contract" / "heartbeat.json"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_moves_on_a_terminal_and_is_bounded() -> None:
    now = 0.0
    stream = _Terminal()
    progress = Progress(stream, lambda: now)
    for n in range(1000):
        now += 0.001
        progress.update(f"{n} alerts")
    progress.done("1000 alerts")
    assert stream.getvalue().count("\r") < 15
    assert stream.getvalue().endswith("\r1000 alerts\n")


def test_progress_is_one_plain_line_elsewhere() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.update("working")
    progress.done("done")
    assert stream.getvalue() == "done\n"


def test_the_kernel_answers() -> None:
    synchronized, offset = kernel_clock()
    assert isinstance(synchronized, bool)
    assert abs(offset) < 1e6


def _shape(value: object) -> object:
    """The names in a document and the kinds of its values; maps by counters and severities count as one."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    return type(value).__name__


def test_the_heartbeat_has_the_samples_shape(tmp_path: Path) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 12, tzinfo=UTC))
    spool = open_spool(tmp_path / "spool.db", ("hub",), clock, Limits(min_free_bytes=0, ballast_bytes=0))
    spool.accept([alert(f"{n}") for n in range(3)])
    spool.settle("hub", [Settlement(1, Fate.ALREADY_THERE)])
    shipping = Shipping([ScriptedSink(created)], spool, clock, InlineExecutor())
    status = read_status(tmp_path / "spool.db")
    beat = content("kalamata-1", clock.now(), Pack.read(pack_bytes()), clock, {"log.received": 3}, status, shipping)
    found = json.loads(json.dumps(beat.document()))
    sample = json.loads(SAMPLE.read_text(encoding="utf-8"))
    assert _shape(found) == _shape(sample)
    assert found["sinks"] == sample["sinks"]
    spool.close()
