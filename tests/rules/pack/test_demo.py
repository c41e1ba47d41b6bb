"""The demo's towns: the same for the same hour, within the day and a half before it, expecting rules that exist."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scapy.utils import RawPcapReader

import vigla_native
from tests.rules.pack.reading import ROOT, alerting, rules
from tests.rules.pack.reading import settings as pack_settings

NOW = "2026-03-02T08:00:00+00:00"
NOW_SECONDS = 1772438400
TOWNS = ("kalamata", "mytilini", "orestiada", "petroupoli")


def compose(folder: Path, now: str = NOW) -> subprocess.CompletedProcess[str]:
    program = ROOT / "deploy" / "demo" / "compose.py"
    command = [sys.executable, str(program), str(folder), "--now", now]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("towns")
    done = compose(folder)
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [
        "petroupoli",
        "mytilini",
        "kalamata",
        "orestiada",
    ]
    return folder


def test_the_same_hour_gives_the_same_bytes(towns: Path, tmp_path: Path) -> None:
    assert compose(tmp_path).returncode == 0
    files = sorted(path.relative_to(towns) for path in towns.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert [str(name) for name in files if (towns / name).read_bytes() != (tmp_path / name).read_bytes()] == []


def test_expects_rules_that_exist(towns: Path) -> None:
    manifest = json.loads((towns / "manifest.json").read_text(encoding="utf-8"))
    titles = {rule.name: rule.body["title"] for rule in alerting()}
    assert sorted(manifest["towns"]) == list(TOWNS)
    for town in manifest["towns"].values():
        assert "vpn_brute_force" in town["rules"]
        assert town["expect"] == [titles[name] for name in town["rules"]]


@pytest.mark.parametrize("town", TOWNS)
def test_lies_within_the_day_and_a_half_before(towns: Path, town: str) -> None:
    with RawPcapReader(str(towns / town / "captures" / "office.pcap")) as reader:
        times = [packet.sec for _, packet in reader]
    assert len(times) > 2000
    assert min(times) >= NOW_SECONDS - 36 * 3600
    assert max(times) <= NOW_SECONDS
    lines = (towns / town / "logs" / "fortigate.log").read_text(encoding="utf-8").splitlines()
    stamps = [int(line.split("eventtime=")[1].split()[0]) // 10**9 for line in lines]
    assert stamps == sorted(stamps)
    assert NOW_SECONDS - 36 * 3600 <= stamps[0] <= stamps[-1] <= NOW_SECONDS


def test_every_town_has_filled_in_the_packs_lists(towns: Path) -> None:
    for town in json.loads((towns / "manifest.json").read_text(encoding="utf-8"))["towns"].values():
        assert set(town["lists"]) == set(pack_settings()["lists"])


@pytest.mark.parametrize("town", TOWNS)
def test_the_sensor_finds_the_stories_and_nothing_else(towns: Path, pack: Path, town: str) -> None:
    told = json.loads((towns / "manifest.json").read_text(encoding="utf-8"))["towns"][town]
    settings = json.dumps({"sensor": f"{town}-1", "local_networks": ["10.0.0.0/8"], "lists": told["lists"]})
    paths = sorted(str(path) for path in (towns / town).rglob("*.*"))
    replay = vigla_native.Replay(settings.encode(), pack.read_bytes(), paths)
    names = {rule.body["id"]: rule.name for rule in rules()}
    found: set[str] = set()
    finished = False
    while not finished:
        batch = replay.poll(1000)
        found |= {names[json.loads(hit)["rule"]] for hit in batch.alerts}
        finished = batch.finished
    assert found == set(told["rules"])
    assert replay.warnings() == []


@pytest.mark.parametrize("town", TOWNS)
def test_one_source_tries_the_vpn_of_every_town(towns: Path, town: str) -> None:
    shared = json.loads((towns / "manifest.json").read_text(encoding="utf-8"))["shared_source"]
    text = (towns / town / "logs" / "fortigate.log").read_text(encoding="utf-8")
    assert text.count(f"remip={shared} ") >= 10


def test_a_moment_without_a_zone_is_refused(tmp_path: Path) -> None:
    done = compose(tmp_path, "2026-03-02T08:00:00")
    assert done.returncode == 2
    assert "has no zone; add +00:00" in done.stderr
