"""What every store indexes of an alert, worked out once: catalogue values, search words, the digest that tells a
conflict.
"""

import hashlib
import ipaddress
import json
from collections.abc import Iterator, Mapping
from typing import Any

from vigla_console.alerts.fields import CATALOGUE, Field, FieldType
from vigla_console.alerts.folding import fold
from vigla_console.alerts.models import Alert, BadAlert, dotted
from vigla_console.alerts.query import Value

MOST_SEARCH_TEXT = 16_384  # characters; evidence beyond is stored, not searched
PREFIX_FROM = 3  # letters from which the last word of a search is a prefix

_SEARCHED = (
    "message",
    "rule.name",
    "observer.name",
    "dns.question.name",
    "url.full",
    "url.original",
    "url.domain",
    "user.name",
    "host.name",
    "process.command_line",
    "process.name",
    "file.name",
    "source.ip",
    "destination.ip",
    "related",
    "vigla.entity.value",
    "vigla.event",
)


def indexed_values(alert: Alert) -> Iterator[tuple[Field, Value]]:
    """Each distinct value of each catalogue field, addresses as RFC 5952 text; raises ``BadAlert`` for what is no
    address.
    """
    for of in CATALOGUE.values():
        yield from ((of, value) for value in dict.fromkeys(field_values(alert, of)))


def field_values(alert: Alert, of: Field) -> Iterator[Value]:
    """The values of one field that a query can meet: too long ones are stored but never met."""
    for value in alert.values(of.name):
        if of.type is FieldType.INTEGER:
            if not isinstance(value, int):
                raise BadAlert(f"{of.name} must be a whole number, not {value[:40]!r}")
            yield value
        elif of.type is FieldType.IP:
            yield canonical_ip(str(value), of.name)
        elif len(text := str(value)) <= of.longest:
            yield text


def canonical_ip(text: str, name: str) -> str:
    """RFC 5952 text, IPv4-mapped IPv6 as IPv4."""
    return unpack_ip(pack_ip(text, name))


def pack_ip(text: str, name: str = "address") -> bytes:
    """16 bytes, IPv4 mapped: one order for both families."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise BadAlert(f"{name}: {text[:60]!r} is no IP address") from None
    packed = address.packed
    return packed if len(packed) == 16 else b"\0" * 10 + b"\xff\xff" + packed


def unpack_ip(packed: bytes) -> str:
    address = ipaddress.IPv6Address(packed)
    return str(address.ipv4_mapped or address)


def network_range(network: str) -> tuple[bytes, bytes]:
    """First and last address of a network, packed; a mapped IPv6 network is the IPv4 one."""
    parsed = ipaddress.ip_network(network, strict=False)
    return pack_ip(str(parsed[0])), pack_ip(str(parsed[-1]))


def search_text(body: Mapping[str, Any]) -> str:
    """The folded words of an alert, for `Words`."""
    parts: list[str] = []
    size = 0
    for name in _SEARCHED:
        for text in _leaves(dotted(body, name)):
            parts.append(text[:MOST_SEARCH_TEXT])
            size += len(text)
            if size > MOST_SEARCH_TEXT:
                return fold(" ".join(parts))[:MOST_SEARCH_TEXT]
    return fold(" ".join(parts))[:MOST_SEARCH_TEXT]


def search_terms(text: str) -> tuple[tuple[str, ...], str | None]:
    """What ``Words`` asks for: whole words that must occur, and a prefix that some word must have."""
    words = fold(text).split()
    if not words or len(words[-1]) < PREFIX_FROM:
        return tuple(words), None
    return tuple(words[:-1]), words[-1]


def digest(body: Mapping[str, Any]) -> bytes:
    """Equal for two sendings of one alert, other for other content (delivery.md 5): rule, sensor and the matched
    event.
    """
    content = [dotted(body, name) for name in ("rule.uuid", "observer.serial_number", "vigla.event")]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")).digest()


def _leaves(value: Any, depth: int = 0) -> Iterator[str]:
    if depth > 16:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, depth + 1)
