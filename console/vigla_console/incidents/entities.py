"""Whom an alert is about, in one spelling each; and what is inside a municipality. Pure."""

import ipaddress
from collections.abc import Iterable, Iterator

from vigla_console.alerts.models import Alert
from vigla_console.incidents.models import Entity

KINDS = ("user", "host", "ip", "domain", "url", "hash", "ja4", "sensor", "other")
LONGEST_VALUE = 512
MOST_ENTITIES = 50  # per alert and per group: an attacker chooses how many names he touches

# Not `is_private`: that also holds documentation networks, which stand for the outside in demos and tests.
_INTERNAL = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
# Never an indicator: everybody talks to them, or they are no host at all.
_NOBODY = tuple(ipaddress.ip_network(t) for t in ("0.0.0.0/8", "224.0.0.0/3", "ff00::/8", "::/128"))
_ASKED_NAMES = ("dns.question.name", "url.domain", "tls.client.server_name", "destination.domain")
COMMON = frozenset(
    Entity("ip", address)
    for address in ("1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "208.67.222.222", "208.67.220.220")
)


def canonical(kind: str, value: str) -> Entity:
    """Lower case, RFC 5952 addresses, IDNA names, no trailing dot; a kind outside the list is `other`."""
    value = value.strip()[:LONGEST_VALUE]
    kind = kind if kind in KINDS else "other"
    if kind == "ip":
        return Entity("ip", _address(value))
    if kind in ("host", "domain"):
        return Entity(kind, _name(value))
    if kind == "url":
        return Entity(kind, value)
    return Entity(kind, value.casefold())


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text.casefold()
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _name(text: str) -> str:
    text = text.casefold().rstrip(".")
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError:
        return text


def is_internal(address: str) -> bool:
    """Whether an address belongs to some municipality's own networks."""
    return _in(address, _INTERNAL)


def _in(address: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed.version == network.version and parsed in network for network in networks)


def primary_entity(alert: Alert) -> Entity:
    """What the sensor chose by the rule's fields, else a correlation's group key, else the first of user, host,
    address, sensor.
    """
    if value := alert.text("vigla.entity.value"):
        return canonical(alert.text("vigla.entity.kind"), value)
    if user := alert.text("user.name"):
        return canonical("user", user)
    if host := alert.text("host.name"):
        return canonical("host", host)
    addresses = [canonical("ip", address) for address in _addresses(alert)]
    for wanted in (True, False):
        for entity in addresses:
            if is_internal(entity.value) is wanted:
                return entity
    return canonical("sensor", alert.text("observer.name") or alert.text("observer.serial_number") or "unknown")


def _addresses(alert: Alert) -> Iterator[str]:
    for name in ("source.ip", "destination.ip", "related.ip"):
        yield from (v for v in alert.values(name) if isinstance(v, str))


def joining_entities(alert: Alert) -> frozenset[Entity]:
    """By which groups meet in an incident: the primary one, and internal hosts, addresses and users (console.md 2.2).

    What was merely asked for does not join: a name that was looked up or visited is no host of ours, and the resolver
    that was asked is everybody's.
    """
    primary = primary_entity(alert)
    asked = {canonical("host", v) for v in _texts(alert, *_ASKED_NAMES)}
    if alert.text("dns.question.name"):
        asked |= {canonical("ip", v) for v in _texts(alert, "destination.ip")}
    found = [canonical("user", v) for v in _texts(alert, "user.name", "related.user")]
    found += [canonical("host", v) for v in _texts(alert, "host.name", "related.hosts")]
    found += [entity for v in _addresses(alert) if is_internal((entity := canonical("ip", v)).value)]
    return frozenset(sorted(set(found) - asked)[:MOST_ENTITIES]) | {primary}


def indicators(alert: Alert, common: frozenset[Entity]) -> frozenset[Entity]:
    """External things several municipalities can have in common: addresses, names, hashes. Common ones don't count."""
    found = [canonical("ip", v) for v in _addresses(alert)]
    found = [e for e in found if not is_internal(e.value) and not _in(e.value, _NOBODY)]
    found += [canonical("domain", v) for v in _texts(alert, "dns.question.name", "url.domain") if "." in v]
    found += [canonical("hash", v) for v in _texts(alert, "file.hash.sha256", "related.hash")]
    primary = primary_entity(alert)
    if primary.kind in ("ja4", "url"):
        found.append(primary)
    return frozenset(sorted(set(found) - common - COMMON)[:MOST_ENTITIES])


def _texts(alert: Alert, *names: str) -> Iterator[str]:
    for name in names:
        yield from (v for v in alert.values(name) if isinstance(v, str) and v)
