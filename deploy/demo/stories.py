"""What happened in the towns: each story gives steps of traffic, log lines, and the rules that it fires.

Times are hours before now. Stories do not know each other; one address ties the towns together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lines import FortiGate, Line, visit
from towns import Town

GUESSER = "203.0.113.66"  # the one source that tries the VPN of all four towns
FORMER_EMPLOYEE = "palios.ypallilos"  # on every town's list of disabled accounts
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Story:
    """Traffic steps (``at`` in seconds since 1970), log lines, and the names of the rules that must fire."""

    expect: tuple[str, ...]
    steps: tuple[Mapping[str, Any], ...] = ()
    firewall: tuple[Line, ...] = ()
    site: tuple[Line, ...] = field(default=())


def tell(town: Town, device: FortiGate, order: int, now: float) -> Iterator[Story]:
    """The stories of one town; ``order`` is its place among the towns."""
    yield vpn_guessing(device, now - 26 * HOUR + order * 1380)
    match town.tenant:
        case "orestiada":
            yield telework_compromise(town, device, now - 9 * HOUR)
        case "kalamata":
            yield scan_after_download(town, now - 5 * HOUR)
        case "petroupoli":
            yield site_under_attack(now - 7 * HOUR)
            yield documents_walked(now - 2 * HOUR)
            yield old_switch(town, now - 19 * HOUR)
        case "mytilini":
            yield mining_server(town, now - 14 * HOUR)
            yield former_employee(town, device, now - 17 * HOUR)


def vpn_guessing(device: FortiGate, begin: float) -> Story:
    """Forty tries in four minutes with the names that every guesser tries first."""
    names = ("admin", "vpn", "test")
    lines = tuple(device.vpn_refused(begin + 6 * n, names[n % 3], GUESSER) for n in range(40))
    return Story(("vpn_brute_force",), firewall=lines)


def telework_compromise(town: Town, device: FortiGate, begin: float) -> Story:
    """Seven refused tries for one employee, a success from abroad, minutes later a remote control tool from inside."""
    user, stranger, assigned = town.teleworkers[0], "198.51.100.23", f"{town.tunnel}.77"
    lines = [device.vpn_refused(begin + 50 * n, user, stranger) for n in range(7)]
    entered = begin + 410
    lines.append(device.vpn_up(entered, user, stranger, assigned))
    relay, server = "relay-7c1f02.net.anydesk.com", "198.51.100.90"
    tool = entered + 720
    steps: list[Mapping[str, Any]] = [
        {"dns": {"client": assigned, "server": town.resolver, "query": relay, "answer": server}, "at": tool},
        {"tls": {"client": assigned, "server": server, "name": relay, "sealed": 1200}, "at": tool + 1},
    ]
    for n in range(6):
        share = {"client": assigned, "server": town.server(8 + n), "port": 445}
        steps.append({"conn": share, "at": tool + 120 + 9 * n})
    lines.append(device.vpn_down(entered + 5400, user, stranger, assigned, 5400))
    expect = ("vpn_success_after_failures", "zeek_dns_remote_access_tool", "zeek_ssl_remote_access_tool")
    return Story(expect, tuple(steps), tuple(lines))


def scan_after_download(town: Town, begin: float) -> Story:
    """A workstation fetches a program from a bare address; twenty minutes later it knocks at every door."""
    host = town.host(57)
    server = "198.51.100.66"
    program = {
        "client": host,
        "server": server,
        "host": f"{server}:8080",
        "port": 8080,
        "uri": "/inv/timologio_3311.exe",
        "content_type": "application/octet-stream",
        "body": "MZ" + "A" * 4000,
    }
    sweep = {"client": host, "server": town.server(20), "port": 445, "outcome": "unanswered"}
    desktops = {"client": host, "server": town.server(20), "port": 3389, "outcome": "refused"}
    steps = (
        {"http": program, "at": begin},
        {"conn": sweep, "at": begin + 1200, "times": 80, "every": 1.5, "next": "server"},
        {"conn": desktops, "at": begin + 1400, "times": 45, "every": 2, "next": "server"},
    )
    return Story(("zeek_http_executable_bare_address", "zeek_conn_internal_host_scan"), steps)


def site_under_attack(begin: float) -> Story:
    """A scanner that says its name, SQL injection, a walk out of the folders, and guessing at the editors' login."""
    scanner, guesser = "203.0.113.140", "198.51.100.77"
    tool = "sqlmap/1.9.10#stable (https://sqlmap.org)"
    tries = (
        "/dimotiko-symvoulio?year=2026%27+AND+SLEEP%285%29--+-",
        "/dimotiko-symvoulio?year=2026%27%20UNION%20SELECT%20NULL,NULL,NULL--%20-",
        "/dimotiko-symvoulio?year=-1+UNION+ALL+SELECT+user_login,user_pass,3+FROM+wp_users--",
        "/aitiseis/2741?lang=el%27%20OR%20%271%27%3D%271",
        "/dimotiko-symvoulio?year=2026+AND+EXTRACTVALUE%281,CONCAT%280x5c,VERSION%28%29%29%29",
    )
    lines = [
        visit(begin + 4 * n, scanner, tries[n % len(tries)], status=500 if n == 7 else 200, agent=tool)
        for n in range(15)
    ]
    lines += [
        visit(begin + 90 + n, scanner, f"/lipsi.php?arxeio={'../' * depth}etc/passwd", status=404, size=153, agent=tool)
        for n, depth in enumerate((2, 4, 6))
    ]
    lines += [
        visit(
            begin + 4 * HOUR + 3 * n, guesser, "/wp-login.php", method="POST", size=4210, agent="python-requests/2.32.4"
        )
        for n in range(80)
    ]
    expect = ("web_sql_injection", "web_path_traversal", "web_recon_tool", "web_login_brute_force")
    return Story(expect, site=tuple(lines))


