"""Writes the fuzzer's seeds, `seeds/<target>/`, from the project's own recipes: run it in the repository's environment.

    python sensor/native/fuzz/seeds.py

The same call gives the same bytes. Nothing here was captured anywhere.
"""

import gzip
import io
import json
import struct
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from scapy.asn1.asn1 import ASN1_STRING
from scapy.contrib.mpls import MPLS
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment
from scapy.layers.kerberos import KRB_AS_REP, KRB_AS_REQ, Kerberos
from scapy.layers.l2 import ARP, GRE, CookedLinux, Dot1AD, Dot1Q, Ether
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.snmp import SNMP, SNMPget, SNMPresponse, SNMPvarbind
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw
from scapy.utils import PcapNgWriter, PcapWriter

ROOT = Path(__file__).resolve().parents[3]
SEEDS = Path(__file__).with_name("seeds")
sys.path[:0] = [str(ROOT), str(ROOT / "rules/pack/samples")]

from recipes import conn, dns, ftp, http, smtp, tls  # noqa: E402

from tests.replay import tickets  # noqa: E402
from tests.sensor.native.packs import RULES, pack  # noqa: E402
from tests.sensor.support import evtx  # noqa: E402

CLIENT, SERVER = "10.0.0.5", "203.0.113.9"
TALKS = {
    "dns": list(dns.frames(time=1.0, flow=1, client=CLIENT, query="www.town.example")),
    "nxdomain": list(dns.frames(time=1.0, flow=2, client=CLIENT, query="no.example", answer=None)),
    "http": list(
        http.frames(
            time=2.0,
            flow=3,
            client=CLIENT,
            server=SERVER,
            host="town.example",
            uri="/a?b=%41",
            method="POST",
            sent="x=1",
        )
    ),
    "ftp": list(ftp.frames(time=2.5, flow=7, client=CLIENT, server=SERVER, user="clerk")),
    "smtp": list(smtp.frames(time=2.7, flow=8, client=CLIENT, server=SERVER, subject="Τιμολόγιο")),
    "tls": list(tls.frames(time=3.0, flow=4, client=CLIENT, server=SERVER, name="town.example", sealed=60)),
    "conn": list(conn.frames(time=4.0, flow=5, client=CLIENT, server=SERVER, port=22)),
    "refused": list(conn.frames(time=5.0, flow=6, client=CLIENT, server=SERVER, port=23, outcome="refused")),
}
DNS_QUERY = bytes(DNS(id=7, rd=1, qd=DNSQR(qname="www.town.example")))


def main() -> None:
    """Writes what changed and says how many there are."""
    written = 0
    for target, seeds in TARGETS.items():
        folder = SEEDS / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in seeds():
            (folder / name).write_bytes(data)
            written += 1
    sys.stdout.write(f"{written} seeds in {SEEDS}\n")


def capture() -> Iterator[tuple[str, bytes]]:
    for name, frames in TALKS.items():
        yield f"{name}.pcap", _pcap([frame.data for frame in frames])
    frames = [frame.data for talk in TALKS.values() for frame in talk][:12]
    yield "several.pcap.gz", gzip.compress(_pcap(frames), mtime=0)
    yield "cut.pcap", _pcap(frames)[:-7]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "several.pcapng"
        with PcapNgWriter(str(path)) as writer:
            for number, frame in enumerate(frames):
                packet = Ether(frame)
                packet.time = number
                writer.write(packet)
        yield path.name, path.read_bytes()


