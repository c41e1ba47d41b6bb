"""The whole program on an interface: configuration, check, run, an alert in the spool, a clean end."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live.frames import answer, question
from tests.live.network import Network
from tests.live.watching import PATIENCE_SECONDS
from tests.sensor.support.rules import vigla_pack
from vigla_sensor.spool import read_status

__all__ = ["vigla_pack"]
NAME = "portal.abcdefgh.onion.to"


@pytest.fixture
def config(tmp_path: Path, vigla_pack: Path) -> Path:
    (tmp_path / "credential").write_text("secret", encoding="utf-8")
    path = tmp_path / "sensor.toml"
    path.write_text(
        f"""
[sensor]
id = "kalamata-1"
local_networks = ["192.0.2.0/24"]
organization = {{id = "kalamata", name = "Δήμος Καλαμάτας"}}
[pack]
path = "{vigla_pack}"
[[interfaces]]
name = "mirror0"
ring_mb = 2
[spool]
path = "spool.db"
min_free_bytes = 0
[sinks.hub]
url = "http://127.0.0.1:9"
credential = "file:credential"
""",
        encoding="utf-8",
    )
    return path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "vigla_sensor", *arguments]


def test_an_alert_of_live_traffic_reaches_the_spool(network: Network, config: Path) -> None:
    spool = config.parent / "spool.db"
    with subprocess.Popen(
        command("run", "--config", str(config)), stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            assert process.stderr is not None
            assert "sensing: mirror0, 0 files" in process.stderr.readline()
            network.send("mirror0", [question(1, NAME), answer(1, NAME)])
            deadline = time.monotonic() + PATIENCE_SECONDS
            while read_status(spool).last_number < 1:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE_SECONDS) == 0
        finally:
            process.kill()
    assert read_status(spool).last_number >= 1


def test_check_finds_the_interface_fit_or_says_why_not(network: Network, config: Path) -> None:
    fine = subprocess.run(command("check", "--config", str(config)), capture_output=True, text=True, check=False)
    assert fine.returncode == 0
    assert "interfaces" not in fine.stdout
    network.remove("mirror0")
    absent = subprocess.run(command("check", "--config", str(config)), capture_output=True, text=True, check=False)
    assert absent.returncode == 0
    assert "warning: interfaces: mirror0: there is no such interface" in absent.stdout
    config.write_text(config.read_text(encoding="utf-8").replace("ring_mb = 2", 'filter = "not port 443"'), "utf-8")
    wrong = subprocess.run(command("check", "--config", str(config)), capture_output=True, text=True, check=False)
    assert wrong.returncode == 1
    assert "interfaces[0].filter: 'not' is no number" in wrong.stdout
    assert "tcpdump" in wrong.stdout