def documents_walked(begin: float) -> Story:
    """One visitor opens sixty citizens' applications by counting their numbers up."""
    lines = [
        visit(begin + 4 * n, "198.51.100.31", f"/aitiseis/{2680 + n}?lang=el", size=18200 + 37 * n) for n in range(60)
    ]
    return Story(("web_document_enumeration",), site=tuple(lines))


def old_switch(town: Town, begin: float) -> Story:
    """Somebody administers an old switch by Telnet: low, and true."""
    step = {"conn": {"client": town.host(5), "server": town.server(250), "port": 23, "size": 90}, "at": begin}
    return Story(("zeek_conn_cleartext_administration",), (step,))


def mining_server(town: Town, begin: float) -> Story:
    """A forgotten server mines; an employee followed a link into Tor."""
    pool = {
        "client": town.server(44),
        "server": town.resolver,
        "query": "xmr-eu1.nanopool.org",
        "answer": "198.51.100.99",
    }
    work = {"client": town.server(44), "server": "198.51.100.99", "port": 10343, "size": 300}
    gate = {
        "client": town.host(31),
        "server": town.resolver,
        "query": "vigla2exampleonion.onion.ws",
        "answer": "198.51.100.98",
    }
    steps = (
        {"dns": pool, "at": begin, "times": 8, "every": 900},
        {"conn": work, "at": begin + 1, "times": 8, "every": 900},
        {"dns": gate, "at": begin + 3 * HOUR},
    )
    return Story(("zeek_dns_mining_pool", "zeek_dns_tor_proxy"), steps)


def former_employee(town: Town, device: FortiGate, begin: float) -> Story:
    """Somebody who left still has an account; the town listed it as disabled."""
    user, home, assigned = FORMER_EMPLOYEE, "203.0.113.91", f"{town.tunnel}.41"
    lines = (device.vpn_up(begin, user, home, assigned), device.vpn_down(begin + 2400, user, home, assigned, 2400))
    return Story(("vpn_login_disabled_account",), firewall=lines)
