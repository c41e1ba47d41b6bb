"""A log-in over FTP and, where it succeeds, one file (RFC 959): the control connection and the transfer's own."""

from __future__ import annotations

from collections.abc import Iterator

from .frames import Conversation, Frame, client_port

PASSIVE = 50000  # the server's port of the first transfer


def frames(
    *,
    time: float,
    flow: int,
    client: str,
    server: str,
    port: int = 21,
    user: str = "anonymous",
    password: str = "guest@client.example",  # noqa: S107  said on the wire in clear
    outcome: str = "accepted",
    name: str = "readme.txt",
    content: str = "Hello",
    upload: bool = False,
) -> Iterator[Frame]:
    """Greeting, USER, PASS (``outcome``: accepted or refused), PASV, the file ``name`` either way, QUIT."""
    talk = Conversation((client, client_port(flow)), (server, port), time, flow)
    yield from talk.open()
    yield from talk.server_sends(b"220-Welcome.\r\n220 FTP server ready\r\n")
    yield from _turn(talk, f"USER {user}", "331 Password required")
    if outcome == "refused":
        yield from _turn(talk, f"PASS {password}", "530 Login incorrect")
    else:
        yield from _turn(talk, f"PASS {password}", "230 Logged in")
        yield from _turn(talk, "CWD /pub", "250 Done")
        numbers = ",".join([*server.split("."), str(PASSIVE >> 8), str(PASSIVE & 255)])
        yield from _turn(talk, "PASV", f"227 Entering Passive Mode ({numbers})")
        word = "STOR" if upload else "RETR"
        yield from _turn(talk, f"{word} {name}", f"150 Opening connection ({len(content.encode())} bytes)")
        transfer = Conversation((client, client_port(flow) + 1), (server, PASSIVE), talk.time, flow + 1_000_000)
        yield from transfer.open()
        yield from (transfer.client_sends if upload else transfer.server_sends)(content.encode())
        yield from transfer.close()
        talk.time = transfer.time
        yield from talk.server_sends(b"226 Transfer complete\r\n")
    yield from _turn(talk, "QUIT", "221 Goodbye")
    yield from talk.close()


def _turn(talk: Conversation, asked: str, said: str) -> Iterator[Frame]:
    yield from talk.client_sends(f"{asked}\r\n".encode())
    yield from talk.server_sends(f"{said}\r\n".encode())
