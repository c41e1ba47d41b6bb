"""One mail over SMTP in clear text (RFC 5321)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from email.header import Header

from .frames import Conversation, Frame, client_port


def frames(
    *,
    time: float,
    flow: int,
    client: str,
    server: str,
    port: int = 25,
    helo: str = "client.example",
    sender: str = "office@town.example",
    recipients: Sequence[str] = ("clerk@town.example",),
    subject: str = "Hello",
    charset: str = "utf-8",
    headers: Mapping[str, str] | None = None,
    body: str = "Hello",
    reply: str = "250 2.0.0 queued",
) -> Iterator[Frame]:
    """Greeting, EHLO, the envelope, the mail, ``reply`` to it, QUIT.

    ``subject`` is encoded (RFC 2047) in ``charset`` where it is not ASCII; ``headers`` come before the usual ones.
    """
    encoded = subject if subject.isascii() else Header(subject, charset).encode()
    lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += [f"From: <{sender}>", f"To: {', '.join(f'<{one}>' for one in recipients)}", f"Subject: {encoded}"]
    mail = "\r\n".join([*lines, "", body, ""])
    talk = Conversation((client, client_port(flow)), (server, port), time, flow)
    yield from talk.open()
    yield from talk.server_sends(b"220 mail.town.example ESMTP\r\n")
    yield from _turn(talk, f"EHLO {helo}", "250-mail.town.example\r\n250 8BITMIME")
    yield from _turn(talk, f"MAIL FROM:<{sender}>", "250 2.1.0 Ok")
    for recipient in recipients:
        yield from _turn(talk, f"RCPT TO:<{recipient}>", "250 2.1.5 Ok")
    yield from _turn(talk, "DATA", "354 End data with <CR><LF>.<CR><LF>")
    yield from _turn(talk, f"{mail}.", reply)
    yield from _turn(talk, "QUIT", "221 2.0.0 Bye")
    yield from talk.close()


def _turn(talk: Conversation, asked: str, said: str) -> Iterator[Frame]:
    yield from talk.client_sends(f"{asked}\r\n".encode())
    yield from talk.server_sends(f"{said}\r\n".encode())
