"""Frames that the tests send: small conversations, in clear, in tunnels, in fragments, behind tags."""

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet

_LINK = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
CLIENT, SERVER = "192.0.2.{}", "198.51.100.20"


def link() -> Packet:
    """An Ethernet header between two made-up cards."""
    return Ether(**_LINK)


def question(host: int, name: str, below: Packet | None = None) -> bytes:
    """A DNS question of host 192.0.2.`host`."""
    top = IP(src=CLIENT.format(host), dst=SERVER) / UDP(sport=40_000 + host, dport=53)
    return bytes((below or link()) / top / DNS(id=host, rd=1, qd=DNSQR(qname=name)))


def answer(host: int, name: str, below: Packet | None = None) -> bytes:
    """And its answer."""
    top = IP(src=SERVER, dst=CLIENT.format(host)) / UDP(sport=53, dport=40_000 + host)
    record = DNSRR(rrname=name, rdata="203.0.113.7", ttl=60)
    return bytes((below or link()) / top / DNS(id=host, qr=1, rd=1, ra=1, qd=DNSQR(qname=name), an=record))


def web(host: int, path: str) -> list[bytes]:
    """A whole HTTP conversation over TCP, from SYN to the second FIN."""
    ends = (IP(src=CLIENT.format(host), dst=SERVER), IP(src=SERVER, dst=CLIENT.format(host)))
    ports = ((30_000 + host, 80), (80, 30_000 + host))
    request = f"GET {path} HTTP/1.1\r\nHost: www.example\r\n\r\n".encode()
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    steps = (
        (0, "S", 100, 0, b""),
        (1, "SA", 900, 101, b""),
        (0, "A", 101, 901, b""),
        (0, "PA", 101, 901, request),
        (1, "PA", 901, 101 + len(request), reply),
        (0, "FA", 101 + len(request), 901 + len(reply), b""),
        (1, "FA", 901 + len(reply), 102 + len(request), b""),
        (0, "A", 102 + len(request), 902 + len(reply), b""),
    )
    return [
        bytes(
            link() / ends[side] / TCP(sport=ports[side][0], dport=ports[side][1], flags=flags, seq=seq, ack=ack) / data
        )
        for side, flags, seq, ack, data in steps
    ]


def fragmented(host: int) -> list[bytes]:
    """A DNS answer in fragments, the first of which alone has ports."""
    top = IP(src=SERVER, dst=CLIENT.format(host), id=host) / UDP(sport=53, dport=40_000 + host)
    records = [DNSRR(rrname="frag.example", rdata=f"203.0.113.{n}", ttl=60) for n in range(1, 60)]
    whole = top / DNS(id=host, qr=1, qd=DNSQR(qname="frag.example"), an=records)
    return [bytes(link() / piece) for piece in fragment(whole, 400)]


def tunneled(host: int) -> list[bytes]:
    """A question and its answer inside VXLAN, inside GRE, and over IPv6."""
    outer = [IP(src="192.0.2.201", dst="192.0.2.202"), IP(src="192.0.2.202", dst="192.0.2.201")]
    inner = [question, answer]
    vxlan = [
        bytes(link() / end / UDP(sport=50_000 + side, dport=4789) / VXLAN(vni=7) / Ether(make(host, "vxlan.example")))
        for side, (end, make) in enumerate(zip(outer, inner, strict=True))
    ]
    gre = [
        bytes(link() / end / GRE() / Ether(make(host + 1, "gre.example")).payload)
        for end, make in zip(outer, inner, strict=True)
    ]
    six = ("2001:db8::1", "2001:db8:7::53")
    ask = UDP(sport=41_000, dport=53) / DNS(id=9, rd=1, qd=DNSQR(qname="six.example"))
    return [*vxlan, *gre, bytes(link() / IPv6(src=six[0], dst=six[1]) / ask)]


def tagged(host: int, vlan: int, inner: int | None = None) -> list[bytes]:
    """A question and its answer behind one or two VLAN tags."""
    below = link() / Dot1Q(vlan=vlan)
    if inner is not None:
        below = below / Dot1Q(vlan=inner)
    return [question(host, "vlan.example", below.copy()), answer(host, "vlan.example", below.copy())]


def lease(host: int) -> list[bytes]:
    """DHCP between three pairs of addresses: the client asks everybody, the server tells it, then everybody."""
    client = CLIENT.format(host)
    ends = {
        "asks": IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67),
        "tells": IP(src=SERVER, dst=client) / UDP(sport=67, dport=68),
        "tells all": IP(src=SERVER, dst="255.255.255.255") / UDP(sport=67, dport=68),
    }
    card = bytes([2, 0, 0, 0, 0, host])
    steps = (("asks", "discover"), ("tells", "offer"), ("asks", "request"), ("tells all", "ack"))
    return [
        bytes(
            link()
            / ends[way]
            / BOOTP(op=1 if way == "asks" else 2, xid=host, chaddr=card, yiaddr="0.0.0.0" if way == "asks" else client)
            / DHCP(options=[("message-type", kind), "end"])
        )
        for way, kind in steps
    ]


def mixture() -> list[bytes]:
    """Some of everything, interleaved."""
    out: list[bytes] = []
    for host in range(1, 40):
        out += [question(host, f"host{host}.example"), answer(host, f"host{host}.example")]
        out += web(host, f"/page{host}")
        out += lease(host)
    return [*out, *fragmented(50), *tunneled(60), *tagged(70, 42), *tagged(71, 42, 7), *web(80, "/last")]
