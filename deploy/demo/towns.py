"""The four towns of the demo: their networks and people. Invented, with private and documentation addresses only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Town:
    """One municipality: ``prefix`` is its 10.x network, ``public`` its firewall's outer address."""

    tenant: str
    prefix: str
    public: str
    workstations: int
    teleworkers: tuple[str, ...]
    has_site: bool

    def host(self, number: int) -> str:
        """A workstation's address."""
        return f"{self.prefix}.1.{number}"

    def server(self, number: int) -> str:
        """A server's address."""
        return f"{self.prefix}.0.{number}"

    @property
    def resolver(self) -> str:
        return self.server(2)

    @property
    def tunnel(self) -> str:
        """Where the firewall takes addresses of VPN users from."""
        return f"{self.prefix}.212"


TOWNS = (
    Town("petroupoli", "10.1", "192.0.2.11", 60, ("a.georgiou", "m.ioannou", "texniki1", "kep3"), has_site=True),
    Town("mytilini", "10.2", "192.0.2.22", 45, ("e.vasileiou", "prosopiko1", "s.kosta"), has_site=False),
    Town("kalamata", "10.3", "192.0.2.33", 70, ("d.petrou", "oikonomiko2", "poleodomia4", "k.lekka"), has_site=True),
    Town("orestiada", "10.4", "192.0.2.44", 30, ("protokollo2", "p.markou"), has_site=False),
)
