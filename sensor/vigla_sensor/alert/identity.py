"""Who sends: the same for every alert of a sensor."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network


@dataclass(frozen=True, slots=True)
class ClockState:
    """Whether the kernel says that the clock is synchronized, and how far it is off (milliseconds)."""

    synchronized: bool
    offset_ms: float


@dataclass(frozen=True, slots=True)
class Identity:
    """`organization.*`, `observer.*`, `agent.*`, and the networks that are inside."""

    sensor: str
    serial_number: str
    organization_id: str
    organization_name: str
    version: str
    local_networks: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def of(
        cls, sensor: str, serial_number: str, organization: tuple[str, str], version: str, networks: tuple[str, ...]
    ) -> "Identity":
        """`organization` is (id, name); `networks` in CIDR. Without a serial number the sensor's id stands for it."""
        parsed = tuple(ip_network(network) for network in networks)
        return cls(sensor, serial_number or sensor, organization[0], organization[1], version, parsed)

    def is_local(self, address: str) -> bool:
        """Whether the address is inside. Text that is no address is not."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed.version == network.version and parsed in network for network in self.local_networks)
