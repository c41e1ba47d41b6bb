"""Windows event logs made from nothing: the file, chunk and record headers and the binary XML of [MS-EVEN6] 2.2.

No templates: each record writes its elements and names out, which readers must take as well.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

HEADER, CHUNK, CHUNK_HEADER = 4096, 65536, 512
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

Attributes = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Element:
    """An element of the XML: its content is text or elements."""

    name: str
    content: "str | Sequence[Element]" = ""
    attributes: Attributes = field(default_factory=dict)


def event(number: int, event_id: int, channel: str, data: Mapping[str, str]) -> Element:
    """`<Event>` in the shape that Windows writes, the `number`th second after `START`."""
    when = (START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    system = [
        Element("Provider", attributes={"Name": "Vigla-Test"}),
        Element("EventID", str(event_id)),
        Element("TimeCreated", attributes={"SystemTime": when}),
        Element("EventRecordID", str(number)),
        Element("Channel", channel),
        Element("Computer", "pc.example"),
    ]
    named = [Element("Data", value, {"Name": name}) for name, value in data.items()]
    xmlns = {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"}
    return Element("Event", [Element("System", system), Element("EventData", named)], xmlns)


def record(number: int, element: Element, at: int) -> bytes:
    """A record that will stand at offset `at` of its chunk."""
    body = bytearray(b"\x0f\x01\x01\x00")
    _element(body, element, at + 24)
    body += b"\x00"
    size = 24 + len(body) + 4
    pad = -size % 8
    size += pad
    filetime = int((START + timedelta(seconds=number) - EPOCH).total_seconds()) * 10_000_000
    head = struct.pack("<4sIQQ", b"**\0\0", size, number, filetime)
    return head + bytes(body) + bytes(pad) + struct.pack("<I", size)


def chunk(first: int, events: Sequence[Element]) -> bytes:
    """A chunk whose records are numbered from `first`. Raises `ValueError` when they do not fit."""
    records, last = bytearray(), CHUNK_HEADER
    for number, each in enumerate(events, first):
        last = CHUNK_HEADER + len(records)
        records += record(number, each, last)
    free = CHUNK_HEADER + len(records)
    if free > CHUNK:
        raise ValueError(f"{len(events)} events need {free} bytes, a chunk has {CHUNK}")
    end = first + len(events) - 1
    head = struct.pack("<8sQQQQIIII", b"ElfChnk\0", first, end, first, end, 128, last, free, zlib.crc32(records))
    head = head.ljust(120, b"\0") + bytes(4)
    tables = bytes(CHUNK_HEADER - 128)
    head += struct.pack("<I", zlib.crc32(head[:120] + tables)) + tables
    return (head + bytes(records)).ljust(CHUNK, b"\0")


def log(chunks: Sequence[bytes]) -> bytes:
    """A whole file."""
    fields = (0, max(len(chunks) - 1, 0), 1, 128, 1, 3, HEADER, len(chunks))
    head = struct.pack("<8sQQQIHHHH", b"ElfFile\0", *fields).ljust(120, b"\0")
    head += struct.pack("<II", 0, zlib.crc32(head))
    return head.ljust(HEADER, b"\0") + b"".join(chunks)


def _element(out: bytearray, element: Element, base: int) -> None:
    """Appends an element; `base` is the chunk offset of the first byte of `out`."""
    out += b"\x41" if element.attributes else b"\x01"
    size_at = len(out)
    out += bytes(4)
    _name(out, element.name, base)
    if element.attributes:
        list_at = len(out)
        out += bytes(4)
        for place, (name, value) in enumerate(element.attributes.items(), 1):
            out += b"\x06" if place == len(element.attributes) else b"\x46"
            _name(out, name, base)
            _text(out, value)
        struct.pack_into("<I", out, list_at, len(out) - list_at - 4)
    if element.content:
        out += b"\x02"
        if isinstance(element.content, str):
            _text(out, element.content)
        else:
            for child in element.content:
                _element(out, child, base)
        out += b"\x04"
    else:
        out += b"\x03"
    struct.pack_into("<I", out, size_at, len(out) - size_at - 4)


def _name(out: bytearray, name: str, base: int) -> None:
    """A name stands right behind its offset, so each is written anew."""
    out += struct.pack("<I", base + len(out) + 4)
    digest = 0
    for unit in name.encode("utf-16-le")[::2]:
        digest = (digest * 65599 + unit) & 0xFFFFFFFF
    out += struct.pack("<IHH", 0, digest & 0xFFFF, len(name)) + name.encode("utf-16-le") + b"\0\0"


def _text(out: bytearray, text: str) -> None:
    units = text.encode("utf-16-le", "surrogatepass")
    out += struct.pack("<BBH", 5, 1, len(units) // 2) + units
