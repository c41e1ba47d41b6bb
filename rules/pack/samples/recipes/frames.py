"""Ethernet frames with IP, TCP and UDP in them, and a TCP conversation. Nothing here knows an application protocol."""

from __future__ import annotations

import functools
import ipaddress
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

MSS = 1400
GATEWAY = "02:00:00:00:00:01"


@dataclass(frozen=True, slots=True)
class Frame:
    """One packet: its time (seconds since 1970, UTC) and its bytes from the Ethernet header on."""

    time: float
    data: bytes


@functools.lru_cache(maxsize=4096)
def mac(address: str) -> str:
    """A locally administered hardware address made from an IPv4 address; hosts outside 10.0.0.0/8 stand behind the gateway's."""
    octets = ipaddress.IPv4Address(address).packed
    return "02:01:" + ":".join(f"{octet:02x}" for octet in octets) if octets[0] == 10 else GATEWAY


def client_port(flow: int) -> int:
    """An ephemeral port that differs between neighboring flows."""
    return 32768 + flow * 7 % 28000


def udp(time: float, src: tuple[str, int], dst: tuple[str, int], payload: bytes) -> Frame:
    """One UDP datagram from ``src`` to ``dst`` (address, port)."""
    head = Ether(src=mac(src[0]), dst=mac(dst[0])) / IP(src=src[0], dst=dst[0], ttl=64)
    return Frame(time, bytes(head / UDP(sport=src[1], dport=dst[1]) / Raw(payload)))


@dataclass(slots=True)
class Conversation:
    """A TCP connection as a mirror port sees it: every method yields the next frames, ``delay`` seconds apart.

    Sequence numbers come from a generator seeded with the flow's number.
    """

    client: tuple[str, int]
    server: tuple[str, int]
    time: float
    flow: int
    delay: float = 0.01
    _next: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        numbers = random.Random(self.flow)  # noqa: S311  reproducible, not secret
        self._next = {"client": numbers.getrandbits(31), "server": numbers.getrandbits(31)}

    def open(self) -> Iterator[Frame]:
        """SYN, SYN-ACK, ACK."""
        yield self._segment("client", "S")
        yield self._segment("server", "SA")
        yield self._segment("client", "A")

    def refused(self) -> Iterator[Frame]:
        """SYN, RST-ACK."""
        yield self._segment("client", "S")
        yield self._segment("server", "RA")

    def unanswered(self) -> Iterator[Frame]:
        """SYN alone."""
        yield self._segment("client", "S")

    def client_sends(self, payload: bytes) -> Iterator[Frame]:
        """Client's bytes, cut to segments, and one acknowledgement."""
        yield from self._data("client", "server", payload)

    def server_sends(self, payload: bytes) -> Iterator[Frame]:
        """Server's bytes, cut to segments, and one acknowledgement."""
        yield from self._data("server", "client", payload)

    def close(self) -> Iterator[Frame]:
        """FIN from the client, then from the server."""
        yield self._segment("client", "FA")
        yield self._segment("server", "FA")
        yield self._segment("client", "A")

    def _data(self, sender: str, receiver: str, payload: bytes) -> Iterator[Frame]:
        for begin in range(0, len(payload), MSS):
            yield self._segment(sender, "PA", payload[begin : begin + MSS])
        yield self._segment(receiver, "A")

    def _segment(self, sender: str, flags: str, payload: bytes = b"") -> Frame:
        receiver = "server" if sender == "client" else "client"
        src, dst = (self.client, self.server) if sender == "client" else (self.server, self.client)
        segment = TCP(sport=src[1], dport=dst[1], flags=flags, seq=self._next[sender], window=64240)
        if "A" in flags:
            segment.ack = self._next[receiver]
        if "S" in flags:
            segment.options = [("MSS", MSS + 60)]
        packet = Ether(src=mac(src[0]), dst=mac(dst[0])) / IP(src=src[0], dst=dst[0], ttl=64) / segment
        frame = Frame(self.time, bytes(packet / Raw(payload) if payload else packet))
        self._next[sender] = (self._next[sender] + len(payload) + ("S" in flags or "F" in flags)) % 2**32
        self.time += self.delay
        return frame
