"""From the bytes on the wire to lines, counted while unpacking: no bomb is ever whole in memory. Pure."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import zstandard

GZIP = 16 + zlib.MAX_WBITS
PIECE = 64  # bytes of zstd fed at once: a block of 4 bytes can stand for 128 KiB
LARGEST_WINDOW = 8 * 1024 * 1024
ENCODINGS = ("", "identity", "gzip", "zstd")


class TooLarge(ValueError):
    """413: over a limit, with its number."""


class Damaged(ValueError):
    """400: cut, not what its encoding says, or not lines of JSON."""


class UnknownEncoding(ValueError):
    """415."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one request; a line over ``line_bytes`` is rejected alone."""

    lines: int = 500
    line_bytes: int = 256 * 1024
    wire_bytes: int = 1_000_000
    unpacked_bytes: int = 8_000_000


def unpack(body: bytes, encoding: str, limits: Limits) -> list[bytes]:
    """The lines of a body, without their ends; raises ``TooLarge``, ``Damaged`` or ``UnknownEncoding``."""
    parts: list[bytes] = []
    size = 0
    for part in _plain(body, encoding.strip().lower()):
        size += len(part)
        if size > limits.unpacked_bytes:
            raise TooLarge(f"the body unpacks to more than {limits.unpacked_bytes} bytes: send fewer alerts at once")
        parts.append(part)
    whole = b"".join(parts)
    if whole and not whole.endswith(b"\n"):
        raise Damaged("the body is cut: its last line does not end in a line feed; nothing was stored, send it again")
    lines = [line for line in whole.split(b"\n") if line.strip()]
    if len(lines) > limits.lines:
        raise TooLarge(f"{len(lines)} alerts in one request: at most {limits.lines}")
    return lines


def _plain(body: bytes, encoding: str) -> Iterator[bytes]:
    if encoding == "gzip":
        return _gzip(body)
    if encoding == "zstd":
        return _zstd(body)
    if encoding in ENCODINGS:
        return iter((body,))
    raise UnknownEncoding(f"content-encoding {encoding[:40]!r}: use gzip, zstd or none")


def _gzip(body: bytes) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(GZIP)
    waiting = body
    try:
        while waiting and not unpacker.eof:
            yield unpacker.decompress(waiting, 256 * 1024)
            waiting = unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error as error:
        raise Damaged(f"the body is no gzip: {error}") from None
    if not unpacker.eof or unpacker.unused_data:
        raise Damaged("the gzip body is cut or has something after its end; nothing was stored, send it again")


def _zstd(body: bytes) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj()
    try:
        for start in range(0, len(body), PIECE):
            if unpacker.eof:
                break
            yield unpacker.decompress(body[start : start + PIECE])
    except zstandard.ZstdError as error:
        raise Damaged(f"the body is no zstd, or its window is over {LARGEST_WINDOW} bytes: {error}") from None
    if not unpacker.eof:
        raise Damaged("the zstd body is cut; nothing was stored, send it again")
