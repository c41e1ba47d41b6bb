"""A TLS 1.3 handshake as seen from outside (RFC 8446): ClientHello with a server name, ServerHello, sealed records."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from .frames import Conversation, Frame, client_port

CIPHERS = (0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F)
GROUPS = (0x001D, 0x0017)
SIGNATURES = (0x0403, 0x0804, 0x0401)


def frames(
    *, time: float, flow: int, client: str, server: str, name: str | None, port: int = 443, sealed: int = 600
) -> Iterator[Frame]:
    """Connection, handshake, ``sealed`` bytes of sealed data each way, end. ``name`` None: no server name."""
    noise = random.Random(flow * 2 + 1)  # noqa: S311  reproducible, not secret
    talk = Conversation((client, client_port(flow)), (server, port), time, flow)
    yield from talk.open()
    yield from talk.client_sends(_client_hello(name, noise))
    change = _record(20, b"\x01")
    yield from talk.server_sends(_server_hello(noise) + change + _record(23, noise.randbytes(900)))
    yield from talk.client_sends(change + _record(23, noise.randbytes(58)))
    yield from talk.client_sends(_record(23, noise.randbytes(sealed)))
    yield from talk.server_sends(_record(23, noise.randbytes(sealed)))
    yield from talk.close()


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("!BHH", kind, 0x0303, len(content)) + content


def _handshake(kind: int, body: bytes) -> bytes:
    return _record(22, struct.pack("!B", kind) + len(body).to_bytes(3, "big") + body)


def _extension(kind: int, content: bytes) -> bytes:
    return struct.pack("!HH", kind, len(content)) + content


def _vector(content: bytes, size: int = 2) -> bytes:
    return len(content).to_bytes(size, "big") + content


def _shorts(values: tuple[int, ...]) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def _client_hello(name: str | None, noise: random.Random) -> bytes:
    extensions = [
        _extension(10, _vector(_shorts(GROUPS))),
        _extension(13, _vector(_shorts(SIGNATURES))),
        _extension(16, _vector(_vector(b"h2", 1) + _vector(b"http/1.1", 1))),
        _extension(43, _vector(_shorts((0x0304, 0x0303)), 1)),
        _extension(51, _vector(_shorts((0x001D,)) + _vector(noise.randbytes(32)))),
    ]
    if name is not None:
        extensions.insert(0, _extension(0, _vector(b"\x00" + _vector(name.encode()))))
    body = b"\x03\x03" + noise.randbytes(32) + _vector(noise.randbytes(32), 1) + _vector(_shorts(CIPHERS)) + b"\x01\x00"
    return _handshake(1, body + _vector(b"".join(extensions)))


def _server_hello(noise: random.Random) -> bytes:
    extensions = _extension(43, b"\x03\x04") + _extension(51, _shorts((0x001D,)) + _vector(noise.randbytes(32)))
    body = b"\x03\x03" + noise.randbytes(32) + _vector(noise.randbytes(32), 1) + b"\x13\x01\x00"
    return _handshake(2, body + _vector(extensions))
