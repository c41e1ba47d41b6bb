"""What kind of address an address is."""

import ipaddress
from enum import Enum

_MOST = 65_536
_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


class Kind(Enum):
    """`GROUP`: for many (broadcast, multicast). `NEAR`: of this wire only (link-local, unspecified, loopback).
    `PRIVATE`: RFC 1918, 6598, 4193. `PUBLIC`: all else. `NONE`: no address."""

    GROUP = "group"
    NEAR = "near"
    PRIVATE = "private"
    PUBLIC = "public"
    NONE = "none"


class Addresses:
    """Kinds of addresses, remembered for those that came lately."""

    def __init__(self) -> None:
        self._known: dict[str, Kind] = {}

    def kind(self, text: str) -> Kind:
        """The kind of an address's text."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[text] = _kind(text)
        return known


def _kind(text: str) -> Kind:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return Kind.NONE
    if address.is_multicast or text == "255.255.255.255":
        return Kind.GROUP
    if address.is_link_local or address.is_unspecified or address.is_loopback:
        return Kind.NEAR
    return Kind.PRIVATE if any(address in network for network in _PRIVATE) else Kind.PUBLIC


def network_of(text: str) -> str:
    """The network that an address is likely of: /24, and /48 of IPv6."""
    address = ipaddress.ip_address(text)
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))
