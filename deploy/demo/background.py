"""An ordinary day: office traffic, telework, visitors of the town's site. It raises nothing above level low."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from lines import BROWSERS, FortiGate, Line, visit
from towns import Town

Step = Mapping[str, Any]

NAMES = (
    "www.example.gr",
    "mail.example.gr",
    "portal.ktimatologio.example",
    "taxis.gov.example",
    "diavgeia.gov.example",
    "updates.vendor.example",
    "cdn.news.example",
    "weather.example",
    "maps.example",
    "clock.vendor.example",
    "ocsp.ca.example",
    "erp.logistirio.example",
)
PAGES = (
    "/",
    "/nea",
    "/anakoinoseis",
    "/epikoinonia",
    "/aitiseis/2741",
    "/kep",
    "/dimotiko-symvoulio?year=2026",
    "/css/style.css",
)
DAY = 30 * 3600  # seconds before now that the background reaches back


def traffic(town: Town, now: float, rng: random.Random) -> Iterator[Step]:
    """About three thousand packets: lookups, encrypted and clear web, a file server, a printer that is switched off."""

    def moment() -> float:
        return now - rng.uniform(600, DAY)

    def workstation() -> str:
        return town.host(10 + rng.randrange(town.workstations))

    def outside() -> str:
        return f"198.51.100.{rng.randrange(128, 200)}"

    for _ in range(420):
        query = {"client": workstation(), "server": town.resolver, "query": rng.choice(NAMES), "answer": outside()}
        yield {"dns": query, "at": moment()}
    for _ in range(12):
        query = {"client": workstation(), "server": town.resolver, "query": "wpad.dimos.example", "answer": None}
        yield {"dns": query, "at": moment()}
    for _ in range(75):
        yield {"tls": {"client": workstation(), "server": outside(), "name": rng.choice(NAMES)}, "at": moment()}
    for _ in range(35):
        name = rng.choice(NAMES)
        request = {"client": workstation(), "server": outside(), "host": name, "uri": rng.choice(PAGES)}
        yield {"http": request, "at": moment()}
    for _ in range(45):
        share = {"client": workstation(), "server": town.server(8), "port": 445, "size": rng.randrange(200, 2000)}
        yield {"conn": share, "at": moment()}
    for _ in range(10):
        printer = {"client": workstation(), "server": town.server(200), "port": 9100, "outcome": "unanswered"}
        yield {"conn": printer, "at": moment()}


def firewall(town: Town, device: FortiGate, now: float, rng: random.Random) -> Iterator[Line]:
    """Telework with a mistyped password now and then, the administrator at work, connections through the firewall."""
    for number, user in enumerate(town.teleworkers):
        begin = now - rng.uniform(20, 28) * 3600
        home, assigned = f"203.0.113.{200 + number}", f"{town.tunnel}.{30 + number}"
        for mistake in range(rng.randrange(3)):
            yield device.vpn_refused(begin - 40 + 15 * mistake, user, home)
        yield device.vpn_up(begin, user, home, assigned)
        yield device.vpn_down(begin + 14400, user, home, assigned, 14400)
    yield device.admin_login(now - 25 * 3600, "admin", town.host(5))
    yield device.configured(
        now - 25 * 3600 + 300, "admin", town.host(5), "firewall.address", "printer7", f"subnet[{town.server(207)}/32]"
    )
    for _ in range(300):
        source, target = town.host(10 + rng.randrange(town.workstations)), f"198.51.100.{rng.randrange(128, 200)}"
        yield device.passed(
            now - rng.uniform(600, DAY), source, target, 443, rng.randrange(300, 9000), rng.randrange(9000)
        )


def visitors(now: float, rng: random.Random) -> Iterator[Line]:
    """Citizens, a search engine and an editor of the town's site."""
    for _ in range(900):
        client = f"203.0.113.{rng.randrange(210, 250)}"
        page, status = rng.choice(PAGES), rng.choice((200, 200, 200, 200, 304, 404))
        size = rng.randrange(400, 40000) if status == 200 else 0
        yield visit(now - rng.uniform(600, DAY), client, page, status=status, size=size, agent=rng.choice(BROWSERS))
    editor = now - 21 * 3600
    yield visit(editor, "203.0.113.205", "/wp-login.php", method="POST", status=200)
    yield visit(editor + 9, "203.0.113.205", "/wp-login.php", method="POST", status=302, size=0)
