"""A real console for the browser: its own folder, the pack of this repository, uvicorn on loopback, the real ingest."""

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn

from tests.console.build import CHEAP, PASSWORD, document
from vigla_console.app import Hub, create_app
from vigla_console.clock import SystemClock
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.migrate import migrate
from vigla_console.demo import demo_settings, make_secret
from vigla_console.incidents.models import GroupFilter
from vigla_console.people.storage import SqlAccounts
from vigla_console.scope import Scope
from vigla_console.sensors.storage import SensorRegistry
from vigla_console.tenants.models import Binding, Role, TenantId

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0

# Rules of the repository's own pack.
SUCCESS_AFTER_FAILURES = "ade2bb2c-352c-4160-a65d-0577e18f74b1"
BRUTE_FORCE = "6f1c3d52-8f0a-4f0e-9f43-0d6f6b6f3a10"
HOST_SCAN = "8382ff9e-f081-4c91-8c65-7bb1f7979fe4"
SQL_INJECTION = "667f4808-21f0-4a3b-9df7-052c5238cbda"

LEVELS = {90: "critical", 70: "high", 50: "medium", 30: "low", 10: "informational"}
PEOPLE = {
    "officer": (Role.OFFICER, "orestiada", "Ελένη Ιωάννου", "el"),
    "viewer": (Role.VIEWER, "orestiada", "Νίκος Παππάς", "el"),
    "neighbor": (Role.OFFICER, "mytilini", "Γιώργος Ευσταθίου", "el"),
    "english": (Role.OFFICER, "orestiada", "Anna Smith", "en"),
    "analyst": (Role.ANALYST, None, "Μαρία Δήμου", "el"),
    "english_analyst": (Role.ANALYST, None, "John Doe", "en"),
}


@dataclass
class LiveHub:
    """Runs until `stop`; ``send`` posts as a town's sensor and waits until the groups are there."""

    folder: Path
    port: int
    hub: Hub
    server: uvicorn.Server
    thread: threading.Thread
    credentials: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, tenant: str, *documents: Mapping[str, Any]) -> None:
        body = b"".join(json.dumps(one).encode() + b"\n" for one in documents)
        request = urllib.request.Request(  # noqa: S310  loopback, made here
            f"{self.address}/ingest/v1/alerts",
            data=body,
            headers={
                "Authorization": f"Bearer {self.credentials[tenant]}",
                "Content-Type": "application/x-ndjson",
            },
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            items = json.load(answer)["items"]
        results = [item["result"] for item in items]
        assert results == ["created"] * len(documents), items

    def settled(self, groups: int) -> None:
        """Waits until the worker has made at least so many groups."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.groups() >= groups:
                return
            time.sleep(0.05)
        raise AssertionError(f"after {PATIENCE} s only {self.groups()} of {groups} groups")

    def groups(self) -> int:
        everyone = Scope.every_tenant("browser test", self.hub.tenants.ids())
        return self.hub.cases(everyone).counts(GroupFilter())

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(PATIENCE)


def start(folder: Path) -> LiveHub:
    """Migrates, adds people and sensors, compiles the pack, listens on a free port of 127.0.0.1."""
    folder.mkdir(parents=True, exist_ok=True)
    make_secret(folder)
    database = CaseDatabase.at(folder / "cases.db")
    migrate(database)
    clock = SystemClock()
    accounts, registry = SqlAccounts(database, clock, CHEAP), SensorRegistry(database, clock)
    for login, (role, town, name, language) in PEOPLE.items():
        binding = Binding(role, TenantId(town) if town else None)
        accounts.add(login, name, PASSWORD, [binding], language)
    towns = ("orestiada", "mytilini", "kalamata", "petroupoli")
    credentials = {town: registry.add(f"{town}-1", TenantId(town)) for town in towns}
    database.close()
    app = create_app(demo_settings(folder, 0, _pack(folder)), passwords=CHEAP)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="console", daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise AssertionError("the console did not start")
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    return LiveHub(folder, port, app.state.hub, server, thread, credentials)


def _pack(folder: Path) -> Path:
    pack = folder / "vigla.vpk"
    command = [sys.executable, "-m", "vigla_rules", "compile", str(ROOT / "rules" / "pack"), "-o", str(pack)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return pack


def alert(
    name: str,
    tenant: str,
    rule: str,
    severity: int,
    entity: tuple[str, str],
    event: Mapping[str, str],
    *,
    title: str = "VPN Login Accepted After Repeated Failures",
    minutes_ago: int = 30,
    tactics: tuple[str, ...] = ("TA0001",),
    ecs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One schema-1 document of a rule that the pack knows."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes_ago)
    matched = [
        {"selection": "selection", "field": key, "op": "eq", "value": value, "actual": value}
        for key, value in list(event.items())[:2]
    ]
    fields: dict[str, Any] = {
        "rule.name": title,
        "vigla.level": LEVELS[severity],
        "vigla.event": dict(event),
        "vigla.matched": matched,
        **(ecs or {}),
    }
    return document(
        name, tenant=tenant, at=at, rule=rule, severity=severity, tactics=tactics, entity=entity, fields=fields
    )


def canary(tenant: str) -> str:
    """A text that only this tenant's alerts hold."""
    return f"canary-{tenant}"


def hostile_host(tenant: str) -> str:
    """Markup, a control character and a right-to-left override, as a log line might carry them."""
    return f"{canary(tenant)}<img src=x onerror=alert(1)>\u202egnp.exe\x07"


def seed(live: LiveHub) -> None:
    """A telework compromise in Orestiada, one brute force in three towns, hostile text, a silent sensor elsewhere."""
    attacker = "203.0.113.9"
    for town in ("orestiada", "mytilini", "kalamata"):
        event = {"src_ip": attacker, "username": "admin", "outcome": "failure", "host": canary(town)}
        ecs = {"source.ip": attacker, "related.ip": [attacker]}
        live.send(
            town,
            alert(
                f"brute-{town}", town, BRUTE_FORCE, 50, ("ip", attacker), event,
                title="VPN Brute Force", tactics=("TA0006",), ecs=ecs,
            ),
            alert(
                f"hostile-{town}", town, SQL_INJECTION, 50, ("host", hostile_host(town)),
                {"cs-uri-query": "id=1' OR '1'='1", "c-useragent": hostile_host(town)},
                title="SQL Injection Attempt in a Web Request", minutes_ago=90, tactics=("TA0043",),
            ),
        )  # fmt: skip
    event = {"username": "protokollo2", "src_ip": "198.51.100.77", "outcome": "success"}
    user = {"user.name": "protokollo2", "related.user": ["protokollo2"]}
    live.send(
        "orestiada",
        alert("success", "orestiada", SUCCESS_AFTER_FAILURES, 70, ("user", "protokollo2"), event, ecs=user),
        alert(
            "scan", "orestiada", HOST_SCAN, 70, ("ip", "192.0.2.40"),
            {"id.orig_h": "192.0.2.40"}, title="Many Inside Hosts Touched by One",
            tactics=("TA0007",), minutes_ago=20, ecs=user,
        ),
    )  # fmt: skip
    live.settled(8)
