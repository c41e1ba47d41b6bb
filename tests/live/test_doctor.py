"""`doctor` on interfaces: a healthy mirror, one direction, nothing, an interface that is down, an early end."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.apart import ROOT
from tests.live.network import Network, ip
from tests.sensor.doctor.traffic import Frame, announcements, town, without
from tests.sensor.support.rules import vigla_pack

__all__ = ["vigla_pack"]
PATIENCE_SECONDS = 30.0


@contextmanager
def doctor(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """The command, once it watches."""
    command = [sys.executable, "-m", "vigla_sensor", "doctor", "--lang", "en", "--json", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stderr is not None
        assert "watching" in process.stderr.readline()
        try:
            yield process
        finally:
            process.kill()


def finding(document: dict[str, Any], which: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in document["findings"] if each["id"] == which)
    return found


def diagnosed(network: Network, frames: Sequence[Frame], *arguments: str) -> tuple[int, dict[str, Any]]:
    """What it says of these frames, stopped by Ctrl-C once they were sent."""
    with doctor("-i", "mirror0", "--for", "10m", *arguments) as process:
        network.send("mirror0", [frame.data for frame in frames])
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_SECONDS)
        return process.returncode, json.loads(out)


def test_a_healthy_mirror(network: Network) -> None:
    frames = town(40)
    code, document = diagnosed(network, frames)
    assert document["ended_early"] is True
    assert document["seen"]["loss"]["received"] == len(frames)
    assert finding(document, "dropped_none")["numbers"] == {"dropped": 0, "received": len(frames), "share": 0.0}
    assert {"mirror", "both_sides", "dns_seen", "interfaces_up"} <= {each["id"] for each in document["findings"]}
    # Time servers of the recipe answer at a fixed time: the box's clock is told to be off, as it should be.
    grave = {each["id"] for each in document["findings"] if each["severity"] in ("blind", "warning")}
    assert grave - {"clock_unsynchronized"} == {"clock_off_ntp"}
    assert code == 1


def test_one_direction(network: Network) -> None:
    inside = without(town(40), lambda frame: not frame.sender.startswith("10.20."))
    _, document = diagnosed(network, inside)
    assert finding(document, "one_sided_inward")["severity"] == "blind"


def test_a_port_that_is_no_mirror(network: Network) -> None:
    _, document = diagnosed(network, list(announcements(30)))
    assert finding(document, "no_mirror")["severity"] == "blind"


def test_only_the_boxs_own_conversations(network: Network) -> None:
    ip("addr", "add", "10.20.1.1/24", "dev", "mirror0")
    own = [frame for frame in town(1) if frame.sender or frame.vlan]
    _, document = diagnosed(network, own)
    assert finding(document, "only_own")["numbers"]["others"] == 0


def test_vlans_that_the_card_took_off_are_seen(network: Network) -> None:
    code, document = diagnosed(network, town(40, vlans=(10, 20)), "--vlan", "10,20,30")
    assert code == 1
    assert finding(document, "vlans_missing")["numbers"] == {"missing": [30], "there": [10, 20]}


def test_an_interface_that_is_down_or_absent(network: Network) -> None:
    network.state("mirror0", "down")
    with doctor("-i", "mirror0", "-i", "mirror7", "--for", "3s") as process:
        out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    document = json.loads(out)
    assert process.returncode == 1
    assert document["ended_early"] is False
    assert finding(document, "interface_down")["numbers"] == {"name": "mirror0"}
    assert finding(document, "interface_absent")["numbers"] == {"name": "mirror7"}
    assert finding(document, "silent")


def test_it_ends_by_itself_and_says_what_it_did(network: Network) -> None:
    command = [sys.executable, "-m", "vigla_sensor", "doctor", "--lang", "el", "-i", "mirror0", "--for", "2s"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert "παρακολούθηση: mirror0, για 2,0 δευτ." in done.stderr
    assert re.search(r"2,\d δευτ\. από 2,0 δευτ\., 0 πακέτα", done.stderr)
    assert "Δεν φτάνει τίποτα" in done.stdout


@pytest.mark.parametrize("name", ["mirror0"])
def test_without_permission_it_says_what_is_missing(network: Network, name: str) -> None:
    command = [sys.executable, "-m", "vigla_sensor", "doctor", "--lang", "en", "-i", name, "--for", "2s"]
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "CAP_NET_RAW" in done.stderr


def test_a_configuration_says_what_is_expected(network: Network, vigla_pack: Path, tmp_path: Path) -> None:
    config = tmp_path / "sensor.toml"
    config.write_text(
        f"""
[sensor]
id = "kalamata-1"
organization = {{id = "kalamata", name = "Δήμος Καλαμάτας"}}
local_networks = ["10.0.0.0/8", "203.0.113.0/24"]
[pack]
path = "{vigla_pack}"
[[interfaces]]
name = "mirror0"
ring_mb = 2
snaplen = 96
vlans = [10]
[spool]
path = "spool.db"
max_bytes = 1000000000000000
""",
        encoding="utf-8",
    )
    with doctor("--config", str(config)) as process:
        network.send("mirror0", [frame.data for frame in town(40)])
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    document = json.loads(out)
    found = {each["id"]: each["numbers"] for each in document["findings"]}
    assert found["vlans_stripped"] == {"missing": [10]}
    assert found["cut_configured"]["snaplen"] == 96
    assert found["disk_short"]["wanted"] > found["disk_short"]["free"] > 0
    assert found["rules_silent"]["n"] > 0
    assert "local_said" in found