def frames() -> Iterator[tuple[str, bytes]]:
    def ip(payload: Packet = UDP(sport=50000, dport=53) / Raw(DNS_QUERY)) -> Packet:  # noqa: B008  copied when stacked
        return IP(src=CLIENT, dst=SERVER) / payload

    six = IPv6(src="2001:db8::5", dst="2001:db8::9")
    ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    stacks: dict[str, Sequence[Packet]] = {
        "plain": [ether / ip(), ether / six / UDP(sport=50000, dport=53) / Raw(DNS_QUERY)],
        "vlan": [ether / Dot1Q(vlan=5) / ip(), ether / Dot1AD(vlan=6) / Dot1Q(vlan=7) / ip()],
        "pppoe": [ether / PPPoE(sessionid=1) / PPP() / ip()],
        "mpls": [ether / MPLS(label=16, s=0) / MPLS(label=17, s=1) / ip()],
        "tunnels": [
            ether / IP(src=CLIENT, dst=SERVER) / GRE() / ip(),
            ether / IP(src=CLIENT, dst=SERVER) / ip(),
            ether / IP(src=CLIENT, dst=SERVER, proto=41) / six / ICMPv6EchoRequest(),
            ether / ip(UDP(sport=50001, dport=4789) / VXLAN(vni=7) / ether / ip()),
        ],
        "fragments": [ether / part for part in fragment(ip(UDP(sport=1, dport=2) / Raw(b"x" * 64)), 32)],
        "fragments6": [
            ether
            / six
            / IPv6ExtHdrFragment(id=9, offset=0, m=1, nh=17)
            / UDP(sport=1, dport=2, len=24)
            / Raw(b"x" * 8),
            ether / six / IPv6ExtHdrFragment(id=9, offset=2, m=0, nh=17) / Raw(b"y" * 8),
        ],
        "others": [ether / ARP(psrc=CLIENT, pdst=SERVER), ether / ip(ICMP()), ether / ip(TCP(dport=80, flags="S"))],
    }
    for name, stack in stacks.items():
        yield name, b"".join(_piece(b"\0\1", bytes(packet)) for packet in stack)
    yield (
        "raw",
        _piece(b"\4\1", bytes(ip())) + _piece(b"\3\0", bytes(ip())) + _piece(b"\1\0", b"\2\0\0\0" + bytes(ip())),
    )
    yield "cooked", _piece(b"\6\1", bytes(CookedLinux(proto=0x800) / ip()))
    for name, talk in TALKS.items():
        yield f"talk-{name}", b"".join(_piece(b"\0\1", frame.data) for frame in talk)


