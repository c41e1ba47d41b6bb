"""Traffic of a small town hall, composed with scapy: computers, a name server, web servers outside, a time server.

Everything is made as a mirror of the whole would carry it; by `Frame.sender` and `Frame.vlan` a test takes parts away.
"""

import random
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Raw

START = 1_795_514_400.0
"""2026-11-24T10:00:00Z."""
INSIDE, NAME_SERVER, TIME_SERVER = "10.20.{}.{}", "192.0.2.53", "192.0.2.123"
OUTER = "203.0.113.7"
"""The firewall's outer address."""
_NTP_EPOCH = 2_208_988_800
_DATE = "Tue, 24 Nov 2026 10:00:{:02d} GMT"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: when, who sent it (an address), in which VLAN, and its bytes."""

    time: float
    sender: str
    vlan: int | None
    data: bytes


def _frame(time: float, vlan: int | None, ip: Packet) -> Frame:
    link = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    if vlan is not None:
        link = link / Dot1Q(vlan=vlan)
    return Frame(time, ip[IP].src, vlan, bytes(link / ip))


def web(time: float, client: str, server: str, port: int, vlan: int | None = None, size: int = 3000) -> Iterator[Frame]:
    """A whole HTTP conversation whose answer has `size` bytes of body."""
    numbers = random.Random(f"{client} {server} {port}")  # noqa: S311  reproducible, not secret
    at = [numbers.getrandbits(31), numbers.getrandbits(31)]
    ends, ports = (client, server), ((port, 80), (80, port))
    request = b"GET / HTTP/1.1\r\nHost: www.example\r\n\r\n"
    head = f"HTTP/1.1 200 OK\r\nDate: {_DATE.format(int(time - START) % 60)}\r\nContent-Length: {size}\r\n\r\n".encode()
    body = head + b"x" * size
    steps: list[tuple[int, str, bytes]] = [(0, "S", b""), (1, "SA", b""), (0, "A", b""), (0, "PA", request)]
    steps += [(1, "A", body[begin : begin + 1400]) for begin in range(0, len(body), 1400)]
    steps += [(0, "A", b""), (0, "FA", b""), (1, "FA", b""), (0, "A", b"")]
    for number, (side, flags, data) in enumerate(steps):
        top = IP(src=ends[side], dst=ends[1 - side], id=numbers.getrandbits(16))
        ack = at[1 - side] if "A" in flags else 0
        segment = TCP(sport=ports[side][0], dport=ports[side][1], flags=flags, seq=at[side], ack=ack)
        yield _frame(time + number / 1000, vlan, top / segment / Raw(data) if data else top / segment)
        at[side] = (at[side] + len(data) + ("S" in flags or "F" in flags)) % 2**32


def dns(time: float, client: str, port: int, server: str = NAME_SERVER, vlan: int | None = None) -> Iterator[Frame]:
    """A question and its answer."""
    question = DNSQR(qname="www.example")
    ask = IP(src=client, dst=server, id=port) / UDP(sport=port, dport=53) / DNS(id=port % 65536, rd=1, qd=question)
    reply = DNS(id=port % 65536, qr=1, ra=1, qd=question, an=DNSRR(rrname="www.example", rdata="198.51.100.1", ttl=60))
    yield _frame(time, vlan, ask)
    yield _frame(time + 0.01, vlan, IP(src=server, dst=client, id=port) / UDP(sport=53, dport=port) / reply)


def ntp(time: float, client: str, ahead: float = 0.0, vlan: int | None = None) -> Iterator[Frame]:
    """A time server's answer, stamped by a clock that is `ahead` seconds before the server's."""
    whole, part = divmod(time - ahead + _NTP_EPOCH, 1)
    stamp = struct.pack("!II", int(whole), int(part * 2**32))
    port = 40_000 + int(time * 10) % 20_000
    # Version 4; a client's question, and a server's answer of stratum 2, at its end the moment at which it was sent.
    ask, answer = Raw(b"\x23" + bytes(47)), Raw(b"\x24\x02" + bytes(38) + stamp)
    yield _frame(time, vlan, IP(src=client, dst=TIME_SERVER) / UDP(sport=port, dport=123) / ask)
    yield _frame(time + 0.005, vlan, IP(src=TIME_SERVER, dst=client) / UDP(sport=123, dport=port) / answer)


def announcements(count: int) -> Iterator[Frame]:
    """What a switch gives to every port: ARP and DHCP."""
    for number in range(count):
        mac = f"02:00:00:00:01:{number % 256:02x}"
        time = START + number / 10
        who = ARP(op=1, hwsrc=mac, psrc=INSIDE.format(1, number % 200 + 1), pdst=INSIDE.format(1, 254))
        yield Frame(time, "", None, bytes(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / who))
        top = IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / Raw(b"\1\1\6\0" + bytes(236))
        yield Frame(time + 0.05, "", None, bytes(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / top))


def town(computers: int = 30, vlans: tuple[int | None, ...] = (None,), ahead: float = 0.0) -> list[Frame]:
    """A healthy mirror: each computer asks DNS, browses twice, and asks the time; one VLAN after the other."""
    found: list[Frame] = list(announcements(10))
    for number in range(computers):
        vlan = vlans[number % len(vlans)]
        client, time = INSIDE.format(1 if vlan is None else vlan, number + 1), START + number
        found += dns(time, client, 50_000 + number, vlan=vlan)
        for visit in range(2):
            server = f"198.51.100.{(number * 2 + visit) % 200 + 1}"
            found += web(time + 0.1 + visit / 10, client, server, 30_000 + number * 2 + visit, vlan)
        found += ntp(time + 0.5, client, ahead, vlan)
    return sorted(found, key=lambda frame: frame.time)


def translated(connections: int = 60, outer: str = OUTER) -> list[Frame]:
    """The wire outside of the firewall: one address, many servers."""
    found = [
        frame
        for number in range(connections)
        for frame in (
            *dns(START + number, outer, 50_000 + number),
            *web(START + number + 0.1, outer, f"198.51.100.{number % 200 + 1}", 30_000 + number),
        )
    ]
    return sorted(found, key=lambda frame: frame.time)


def without(frames: Iterable[Frame], gone: Callable[[Frame], bool]) -> list[Frame]:
    """What is left."""
    return [frame for frame in frames if not gone(frame)]


def write(path: Path, frames: Iterable[Frame], snaplen: int | None = None) -> Path:
    """As pcap with microseconds (Ethernet); with `snaplen` cut, the frames' own lengths kept."""
    with path.open("wb") as out:
        out.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for frame in frames:
            micros = round(frame.time * 1_000_000)
            kept = frame.data[:snaplen]
            out.write(struct.pack("=IIII", micros // 1_000_000, micros % 1_000_000, len(kept), len(frame.data)) + kept)
    return path
