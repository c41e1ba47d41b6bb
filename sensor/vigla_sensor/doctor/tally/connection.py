"""A `conn` event as the tally needs it: typed, with what is missing replaced, and what can be told of its sides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The other side answered (Zeek's `history`): it acknowledged, sent data or ended; a SYN alone may have met nobody.
_ANSWERED_ORIG, _ANSWERED_RESP = frozenset("ADF"), frozenset("adfh")
_ENCRYPTED_SERVICES = frozenset({"ssl", "quic", "ssh", "dtls", "wireguard", "ipsec", "openvpn"})
_ENCRYPTED_PORTS = frozenset(
    # Where no service was told, the port says it: QUIC, IKE and its NAT form, OpenVPN, WireGuard; HTTPS in midstream.
    {("udp", 443), ("udp", 500), ("udp", 4500), ("udp", 1194), ("udp", 51820)}
    | {("tcp", port) for port in (22, 443, 465, 636, 853, 993, 995, 8443)}
)
_ESP = 50


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection. `sent` are packets, `bytes` IP bytes, `stream` payload bytes, each of both sides."""

    orig: str
    resp: str
    port: int
    proto: str
    service: str
    history: str
    sent: tuple[int, int]
    bytes: int
    stream: int
    missed: int
    local: tuple[bool, bool]
    vlan: int | None
    start: float
    end: float
    ip_proto: int

    @staticmethod
    def read(event: Mapping[str, Any]) -> "Connection":
        """From the event's fields (docs/fields.md, `zeek/conn`)."""
        start = _number(event, "ts")
        vlan = event.get("vlan")
        return Connection(
            orig=str(event.get("id.orig_h", "")),
            resp=str(event.get("id.resp_h", "")),
            port=int(_number(event, "id.resp_p")),
            proto=str(event.get("proto", "")),
            service=str(event.get("service") or "-"),
            history=str(event.get("history", "")),
            sent=(int(_number(event, "orig_pkts")), int(_number(event, "resp_pkts"))),
            bytes=int(_number(event, "orig_ip_bytes") + _number(event, "resp_ip_bytes")),
            stream=int(_number(event, "orig_bytes") + _number(event, "resp_bytes")),
            missed=int(_number(event, "missed_bytes")),
            local=(event.get("local_orig") is True, event.get("local_resp") is True),
            vlan=vlan if isinstance(vlan, int) else None,
            start=start,
            end=start + _number(event, "duration"),
            ip_proto=int(_number(event, "ip_proto")),
        )

    @property
    def both_seen(self) -> bool | None:
        """Whether both sides were seen; None where one may have been alone: unanswered, or nothing that is answered."""
        orig, resp = self.sent
        if self.proto not in ("tcp", "udp") or not (orig or resp):
            return None
        if orig and resp:
            return True
        if self.proto == "udp":
            # An answer was asked for; a question may have no answer.
            return False if resp and self.port in (53, 123, 443) else None
        letters = set(self.history)
        return False if letters & (_ANSWERED_ORIG if orig else _ANSWERED_RESP) else None

    @property
    def is_encrypted(self) -> bool:
        """By what was recognized in it, else by its port."""
        if self.service != "-":
            return not _ENCRYPTED_SERVICES.isdisjoint(self.service.split(","))
        return (self.proto, self.port) in _ENCRYPTED_PORTS or self.ip_proto == _ESP

    @property
    def is_dns(self) -> bool:
        """Questions to a name server; not those that neighbors ask each other (mDNS, LLMNR)."""
        return self.port == 53 and self.service in ("-", "dns")


def _number(event: Mapping[str, Any], name: str) -> float:
    value = event.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
