"""`vigla_native` by itself: what it gives, what it refuses and how it says so."""

import json
import os
import threading
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from tests.sensor.native.packs import DOOR, line, pack
from vigla_sensor import engine


def replayed(settings: bytes, data: bytes, *paths: Path) -> list[dict[str, object]]:
    replay = engine.Replay(settings, data, [str(path) for path in paths])
    alerts = []
    while True:
        batch = replay.poll(2)
        assert len(batch.alerts) <= 2
        assert batch.checkpoint is None
        alerts += [json.loads(alert) for alert in batch.alerts]
        if batch.finished:
            return alerts


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "door.log"
    path.write_text("".join(line(second, "bad") for second in range(4)), encoding="utf-8")
    return path


def settings_for(path: Path) -> bytes:
    return json.dumps({"files": [{"path": str(path)}]}).encode()


def test_files_become_alerts_with_the_documented_keys(log: Path) -> None:
    alerts = replayed(b'{"sensor": "s"}', pack(), log)
    kinds = [alert["kind"] for alert in alerts]
    # The third failure completes the correlation.
    assert kinds == ["match"] * 3 + ["correlation", "match", "correlation-summary"]
    match, many = alerts[0], alerts[3]
    assert match["rule"] == "fail"
    assert match["ts"] == 1_772_349_000 * 10**9
    assert match["input"] == "door.log"
    assert match["event"]["what"] == "bad"  # type: ignore[index]
    assert match["matched"] == [
        {"selection": "selection", "field": "what", "op": "eq", "value": "bad", "actual": "bad"}
    ]
    assert many["correlation"]["count"] == 3  # type: ignore[index]
    assert many["correlation"]["group"] == {"src": "x"}  # type: ignore[index]
    assert len({str(alert["event_id"]) for alert in alerts}) == 6


def test_another_sensor_gives_other_ids(log: Path) -> None:
    ids = [
        {str(alert["event_id"]) for alert in replayed(b'{"sensor": "%s"}' % name, pack(), log)} for name in (b"a", b"b")
    ]
    assert not ids[0] & ids[1]


def test_events_are_printed_to_the_descriptor_and_it_stays_open(log: Path) -> None:
    reader, writer = os.pipe()
    try:
        counters, warnings = engine.events([str(log)], b"{}", writer, pack())
        os.write(writer, b"still ours\n")
    finally:
        os.close(writer)
    with open(reader, encoding="utf-8") as pipe:  # noqa: PTH123 - a descriptor has no path
        lines = pipe.read().splitlines()
    assert (counters["events"], counters["log.mapped"], warnings) == (4, 4, [])
    assert lines[-1] == "still ours"
    first = json.loads(lines[0])
    assert list(first)[:3] == ["_path", "ts", "uid"]
    assert first["_path"] == "door"


def test_a_closed_descriptor_is_an_os_error(log: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    with pytest.raises(OSError, match="output cannot be written"):
        engine.events([str(log)], b"{}", writer, pack())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"rules: []", "no ZIP"),
        (pack()[:-30], "pack refused"),
        (pack(spoil={"texts.json": b"{}"}), "texts.json"),
        (pack(source={**DOOR, "pasre": {}}), "did you mean 'parse'"),
        (pack(source={**DOOR, "parse": {"kind": "xml"}}), "unknown value 'xml'"),
    ],
)
def test_a_bad_pack_is_refused_everywhere(log: Path, data: bytes, why: str) -> None:
    for take in (
        lambda: engine.Replay(b"{}", data, [str(log)]),
        lambda: engine.Sensor(b"{}", data),
        lambda: engine.pack_info(data),
    ):
        with pytest.raises(engine.PackError, match=why):
            take()
    assert issubclass(engine.PackError, ValueError)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (b'{"sensro": "x"}', "sensro: unknown key 'sensro'; did you mean 'sensor'"),
        (b'{"files": [{"path": "x", "source": "dor"}]}', "did you mean 'door'"),
        (b'{"local_networks": ["10.0.0.0/99"]}', "local_networks"),
        (b'{"zone": "Atlantis"}', "no time zone"),
        (b"not json", "settings"),
    ],
)
def test_bad_settings_are_refused(settings: bytes, why: str) -> None:
    with pytest.raises(engine.SettingsError, match=why):
        engine.Sensor(settings, pack())


def test_what_is_no_capture_is_refused_and_a_cut_one_is_read_up_to_there(tmp_path: Path) -> None:
    whole = tmp_path / "x.pcap"
    frames = [
        Ether() / IP(src=f"192.0.2.{n}", dst="198.51.100.1") / UDP(sport=4000 + n, dport=9) / b"x" for n in range(3)
    ]
    wrpcap(str(whole), frames)
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole.read_bytes()[:-5])
    with open(os.devnull, "wb") as out:  # noqa: PTH123
        _, warnings = engine.events([str(cut)], b"{}", out.fileno())
        counters, _ = engine.events([str(whole)], b"{}", out.fileno())
    assert len(warnings) == 1
    assert "cut.pcap: cut short in packet 3 at byte" in warnings[0]
    assert counters["capture.packets"] == 3
    fake = tmp_path / "fake.pcap"
    fake.write_text("this is no capture", encoding="utf-8")
    for path, why in ((fake, "not a capture: it starts with 74 68"), (tmp_path / "none", "none: No such file")):
        with pytest.raises(engine.InputError, match=why):
            engine.Replay(b"{}", pack(), [str(path)])
    log = tmp_path / "x.log"
    log.write_text(line(0, "bad"), encoding="utf-8")
    with pytest.raises(engine.InputError, match="source definitions of a pack"):
        engine.events([str(log)], b"{}", 1)