def streams() -> Iterator[tuple[str, bytes]]:
    ports = {"http": 1, "tls": 2, "conn": 7, "ftp": 7, "smtp": 6}
    for name, port in ports.items():
        control = _ports(TALKS[name][0].data)
        said = [_said(frame.data) for frame in TALKS[name] if _ports(frame.data) == control]
        yield name, bytes([port]) + b"".join(_piece(bytes([side]), data) for side, data in said if data)
    framed = struct.pack(">H", len(DNS_QUERY)) + DNS_QUERY
    yield "dns-tcp", b"\0" + _piece(b"\0", framed) + _piece(b"\1", framed)
    for name in ("dns", "nxdomain"):
        said = [_said(frame.data) for frame in TALKS[name]]
        yield f"{name}-udp", b"\x08" + b"".join(_piece(bytes([side]), data) for side, data in said)
    asked = BOOTP(op=1, xid=7, chaddr=b"\2\0\0\0\0\1") / DHCP(options=[("message-type", "discover"), "end"])
    offered = BOOTP(op=2, xid=7, yiaddr=CLIENT) / DHCP(options=[("message-type", "offer"), ("lease_time", 60), "end"])
    yield "dhcp-udp", b"\x0f" + _piece(b"\0", bytes(asked)) + _piece(b"\1", bytes(offered))
    service = ("krbtgt", tickets.REALM)
    asked = bytes(Kerberos(root=tickets.request(KRB_AS_REQ, 7, service, "maria")))
    answered = bytes(Kerberos(root=tickets.reply(KRB_AS_REP, "maria", service, tickets.RC4)))
    refused = bytes(Kerberos(root=tickets.refusal(6, service, "CLIENT_NOT_FOUND")))
    yield "kerberos-udp", b"\x0f" + _piece(b"\0", asked) + _piece(b"\1", refused)
    marked = [struct.pack(">I", len(message)) + message for message in (asked, answered)]
    yield "kerberos-tcp", b"\x07" + _piece(b"\0", marked[0]) + _piece(b"\1", marked[1])
    description = SNMPvarbind(oid="1.3.6.1.2.1.1.1.0", value=ASN1_STRING("Switch"))
    polled = SNMP(community="public", PDU=SNMPget(id=3, varbindlist=[SNMPvarbind(oid="1.3.6.1.2.1.1.1.0")]))
    told = SNMP(community="public", PDU=SNMPresponse(id=3, varbindlist=[description]))
    yield "snmp-udp", b"\x0f" + _piece(b"\0", bytes(polled)) + _piece(b"\1", bytes(told))
    yield "snmp-secured", b"\x0f" + _piece(b"\0", _secured(b"maria"))
    bind = bytes.fromhex("300c020101600702010304008000")
    filtered = bytes.fromhex("a01387036f626aa40c0402636e3006810178820179")
    fields = b"\x04\x01d\x0a\x01\x02\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00" + filtered + b"0\x04\x04\x02cn"
    search = b"0" + bytes([len(fields) + 5]) + b"\x02\x01\x02\x63" + bytes([len(fields)]) + fields
    done = bytes.fromhex("300c02010265070a010004000400")
    yield "ldap", b"\7" + _piece(b"\0", bind + search) + _piece(b"\1", done)
    sent = b"EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"
    sent += b"BDAT 5\r\nSubjeBDAT 6 LAST\r\nct: x\nSTARTTLS\r\n"
    said_back = b"220 ESMTP\r\n250 a\r\n250 b\r\n250 c\r\n250 d\r\n250 e\r\n220 f\r\n"
    yield "chunking", b"\6" + _piece(b"\1", said_back[:11]) + _piece(b"\0", sent) + _piece(b"\1", said_back[11:])
    upgrade = b"GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x01x"
    yield "upgrade", b"\1" + _piece(b"\0", upgrade) + _piece(b"\1", switched)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n"
    yield "chunked", b"\1" + _piece(b"\0", b"GET /x HTTP/1.0\r\n\r\n") + _piece(b"\1", chunked)
    yield "gap", b"\1" + _piece(b"\0", upgrade[:30]) + _piece(b"\x80", b"") + _piece(b"\0", upgrade[30:])
    connect = b"CONNECT b.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n"
    hello = next(data for side, data in map(_said, (frame.data for frame in TALKS["tls"])) if data)
    established = b"HTTP/1.1 200 OK\r\n\r\n"
    yield "proxy", b"\3" + _piece(b"\0", connect) + _piece(b"\1", established) + _piece(b"\0", hello)


