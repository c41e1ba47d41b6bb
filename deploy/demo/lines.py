"""Log lines as devices write them: FortiGate key=value (FortiOS 7) and nginx's combined format. Local time, +0200."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

ZONE = datetime.timezone(datetime.timedelta(hours=2))
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One log line and when it was written (seconds since 1970, UTC)."""

    time: float
    text: str


@dataclass(frozen=True, slots=True)
class FortiGate:
    """Lines of one firewall."""

    name: str
    serial: str

    def vpn_refused(self, at: float, user: str, source: str) -> Line:
        body = (
            f'level="alert" vd="root" logdesc="SSL VPN login fail" action="ssl-login-fail" tunneltype="ssl-web" '
            f'tunnelid=0 remip={source} user="{user}" group="N/A" dst_host="N/A" '
            f'reason="sslvpn_login_permission_denied" msg="SSL user failed to logged in"'
        )
        return self._line(at, "0101039426", "event", "vpn", body)

    def vpn_up(self, at: float, user: str, source: str, assigned: str) -> Line:
        body = (
            f'level="information" vd="root" logdesc="SSL VPN tunnel up" action="tunnel-up" tunneltype="ssl-tunnel" '
            f'tunnelid={int(at) % 100000} remip={source} tunnelip={assigned} user="{user}" group="telework" '
            f'dst_host="N/A" reason="tunnel established" msg="SSL tunnel established"'
        )
        return self._line(at, "0101039947", "event", "vpn", body)

    def vpn_down(self, at: float, user: str, source: str, assigned: str, seconds: int) -> Line:
        body = (
            f'level="information" vd="root" logdesc="SSL VPN tunnel down" action="tunnel-down" tunneltype="ssl-tunnel" '
            f'tunnelid={int(at) % 100000} remip={source} tunnelip={assigned} user="{user}" group="telework" '
            f'dst_host="N/A" reason="User requested termination of service" duration={seconds} '
            f'sentbyte={seconds * 911} rcvdbyte={seconds * 377} msg="SSL tunnel shutdown"'
        )
        return self._line(at, "0101039948", "event", "vpn", body)

    def admin_login(self, at: float, user: str, source: str) -> Line:
        body = (
            f'level="information" vd="root" logdesc="Admin login successful" sn="{int(at)}" user="{user}" '
            f'ui="https({source})" method="https" srcip={source} dstip={source.rsplit(".", 2)[0]}.0.1 action="login" '
            f'status="success" reason="none" profile="super_admin" '
            f'msg="Administrator {user} logged in successfully from https({source})"'
        )
        return self._line(at, "0100032001", "event", "system", body)

    def configured(self, at: float, user: str, source: str, path: str, item: str, attributes: str) -> Line:
        """An object was added to the configuration."""
        body = (
            f'level="information" vd="root" logdesc="Object attribute configured" user="{user}" ui="GUI({source})" '
            f'action="Add" cfgtid={int(at) % 10**8} cfgpath="{path}" cfgobj="{item}" cfgattr="{attributes}" '
            f'msg="Add {path} {item}"'
        )
        return self._line(at, "0100044547", "event", "system", body)

    def passed(self, at: float, source: str, target: str, port: int, sent: int, received: int) -> Line:
        """A connection went through."""
        body = (
            f'level="notice" vd="root" srcip={source} srcport={40000 + int(at) % 20000} srcintf="internal" '
            f'dstip={target} dstport={port} dstintf="wan1" proto=6 action="close" policyid=1 service="HTTPS" '
            f"duration={1 + received % 90} sentbyte={sent} rcvdbyte={received}"
        )
        return self._line(at, "0000000013", "traffic", "forward", body)

    def _line(self, at: float, number: str, kind: str, subtype: str, body: str) -> Line:
        local = datetime.datetime.fromtimestamp(at, ZONE)
        head = (
            f'date={local:%Y-%m-%d} time={local:%H:%M:%S} devname="{self.name}" devid="{self.serial}" '
            f'eventtime={int(at * 1000)}000000 tz="+0200" logid="{number}" type="{kind}" subtype="{subtype}"'
        )
        return Line(at, f"{head} {body}")


def visit(
    at: float,
    client: str,
    uri: str,
    *,
    method: str = "GET",
    status: int = 200,
    size: int = 5120,
    referrer: str = "-",
    agent: str = BROWSERS[0],
) -> Line:
    """One request in nginx's access log."""
    local = datetime.datetime.fromtimestamp(at, ZONE)
    moment = f"{local:%d}/{MONTHS[local.month - 1]}/{local:%Y:%H:%M:%S} +0200"
    text = f'{client} - - [{moment}] "{method} {uri} HTTP/1.1" {status} {size} "{referrer}" "{agent}"'
    return Line(at, text)
