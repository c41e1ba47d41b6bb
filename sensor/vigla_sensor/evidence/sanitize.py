"""Makes a capture fit to be released: payload out, addresses behind pseudonyms, times and shapes kept.

A frame that cannot be taken apart is left out and counted, never copied as it is.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet
from scapy.utils import PcapReader, PcapWriter


@dataclass(frozen=True, slots=True)
class Sanitized:
    """Frames in, frames out, and why the others were left out."""

    read: int
    written: int
    left_out: Mapping[str, int]


@dataclass(slots=True)
class Pseudonyms:
    """Stable replacements for addresses under a secret key: the same address gives the same pseudonym, never back.

    IPv4 addresses become 10.0.0.0/8, IPv6 addresses fd00::/8, hardware addresses locally administered ones. Two
    addresses may share a pseudonym (24 bits for IPv4): a capture that is released is small, and a collision hides more
    than it shows.
    """

    key: bytes
    seen: dict[str, str] = field(default_factory=dict)

    def _digest(self, text: str) -> bytes:
        return hmac.new(self.key, text.encode(), hashlib.sha256).digest()

    def ip(self, text: str) -> str:
        """The pseudonym of an address; multicast, broadcast and unspecified ones say nothing and stay."""
        if text not in self.seen:
            address = ipaddress.ip_address(text)
            if address.is_multicast or address.is_unspecified or text == "255.255.255.255":
                self.seen[text] = text
            elif address.version == 4:
                self.seen[text] = str(ipaddress.IPv4Address(b"\x0a" + self._digest(text)[:3]))
            else:
                self.seen[text] = str(ipaddress.IPv6Address(b"\xfd" + self._digest(text)[:15]))
        return self.seen[text]

    def mac(self, text: str) -> str:
        """The pseudonym of a hardware address; group addresses stay."""
        if int(text[:2], 16) & 1:
            return text
        return ":".join(f"{b:02x}" for b in b"\x02" + self._digest(text)[:5])


def _without_payload(packet: Packet, pseudonyms: Pseudonyms) -> Packet | None:
    """The frame's headers with pseudonyms; ``None`` where it holds something else than IP or ARP."""
    out = Ether(src=pseudonyms.mac(packet.src), dst=pseudonyms.mac(packet.dst))
    layer = packet.payload
    while isinstance(layer, Dot1Q):
        out /= Dot1Q(vlan=layer.vlan, prio=layer.prio)
        layer = layer.payload
    if isinstance(layer, ARP):
        return out / ARP(
            op=layer.op,
            hwsrc=pseudonyms.mac(layer.hwsrc),
            hwdst=pseudonyms.mac(layer.hwdst),
            psrc=pseudonyms.ip(layer.psrc),
            pdst=pseudonyms.ip(layer.pdst),
        )
    if isinstance(layer, IP):
        out /= IP(
            src=pseudonyms.ip(layer.src),
            dst=pseudonyms.ip(layer.dst),
            ttl=layer.ttl,
            id=layer.id,
            flags=layer.flags,
            frag=layer.frag,
            proto=layer.proto,
        )
    elif isinstance(layer, IPv6):
        out /= IPv6(src=pseudonyms.ip(layer.src), dst=pseudonyms.ip(layer.dst), hlim=layer.hlim, nh=layer.nh)
    else:
        return None
    inner = layer.payload
    if isinstance(inner, TCP):
        out /= TCP(
            sport=inner.sport, dport=inner.dport, seq=inner.seq, ack=inner.ack, flags=inner.flags, window=inner.window
        )
    elif isinstance(inner, UDP):
        out /= UDP(sport=inner.sport, dport=inner.dport)
    elif isinstance(inner, ICMP):
        out /= ICMP(type=inner.type, code=inner.code)
    return out


def sanitize(source: Path, target: Path, key: bytes) -> Sanitized:
    """Writes the releasable form of capture ``source`` (Ethernet) to ``target``; ``key`` is at least 16 secret bytes.

    The original length of each frame is kept in the capture's header, so that volumes can still be read.
    Raises ``ValueError`` for a short key and ``scapy.error.Scapy_Exception`` for a file that is no capture.
    """
    if len(key) < 16:
        raise ValueError(
            "the key of the pseudonyms must have at least 16 bytes: pseudonyms under a short key can be undone"
        )
    pseudonyms = Pseudonyms(key)
    left_out: Counter[str] = Counter()
    read = written = 0
    with PcapReader(str(source)) as packets, PcapWriter(str(target), linktype=1) as out:
        for packet in packets:
            read += 1
            if not isinstance(packet, Ether):
                left_out["not_ethernet"] += 1
                continue
            clean = _without_payload(packet, pseudonyms)
            if clean is None:
                left_out["not_ip"] += 1
                continue
            clean.time = packet.time
            clean.wirelen = packet.wirelen or len(packet)
            out.write(clean)
            written += 1
    return Sanitized(read, written, dict(left_out))
