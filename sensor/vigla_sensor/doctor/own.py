"""This box's own addresses: its conversations say nothing of a mirror, and what it sends is not captured."""

import ipaddress
import re
from pathlib import Path

_V4, _V6 = Path("/proc/net/fib_trie"), Path("/proc/net/if_inet6")
_LOCAL = re.compile(r"\|-- (\d+\.\d+\.\d+\.\d+)\n\s+/32 host LOCAL")


def own_addresses(v4: Path = _V4, v6: Path = _V6) -> frozenset[str]:
    """All addresses of this network namespace, loopback's left out; none where the system does not tell."""
    found = set(_LOCAL.findall(_read(v4)))
    for line in _read(v6).splitlines():
        digits = line.split(maxsplit=1)[0] if line.strip() else ""
        if re.fullmatch(r"[0-9a-f]{32}", digits):
            found.add(str(ipaddress.IPv6Address(int(digits, 16))))
    return frozenset(address for address in found if not ipaddress.ip_address(address).is_loopback)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
