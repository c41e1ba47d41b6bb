"""The whole command over captures: a healthy mirror, and each of its illnesses, with the real core."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sensor.doctor.traffic import INSIDE, Frame, announcements, town, translated, without, write
from vigla_sensor.cli import main

Say = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def say(capsysbinary: pytest.CaptureFixture[bytes]) -> Say:
    """Runs `doctor --json`; exit code and document."""

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        code = main(["doctor", "--json", "--lang", "en", *arguments])
        return code, json.loads(capsysbinary.readouterr().out)

    return run


def ids(document: dict[str, Any], *severities: str) -> set[str]:
    return {each["id"] for each in document["findings"] if not severities or each["severity"] in severities}


def is_inside(frame: Frame) -> bool:
    return frame.sender.startswith("10.20.")


def test_a_healthy_mirror_calls_for_nothing(say: Say, tmp_path: Path) -> None:
    code, document = say(str(write(tmp_path / "a.pcap", town())))
    assert code == 0
    assert ids(document, "blind", "warning", "note") == set()
    assert {"mirror", "both_sides", "nat_inside", "dns_seen", "holes_none", "clock_right_ntp"} <= ids(document)
    seen = document["seen"]
    assert (seen["reach"]["hosts"], seen["sides"]["outward"], seen["live"]) == (30, 0, False)
    assert seen["content"]["events"] == {"conn": 121, "http": 60, "dns": 30}


@pytest.mark.parametrize("kept_inside", [True, False])
def test_one_direction_only(say: Say, tmp_path: Path, kept_inside: bool) -> None:
    frames = without(town(), lambda frame: bool(frame.sender) and is_inside(frame) != kept_inside)
    code, document = say(str(write(tmp_path / "a.pcap", frames)))
    assert code == 1
    assert ids(document, "blind") == {"one_sided_inward" if kept_inside else "one_sided_outward"}


def test_one_direction_of_one_vlan(say: Say, tmp_path: Path) -> None:
    both = town(60, vlans=(10, 20))
    path = write(tmp_path / "a.pcap", without(both, lambda frame: frame.vlan == 20 and not is_inside(frame)))
    code, document = say(str(path), "--vlan", "10,20,30")
    assert code == 1
    found = {each["id"]: each["numbers"] for each in document["findings"]}
    assert found["vlans_one_sided"]["vlans"] == [20]
    assert found["vlans_missing"]["missing"] == [30]
    assert "one_sided_many" in found
    code, document = say(str(write(tmp_path / "b.pcap", both)), "--vlan", "10,20")
    assert (code, "vlans_all" in ids(document)) == (0, True)


def test_tags_that_the_switch_took_off_are_no_missing_vlans(say: Say, tmp_path: Path) -> None:
    code, document = say(str(write(tmp_path / "a.pcap", town())), "--vlan", "10")
    assert (code, "vlans_stripped" in ids(document), "vlans_missing" in ids(document)) == (1, True, False)


def test_outside_of_the_address_translation(say: Say, tmp_path: Path) -> None:
    code, document = say(str(write(tmp_path / "a.pcap", translated())))
    assert code == 1
    assert ids(document, "blind") == {"nat_only"}
    local = next(each for each in document["findings"] if each["id"] == "local_likely")
    assert local["numbers"]["networks"] == ["203.0.113.0/24"]


def test_outside_of_a_firewall_whose_outer_address_is_private(say: Say, tmp_path: Path) -> None:
    code, document = say(str(write(tmp_path / "a.pcap", translated(outer="192.168.1.2"))))
    assert (code, ids(document, "blind", "warning")) == (1, {"nat_one"})


def test_no_dns(say: Say, tmp_path: Path) -> None:
    frames = without(town(), lambda frame: b"www\x07example" in frame.data)
    code, document = say(str(write(tmp_path / "a.pcap", frames)))
    assert (code, ids(document, "blind", "warning")) == (1, {"dns_none"})


def test_no_mirror_at_all(say: Say, tmp_path: Path) -> None:
    code, document = say(str(write(tmp_path / "a.pcap", announcements(50))))
    assert (code, ids(document, "blind")) == (1, {"no_mirror"})
    code, document = say(str(write(tmp_path / "b.pcap", [])))
    assert (code, ids(document, "blind")) == (1, {"silent"})


def test_packets_that_come_twice(say: Say, tmp_path: Path) -> None:
    twice = [again for frame in town() for again in (frame, Frame(frame.time + 1e-5, "", None, frame.data))]
    code, document = say(str(write(tmp_path / "a.pcap", twice)))
    assert (code, ids(document, "warning")) == (1, {"duplicates"})
    share = next(each for each in document["findings"] if each["id"] == "duplicates")["numbers"]["share"]
    assert share == pytest.approx(0.5, abs=0.02)


def test_frames_that_are_cut(say: Say, tmp_path: Path) -> None:
    code, document = say(str(write(tmp_path / "a.pcap", town(), snaplen=96)))
    assert (code, ids(document, "warning")) == (1, {"cut_file"})


def test_a_mirror_that_loses(say: Say, tmp_path: Path) -> None:
    frames = town(60)
    big = [number for number, frame in enumerate(frames) if len(frame.data) > 1400]
    gone = set(big[::5])
    path = write(tmp_path / "a.pcap", [frame for number, frame in enumerate(frames) if number not in gone])
    code, document = say(str(path))
    assert (code, ids(document, "warning")) == (1, {"holes"})


def test_checksums_that_a_card_was_to_fill_in(say: Say, tmp_path: Path) -> None:
    spoiled = [
        Frame(each.time, each.sender, each.vlan, each.data[:50] + bytes([each.data[50] ^ 0x55]) + each.data[51:])
        if is_inside(each) and each.data[23] == 6
        else each
        for each in town()
    ]
    code, document = say(str(write(tmp_path / "a.pcap", spoiled)))
    assert (code, ids(document, "warning")) == (1, {"checksums_bad"})


@pytest.mark.parametrize(("ahead", "side"), [(90.0, "ahead"), (-90.0, "behind")])
def test_a_clock_that_is_off(say: Say, tmp_path: Path, ahead: float, side: str) -> None:
    code, document = say(str(write(tmp_path / "a.pcap", town(ahead=ahead))))
    assert code == 1
    found = next(each for each in document["findings"] if each["id"] == "clock_off_ntp")
    assert found["numbers"]["step"] == {"side": side, "step": "1h"}


def test_web_servers_tell_the_time_where_no_time_server_does(say: Say, tmp_path: Path) -> None:
    frames = without(town(ahead=0.0), lambda frame: b"\x00\x7b" in frame.data[34:38])
    late = [Frame(frame.time - 3_700, frame.sender, frame.vlan, frame.data) for frame in frames]
    code, document = say(str(write(tmp_path / "a.pcap", late)))
    found = next(each for each in document["findings"] if each["id"] == "clock_off_http")
    assert (code, found["numbers"]["step"]) == (1, {"side": "behind", "step": "1d"})


def test_several_files_are_one_observation(say: Say, tmp_path: Path) -> None:
    frames = town()
    paths = [
        write(tmp_path / "out.pcap", [frame for frame in frames if is_inside(frame)]),
        write(tmp_path / "in.pcap", [frame for frame in frames if not is_inside(frame)]),
    ]
    code, document = say(*map(str, paths))
    assert document["seen"]["frames"]["total"] == len(frames)
    assert document["seen"]["inputs"] == ["out.pcap", "in.pcap"]
    assert code == 1  # each file has connections of its own


def test_a_file_that_is_cut_short_is_read_as_far_as_it_goes(say: Say, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", town())
    path.write_bytes(path.read_bytes()[:-37])
    code, document = say(str(path))
    assert code == 0
    assert "a.pcap" in document["seen"]["warnings"][0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to watch: name a capture"),
        (["/nowhere.pcap"], "/nowhere.pcap: no such file"),
        (["-i", "lo", "--for", "0m"], "--for: '0m' is no time"),
        (["-i", "lo", "--for", "2 weeks"], "90s, 10m or 1h"),
        (["--vlan", "10,4095", "/dev/null"], "--vlan: '10,4095'"),
        (["--vlan", "ten", "/dev/null"], "10,20,30"),
    ],
)
def test_usage_is_told_with_what_to_write(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_file_that_is_no_capture_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(b"\xd4\xc3\xb2\xa1" + b"\xff" * 20)
    assert main(["doctor", str(path)]) == 1
    assert "a.pcap" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("el", ["ΤΥΦΛΟ", "Αντιγράφεται μόνο ό,τι φεύγει", "τι κάνουμε:", "θέλουν διόρθωση: 1"]),
        ("en", ["BLIND", "Only what leaves is mirrored", "what to do:", "to be mended: 1"]),
    ],
)
def test_the_report_is_in_the_language_asked_for(tmp_path: Path, language: str, words: list[str]) -> None:
    path = write(tmp_path / "a.pcap", without(town(), lambda frame: bool(frame.sender) and not is_inside(frame)))
    done = subprocess.run(
        [sys.executable, "-m", "vigla_sensor", "doctor", "--lang", language, str(path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert all(word in done.stdout for word in words), done.stdout
    assert "\x1b" not in done.stdout  # no colors where no terminal is
    assert max(len(line) for line in done.stdout.splitlines()) < 140
    assert INSIDE.format(1, 1) not in done.stdout


def test_the_language_is_the_locales_where_none_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = str(write(tmp_path / "a.pcap", town(2)))
    for locale, word in (("el_GR.UTF-8", "Τι βλέπει"), ("en_US.UTF-8", "What it sees")):
        monkeypatch.setenv("LC_ALL", locale)
        main(["doctor", path])
        assert word in capsysbinary.readouterr().out.decode()