def _element(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes([tag, len(content)]) + content


def _secured(user: bytes) -> bytes:
    """SNMP of version 3 with its data in clear."""
    one, nothing = _element(2, b"\1"), _element(4)
    about = _element(0x30, one, _element(2, b"\2\0"), _element(4, b"\4"), _element(2, b"\3"))
    parameters = _element(4, _element(0x30, _element(4, b"engine"), one, one, _element(4, user), nothing, nothing))
    unit = _element(0xA0, one, one, one, _element(0x30))
    return _element(0x30, _element(2, b"\3"), about, parameters, _element(0x30, nothing, nothing, unit))


def logs() -> Iterator[tuple[str, bytes]]:
    lines = {
        "kv": 'k a=1 b="x\\"y" t=1772349000\n<13>kv: skip=1\nk d=2026-10-25 h=03:30:00 a=203.0.113.9:443 b=2\n',
        "csv": 'c,1,2,4,x,"q""q"\nc,"unclosed\n',
        "json": '{"ts": "2026-03-01T09:14:07Z", "a": [{"b": 1}, 2]}\n{"a":\n',
        "pattern": "p x from 203.0.113.9:443 'q' rest\np -5 word here\n",
        "web": '203.0.113.9 - - [01/Mar/2026:09:14:07 +0200] "GET /a%41?b=1 HTTP/1.1" 200 5 "-" "Mozilla/5.0"\n',
        "syslog": '<34>1 2026-03-01T09:14:07.003+02:00 h app 1 ID [x@1 a="b"] k a=1\n<13>Mar  1 09:14:07 fw1 kv: a=1\n',
        "greek": "k a=Δήμος\r\nk a=\u0386\0p 1 w here\n",
    }
    for name, text in lines.items():
        yield name, b"\x20" + text.encode()
    yield "windows-1253", b"\x05k a=" + "Άδεια".encode("cp1253") + b"\n"


def sources() -> Iterator[tuple[str, bytes]]:
    yield "all-kinds", Path(__file__).with_name("src").joinpath("logs.json").read_bytes() + b"\0k a=1\nc,1,2,4\n{}\n"
    for path in sorted((ROOT / "rules/pack/sources").glob("*.yml")):
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        samples = definition.pop("samples", [])
        text = json.dumps({"sources": [definition]}, ensure_ascii=False, default=str)
        lines = "\n".join(str(sample["line"]) for sample in samples[:4] if "line" in sample)
        yield path.stem, text.encode() + b"\0" + lines.encode()


def packs() -> Iterator[tuple[str, bytes]]:
    yield "door", _dated(pack())
    yield "none", _dated(pack({"fields": [], "predicates": [], "nodes": [], "rules": []}))
    yield "wrong-hash", _dated(pack(spoil={"rules.json": b"{}"}))


def rules() -> Iterator[tuple[str, bytes]]:
    def one(name: str, predicates: list[dict[str, Any]], nodes: list[Any], *events: str) -> tuple[str, bytes]:
        source = {"product": "test"}
        made = [
            {"id": f"r{n}", "title": "t", "logsource": source, "condition": n, "selections": {}}
            for n in range(len(nodes))
        ]
        document = {"fields": ["a", "b"], "predicates": predicates, "nodes": nodes, "rules": made}
        return name, json.dumps(document).encode() + b"\0" + "\n".join(events).encode()

    yield "door", json.dumps(RULES).encode() + b'\0{"what": "bad", "src": "x"}'
    words = [{"op": op, "field": 0, "value": "abc"} for op in ("eq", "contains", "startswith", "endswith")]
    yield one(
        "words", words, [{"p": 0}, {"p": 1}, {"and": [0, 1]}, {"not": 2}, {"p": 3}], '{"a": "xabcx"}', '{"a": "ABC"}'
    )
    star: dict[str, Any] = {"op": "wildcard", "field": 0, "parts": ["a", {"any": "*"}, "c", {"any": "?"}]}
    keyword = {"op": "contains", "field": None, "value": "needle"}
    yield one("wildcard", [star, keyword], [{"p": 0}, {"p": 1}, {"or": [0, 1]}], '{"a": "abbbcd", "z": "needle"}')
    others: list[dict[str, Any]] = [
        {"op": "re", "field": 0, "pattern": "(a|b)+c$", "flags": "i"},
        {"op": "cidr", "field": 0, "value": "10.0.0.0/8"},
        {"op": "num", "field": 1, "value": "4624"},
        {"op": "lt", "field": 1, "value": "10.5"},
        {"op": "fieldref", "field": 0, "other": 1, "how": "eq"},
        {"op": "list", "field": 0, "list": "l", "how": "eq"},
        {"op": "time", "field": 0, "part": "hour", "cmp": "eq", "value": 9},
        {"op": "exists", "field": 1, "value": True},
        {"op": "null", "field": 1},
        {"op": "empty", "field": 0},
        {"op": "bool", "field": 0, "value": True},
    ]
    events = [
        '{"a": "abc", "b": "abc"}',
        '{"a": ["10.0.0.1", "2026-03-01T09:00:00Z"], "b": 4624}',
        '{"a": "", "b": null}',
    ]
    yield one("operators", others, [{"p": n} for n in range(len(others))], *events)


def patterns() -> Iterator[tuple[str, bytes]]:
    yield "regex", b"\0(?:ab|cd)*x{2,5}$\0ababxx\0cdxxxxx\n"
    yield "regex-greek", "\1^[α-ω]+ς\0ΟΔΟΣ\0οδος".encode()
    yield "regex-any", b"\2^needle.hay$\0needle\nhay"
    yield "cidr", b"\x0310.0.0.0/8\x0010.1.2.3\0::ffff:10.0.0.1\0fe80::1%eth0"
    yield "wildcard-any", b"\4*ab?d*\0xabcd\0abd"
    yield "less", b"\x05-1.5e3\0-2000\0nan"
    yield "endswith", "\x86.EXE\0a.exe\0b.EXE".encode()
    yield "wildcard", b"\7a*b*c*d\0axbxcxd\0abcd"


def events() -> Iterator[tuple[str, bytes]]:
    windows = {
        "Event": {"System": {"EventID": 4688, "Channel": "Security"}, "EventData": {"a": "powershell -enc", "b": 4624}}
    }
    texts = {
        "lines": '{"a": "abc", "b": 4624}\n{"a": ["abc", null]}\r\n\n{"a": "',
        "row": '{"a": 1}{"a": {"b": [1, {"c": "d"}]}} {}',
        "list": json.dumps([windows, {"a": "ΟΔΟΣ"}], indent=1, ensure_ascii=False),
        "pretty": json.dumps(windows, indent=4) + "\n" + json.dumps({"b": {"c": True}}, indent=4),
        "broken": '{"a": 1,\n{"a": 2}\n{\n "a": ?\n}\n{"b": 3} x\n[1]\n',
        "mended": '{"a": "\\ud800 \\x41", "b": 1e400, "time": NaN}\n{"a": "\x01"}',
        "numbers": '{"a": 18446744073709551616, "b": -0.0, "b": 1E3, "b": 4624.0}',
        "deep": '{"a":' * 70 + "1" + "}" * 70,
    }
    for name, text in texts.items():
        yield name, b"\x10" + text.encode()
    yield "no-utf8", b'\x03{"a": "\xff\xc3 abc"}\n\xef\xbb\xbf{"a": "abc"}\n'


def logged() -> Iterator[tuple[str, bytes]]:
    security = [evtx.event(n, 4688, "Security", {"a": "powershell.exe -enc", "b": "4624", "": "x"}) for n in (1, 2, 3)]
    one = evtx.chunk(1, security)
    yield "chunk", one.rstrip(b"\0")
    yield "record", evtx.chunk(7, security[:1]).rstrip(b"\0")
    nested = evtx.Element("Event", [evtx.Element("System", [evtx.Element("Channel", "x" * 30)])])
    for depth in range(40):
        nested = evtx.Element(f"E{depth}", [nested], {"n": "v"} if depth % 3 else {})
    yield "nested", evtx.chunk(1, [nested]).rstrip(b"\0")
    yield "half-character", evtx.chunk(1, [evtx.event(1, 1, "\ud800", {"a": "\udc00abc"})]).rstrip(b"\0")


class _Kept(io.BytesIO):
    """Writers of scapy close what they write to."""

    def close(self) -> None:
        """Keeps the bytes."""


def _dated(archive: bytes) -> bytes:
    """The same ZIP with the times of a pack, which are always the same."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            new.writestr(zipfile.ZipInfo(name), old.read(name))
    return out.getvalue()


def _pcap(frames: Iterable[bytes]) -> bytes:
    out = _Kept()
    writer = PcapWriter(out, linktype=1)
    for number, frame in enumerate(frames):
        writer.write_packet(frame, sec=1_772_349_000 + number, usec=0)
    return out.getvalue()


def _piece(lead: bytes, data: bytes) -> bytes:
    """As `src/pieces.rs` takes it off."""
    return lead + struct.pack("<H", len(data)) + data


def _said(frame: bytes) -> tuple[int, bytes]:
    """Who speaks (0 is the client) and what, without the padding of short frames."""
    packet = Ether(frame)
    layer = packet[TCP] if TCP in packet else packet[UDP]
    return int(packet[IP].src != CLIENT), bytes(layer.payload)


def _ports(frame: bytes) -> set[int]:
    packet = Ether(frame)
    return {packet[TCP].sport, packet[TCP].dport}


TARGETS = {
    "capture": capture,
    "events": events,
    "evtx": logged,
    "frames": frames,
    "logs": logs,
    "pack": packs,
    "patterns": patterns,
    "rules": rules,
    "sources": sources,
    "streams": streams,
}

if __name__ == "__main__":
    main()
