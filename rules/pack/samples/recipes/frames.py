"""Ethernet frames with IP, TCP and UDP in them, and a TCP conversation. Nothing here knows an application protocol.

Headers are packed by hand (RFC 791, 768, 9293): scapy's layers take a millisecond a packet, and the demo has thousands.
"""

from __future__ import annotations

import functools
import random
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from scapy.utils import checksum

MSS = 1400
WINDOW = 64240
GATEWAY = b"\x02\x00\x00\x00\x00\x01"
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
TCP, UDP = 6, 17


@dataclass(frozen=True, slots=True)
class Frame:
    """One packet: its time (seconds since 1970, UTC) and its bytes from the Ethernet header on."""

    time: float
    data: bytes


@functools.lru_cache(maxsize=4096)
def mac(address: str) -> bytes:
    """A locally administered hardware address made from an address of 10.0.0.0/8; any other has the gateway's."""
    octets = socket.inet_aton(address)
    return b"\x02\x01" + octets if octets[0] == 10 else GATEWAY


def client_port(flow: int) -> int:
    """An ephemeral port that differs between neighboring flows."""
    return 32768 + flow * 7 % 28000


def ethernet(src: str, dst: str, protocol: int, header: bytes, payload: bytes, checksum_at: int) -> bytes:
    """A frame around a transport header whose checksum, at offset ``checksum_at``, is still zero."""
    addresses = socket.inet_aton(src) + socket.inet_aton(dst)
    length = len(header) + len(payload)
    pseudo = addresses + struct.pack("!HH", protocol, length)
    transport = bytearray(header + payload)
    struct.pack_into("!H", transport, checksum_at, checksum(pseudo + transport))
    ip = bytearray(struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, protocol, 0) + addresses)
    struct.pack_into("!H", ip, 10, checksum(bytes(ip)))
    return mac(dst) + mac(src) + b"\x08\x00" + ip + transport


def udp(time: float, src: tuple[str, int], dst: tuple[str, int], payload: bytes) -> Frame:
    """One UDP datagram from ``src`` to ``dst`` (address, port)."""
    header = struct.pack("!HHHH", src[1], dst[1], 8 + len(payload), 0)
    return Frame(time, ethernet(src[0], dst[0], UDP, header, payload, 6))


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
        yield self._segment("client", SYN)
        yield self._segment("server", SYN | ACK)
        yield self._segment("client", ACK)

    def refused(self) -> Iterator[Frame]:
        """SYN, RST-ACK."""
        yield self._segment("client", SYN)
        yield self._segment("server", RST | ACK)

    def unanswered(self) -> Iterator[Frame]:
        """SYN alone."""
        yield self._segment("client", SYN)

    def client_sends(self, payload: bytes) -> Iterator[Frame]:
        """Client's bytes, cut to segments, and one acknowledgement."""
        yield from self._data("client", "server", payload)

    def server_sends(self, payload: bytes) -> Iterator[Frame]:
        """Server's bytes, cut to segments, and one acknowledgement."""
        yield from self._data("server", "client", payload)

    def close(self) -> Iterator[Frame]:
        """FIN from the client, then from the server."""
        yield self._segment("client", FIN | ACK)
        yield self._segment("server", FIN | ACK)
        yield self._segment("client", ACK)

    def _data(self, sender: str, receiver: str, payload: bytes) -> Iterator[Frame]:
        for begin in range(0, len(payload), MSS):
            yield self._segment(sender, PSH | ACK, payload[begin : begin + MSS])
        yield self._segment(receiver, ACK)

    def _segment(self, sender: str, flags: int, payload: bytes = b"") -> Frame:
        receiver = "server" if sender == "client" else "client"
        src, dst = (self.client, self.server) if sender == "client" else (self.server, self.client)
        acknowledged = self._next[receiver] if flags & ACK else 0
        options = struct.pack("!BBH", 2, 4, MSS + 60) if flags & SYN else b""  # maximum segment size
        words = (20 + len(options)) // 4 << 4
        numbers = (src[1], dst[1], self._next[sender], acknowledged, words, flags, WINDOW, 0, 0)
        header = struct.pack("!HHIIBBHHH", *numbers) + options
        frame = Frame(self.time, ethernet(src[0], dst[0], TCP, header, payload, 16))
        self._next[sender] = (self._next[sender] + len(payload) + bool(flags & (SYN | FIN))) % 2**32
        self.time += self.delay
        return frame
