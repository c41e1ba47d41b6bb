"""A connection whose content does not matter: answered, refused or unanswered; TCP or UDP."""

from __future__ import annotations

from collections.abc import Iterator

from .frames import Conversation, Frame, client_port, udp

OUTCOMES = ("answered", "refused", "unanswered")


def frames(
    *,
    time: float,
    flow: int,
    client: str,
    server: str,
    port: int,
    outcome: str = "answered",
    proto: str = "tcp",
    size: int = 40,
) -> Iterator[Frame]:
    """Packets of one connection; ``size`` bytes of arbitrary content go each way when it is answered."""
    if outcome not in OUTCOMES or proto not in ("tcp", "udp"):
        raise ValueError(f"conn: outcome is one of {OUTCOMES}, proto tcp or udp; got {outcome}, {proto}")
    source, target = (client, client_port(flow)), (server, port)
    content = bytes(0x80 | (n * 37 + flow) & 0x7F for n in range(size))
    if proto == "udp":
        yield udp(time, source, target, content)
        if outcome == "answered":
            yield udp(time + 0.01, target, source, content)
        return
    talk = Conversation(source, target, time, flow)
    if outcome == "refused":
        yield from talk.refused()
    elif outcome == "unanswered":
        yield from talk.unanswered()
    else:
        yield from talk.open()
        yield from talk.client_sends(content)
        yield from talk.server_sends(content)
        yield from talk.close()
