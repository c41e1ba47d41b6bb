"""The whole way once: the demo with real sensors and a real console, and nothing left behind at its end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
STARTUP = 120.0  # seconds: two cores that other lanes use too
SETTLING = 30.0
OUR_FORM = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}  # what a browser sends under no-referrer


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: its address, log-ins and what each town's story should show."""

    process: subprocess.Popen[str]
    data: Path
    address: str
    passwords: dict[str, str]
    expected: dict[str, set[str]]

    @contextlib.contextmanager
    def browser(self, login: str) -> Iterator[httpx.Client]:
        """A signed-in client, as a browser without JavaScript would be."""
        with httpx.Client(base_url=self.address, follow_redirects=True, timeout=30) as client:
            form = {"login": login, "password": self.passwords[login]}
            answer = client.post("/login", data=form, headers=OUR_FORM)
            assert answer.status_code == 200, answer.text[:500]
            yield client


def read_until(process: subprocess.Popen[str], ending: str) -> str:
    assert process.stdout is not None
    deadline, text = time.monotonic() + STARTUP, ""
    while ending not in text:
        line = process.stdout.readline()
        if not line or time.monotonic() > deadline:
            pytest.fail(f"the demo did not get as far as {ending!r}:\n{text}")
        text += line
    return text


def processes_about(folder: Path) -> list[int]:
    """Processes that name the folder in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command:
                found.append(int(entry.name))
    return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    data = tmp_path_factory.mktemp("demo")
    pack = data / "vigla.vpk"
    compiled = [sys.executable, "-m", "vigla_rules", "compile", str(ROOT / "rules" / "pack"), "--strict"]
    subprocess.run([*compiled, "-o", str(pack)], check=True, capture_output=True)
    command = [sys.executable, str(ROOT / "deploy" / "demo" / "demo.py"), "--pack", str(pack)]
    process = subprocess.Popen(
        [*command, "--data", str(data / "demo"), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            text = read_until(process, "Ctrl-C")
            address = re.search(r"http://127\.0\.0\.1:\d+", text)
            assert address, text
            logins = (data / "demo" / "hub" / "logins.txt").read_text().split("\n")
            passwords = {words[0]: words[1] for words in (line.split() for line in logins) if words}
            manifest = json.loads((data / "demo" / "towns" / "manifest.json").read_text())
            expected = {town: set(story["expect"]) for town, story in manifest["towns"].items()}
            yield Demo(process, data, address[0], passwords, expected)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(30)
    assert process.returncode == 0
    assert processes_about(data / "demo") == []


def groups(client: httpx.Client) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    after: str | None = None
    while True:
        answer = client.get("/api/v1/groups", params={"size": 50} | ({"after": after} if after else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["groups"]
        after = page["next"]
        if after is None:
            return found


def shown(client: httpx.Client) -> dict[str, set[str]]:
    towns: dict[str, set[str]] = {}
    for group in groups(client):
        towns.setdefault(str(group["tenant"]), set()).add(str(group["rule_name"]))
    return towns


def test_each_town_shows_its_story_to_the_soc(demo: Demo) -> None:
    with demo.browser("analyst") as client:
        deadline = time.monotonic() + SETTLING
        while True:
            towns = shown(client)
            missing = {
                t: names - towns.get(t, set()) for t, names in demo.expected.items() if names - towns.get(t, set())
            }
            if not missing or time.monotonic() > deadline:
                break
            time.sleep(0.5)
    assert missing == {}


def test_the_officer_sees_one_town(demo: Demo) -> None:
    with demo.browser("officer") as client:
        assert set(shown(client)) == {"orestiada"}


def test_one_source_in_four_towns_is_a_cluster(demo: Demo) -> None:
    with demo.browser("analyst") as client:
        clusters = client.get("/api/v1/clusters").json()
    spans = [len({member["tenant"] for member in cluster["members"]}) for cluster in clusters]
    assert max(spans) == 4


def test_the_telework_compromise_is_an_incident(demo: Demo) -> None:
    with demo.browser("officer") as client:
        incidents = client.get("/api/v1/incidents").json()
        page = client.get("/")
    assert [i["tenant"] for i in incidents] == ["orestiada"] * len(incidents)
    assert incidents
    assert page.status_code == 200


def test_every_sensor_delivered_all_it_accepted(demo: Demo) -> None:
    for town in demo.expected:
        config = demo.data / "demo" / "sensors" / f"{town}-1" / "sensor.toml"
        command = [sys.executable, "-m", "vigla_sensor", "spool", "status", "--config", str(config), "--json"]
        status = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        counters = status["sinks"]["hub"]["counters"].values()
        assert status["violations"] == []
        assert status["sinks"]["hub"]["pending"] == {}
        assert sum(c["accepted"] for c in counters) == sum(c["delivered"] for c in counters) > 0


def test_lines_written_now_become_a_live_alert(demo: Demo) -> None:
    now = time.time_ns()
    line = (
        'date=2026-01-01 time=00:00:00 devname="fw" devid="FGT60F0000000001" eventtime={} tz="+0200" '
        'logid="0101039426" type="event" subtype="vpn" level="alert" vd="root" logdesc="SSL VPN login fail" '
        'action="ssl-login-fail" tunneltype="ssl-web" remip=198.51.100.213 user="live{}"'
    )
    with (demo.data / "demo" / "sensors" / "mytilini-1" / "live.log").open("a") as log:
        log.writelines(line.format(now + n * 1_000_000, n) + "\n" for n in range(12))
    with demo.browser("analyst") as client:
        deadline = time.monotonic() + SETTLING
        while time.monotonic() < deadline:
            found = [g for g in groups(client) if g["entity"] == {"kind": "ip", "value": "198.51.100.213"}]
            if found:
                break
            time.sleep(0.2)
    assert {(g["tenant"], g["rule_name"]) for g in found} >= {("mytilini", "VPN Brute Force")}
