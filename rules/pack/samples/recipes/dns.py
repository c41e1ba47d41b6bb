"""One DNS question over UDP and its answer (RFC 1035)."""

from __future__ import annotations

from collections.abc import Iterator

from scapy.layers.dns import DNS, DNSQR, DNSRR

from .frames import Frame, client_port, udp


def frames(
    *,
    time: float,
    flow: int,
    client: str,
    query: str,
    server: str = "10.0.0.2",
    qtype: str = "A",
    answer: str | None = "198.51.100.10",
    rtt: float = 0.02,
) -> Iterator[Frame]:
    """Question and answer; ``answer`` None is "no such name" (NXDOMAIN)."""
    number = 1 + flow * 31 % 65000
    question = DNSQR(qname=query, qtype=qtype)
    asked = (client, client_port(flow))
    yield udp(time, asked, (server, 53), bytes(DNS(id=number, rd=1, qd=question)))
    reply = DNS(id=number, qr=1, rd=1, ra=1, rcode=0 if answer else 3, qd=question)
    if answer:
        reply.an = DNSRR(rrname=query, type=qtype, ttl=300, rdata=answer)
    yield udp(time + rtt, (server, 53), asked, bytes(reply))