def test_a_rule_and_lines_are_explained(log: Path, tmp_path: Path) -> None:
    tree = json.loads(engine.explain(pack(), "fail", b'{"what": "bad"}'))
    assert tree["matches"] is True
    with pytest.raises(engine.SettingsError, match="no rule 'fial'"):
        engine.explain(pack(), "fial", b"{}")
    with pytest.raises(engine.InputError, match="line 1: it is JSON and no object"):
        engine.explain(pack(), "fail", b"[1]")
    second = json.loads(engine.explain(pack(), "fail", b'{"what": "x"} {"what": "bad"}', number=2))
    assert (second["matches"], second["event"]) == (True, {"number": 2, "of": 2})
    out = tmp_path / "out"
    with out.open("wb") as file:
        counters = engine.sources_explain(pack(), b"{}", str(log), file.fileno())
    assert counters["log.received"] == 4
    assert json.loads(out.read_text(encoding="utf-8").splitlines()[0])["source"] == "door"


def test_the_cost_of_each_rule_is_told() -> None:
    report = json.loads(engine.index_report(pack()))
    costs = {rule["id"]: rule for rule in report["rules"]}
    assert (costs["fail"]["always"], costs["fail"]["predicates"]) == (False, 1)
    assert costs["fail"]["needles"] == report["needles"] == 1
    assert 0 < costs["fail"]["share"] < 1


def test_lines_of_json_are_matched(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"what": "good"}\n{"what": "bad"}\n', encoding="utf-8")
    out = tmp_path / "out"
    with out.open("wb") as file:
        engine.match_lines(pack(), str(path), b'{"product": "test"}', file.fileno())
    assert json.loads(out.read_text(encoding="utf-8")) == {"line": 1, "rules": ["fail"]}


def test_pack_info_is_what_the_pack_holds() -> None:
    info = json.loads(engine.pack_info(pack()))
    assert info["sources"] == ["door"]
    assert [rule["metadata"]["id"] for rule in info["rules"]] == ["fail"]
    assert [each["type"] for each in info["correlations"]] == ["event_count"]


def drained(sensor: engine.Sensor, alerts: int) -> tuple[list[str], bytes | None]:
    """Polls until so many alerts and a checkpoint after them have come."""
    ids: list[str] = []
    checkpoint = None
    for _ in range(600):
        batch = sensor.poll(10, 0.1)
        ids += [json.loads(alert)["event_id"] for alert in batch.alerts]
        checkpoint = batch.checkpoint if batch.alerts or batch.checkpoint else checkpoint
        if len(ids) >= alerts and checkpoint is not None:
            return ids, checkpoint
    raise AssertionError(f"{len(ids)} alerts, expected {alerts}: {sensor.stats()}")


def test_the_sensor_follows_stops_and_goes_on_after_its_checkpoint(log: Path) -> None:
    sensor = engine.Sensor(settings_for(log), pack())
    sensor.start()
    ids, checkpoint = drained(sensor, 5)
    sensor.stop()
    while not sensor.poll(10, 0.1).finished:
        pass
    with log.open("a", encoding="utf-8") as file:
        file.write(line(30, "bad", "y"))
    again = engine.Sensor(settings_for(log), pack(), checkpoint)
    again.start()
    more, _ = drained(again, 1)
    again.stop()
    assert len(more) == 1
    assert not set(more) & set(ids)
    assert again.stats()["log.received"] == 1


def test_polling_lets_other_threads_run(log: Path) -> None:
    sensor = engine.Sensor(settings_for(log.with_name("absent.log")), pack())
    sensor.start()
    ran = threading.Event()
    thread = threading.Thread(target=lambda: (sensor.stats(), ran.set()))
    thread.start()
    sensor.poll(1, 0.5)
    assert ran.is_set()
    thread.join()
    sensor.stop()


def test_a_refused_pack_or_overlay_leaves_the_ones_in_force(log: Path) -> None:
    sensor = engine.Sensor(settings_for(log), pack())
    sensor.overlay(b'{"simulate": ["fail"]}')
    with pytest.raises(engine.SettingsError, match="did you mean 'simulate'"):
        sensor.overlay(b'{"simulat": []}')
    with pytest.raises(engine.PackError):
        sensor.reload(b"x")
    sensor.start()
    ids, _ = drained(sensor, 1)
    sensor.stop()
    assert len(ids) == 1  # the correlation alone
    assert sensor.stats()["alerts.withheld{simulate}"] == 4


def test_a_negative_timeout_is_refused(log: Path) -> None:
    with pytest.raises(ValueError, match="timeout"):
        engine.Sensor(settings_for(log), pack()).poll(1, -1.0)
