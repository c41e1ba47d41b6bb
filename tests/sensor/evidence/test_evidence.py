"""What leaves the box: no payload, no address, and a dissection that cannot hang."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw
from scapy.utils import rdpcap, wrpcap

from vigla_sensor.evidence.dissect import DissectionError, dissect
from vigla_sensor.evidence.sanitize import Pseudonyms, sanitize

KEY = b"a key of sixteen+"
SECRET = b"SECRET-AFM-123456789"


def frames() -> list[Ether]:
    ether = Ether(src="00:11:22:33:44:55", dst="66:77:88:99:aa:bb")
    return [
        ether / IP(src="192.0.2.5", dst="198.51.100.7") / TCP(sport=40000, dport=80, flags="PA") / Raw(SECRET),
        ether / Dot1Q(vlan=20) / IP(src="192.0.2.5", dst="203.0.113.9") / UDP(sport=5353, dport=53) / Raw(SECRET),
        ether / ARP(psrc="192.0.2.5", pdst="192.0.2.1"),
        Ether(src="00:11:22:33:44:55", dst="01:80:c2:00:00:00", type=0x88CC) / Raw(SECRET),
    ]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "raw.pcap"
    wrpcap(str(path), frames())
    return path


def test_no_payload_and_no_address_survive(capture: Path, tmp_path: Path) -> None:
    target = tmp_path / "clean.pcap"
    result = sanitize(capture, target, KEY)
    assert (result.read, result.written, dict(result.left_out)) == (4, 3, {"not_ip": 1})
    data = target.read_bytes()
    assert SECRET not in data
    for hidden in (bytes([192, 0, 2, 5]), bytes([198, 51, 100, 7]), bytes.fromhex("001122334455")):
        assert hidden not in data


def test_what_an_analyst_needs_is_kept(capture: Path, tmp_path: Path) -> None:
    target = tmp_path / "clean.pcap"
    sanitize(capture, target, KEY)
    first, second, third = rdpcap(str(target))
    assert (first[TCP].sport, first[TCP].dport, first[TCP].flags) == (40000, 80, "PA")
    assert second[Dot1Q].vlan == 20
    assert first[IP].src == second[IP].src == third[ARP].psrc
    assert first[IP].src.startswith("10.")
    assert first.wirelen == len(frames()[0])


def test_pseudonyms_depend_on_the_key() -> None:
    assert Pseudonyms(KEY).ip("192.0.2.5") != Pseudonyms(b"another key, also long").ip("192.0.2.5")
    assert Pseudonyms(KEY).ip("2001:db8::1").startswith("fd")
    assert Pseudonyms(KEY).ip("224.0.0.251") == "224.0.0.251"


def test_a_short_key_is_refused(capture: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        sanitize(capture, tmp_path / "clean.pcap", b"short")


def test_dissection_names_layers(capture: Path, tmp_path: Path) -> None:
    target = tmp_path / "clean.pcap"
    sanitize(capture, target, KEY)
    packets = dissect(target)
    assert [p.number for p in packets] == [1, 2, 3]
    assert "tcp" in packets[0].layers
    assert packets[0].summary["tcp.dstport"] == "80"


def test_dissection_ends_at_its_deadline(capture: Path) -> None:
    with pytest.raises(DissectionError, match="no end within"):
        dissect(capture, timeout=0.01)


def test_what_is_no_capture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a capture\n")
    with pytest.raises(DissectionError, match=r"notes\.txt"):
        dissect(path)
