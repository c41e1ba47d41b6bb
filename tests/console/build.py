"""What console tests are made of: a clock that stands, alert documents, a hub in a folder, people who sign in."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.testclient import TestClient

from vigla_console.app import Hub, create_app
from vigla_console.config import Settings
from vigla_console.context import RequestContext
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.migrate import migrate
from vigla_console.demo import demo_settings, make_secret
from vigla_console.people.passwords import Passwords
from vigla_console.people.storage import SqlAccounts
from vigla_console.scope import Scope
from vigla_console.sensors.storage import SensorRegistry
from vigla_console.tenants.models import Binding, Role, TenantId, User
from vigla_console.worker import drain

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
CHEAP = Passwords(memory_kib=16, rounds=1)
PASSWORD = "correct horse battery"


@dataclass
class StandingClock:
    """Moves only when a test says so."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass(frozen=True)
class PlainSite:
    """No pages: errors as text."""

    routes: tuple[Any, ...] = ()
    static: str | None = None

    def error(self, request: Request, context: RequestContext | None, status: int, error: Exception) -> Response:
        del request, context
        return Response(str(error), status)


def event_id(text: object) -> str:
    return hashlib.sha256(str(text).encode()).hexdigest()[:32]


def document(
    name: object,
    *,
    tenant: str = "kalamata",
    at: datetime = NOW,
    rule: str = "brute",
    severity: int = 50,
    tactics: tuple[str, ...] = ("TA0006",),
    entity: tuple[str, str] = ("ip", "203.0.113.9"),
    fields: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A whole alert document of schema 1; ``fields`` are merged over it by dotted path."""
    body: dict[str, Any] = {
        "@timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "event": {
            "id": event_id(name),
            "created": "2026-11-23T12:00:01.000Z",
            "sequence": 1873497444986126,
            "kind": "alert",
            "action": "match",
            "category": ["authentication"],
            "type": ["info"],
            "severity": severity,
            "dataset": "vpn",
            "module": "fortigate",
        },
        "ecs": {"version": "9.4.0"},
        "rule": {
            "uuid": rule,
            "name": f"Rule {rule}",
            "version": "1",
            "ruleset": "vigla",
            "author": ["Vigla"],
            "license": "DRL-1.1",
        },
        "threat": {"tactic": {"id": list(tactics)}},
        "organization": {"id": tenant, "name": "as claimed"},
        "observer": {"name": f"{tenant}-1", "serial_number": f"{tenant}-1", "version": "0.1.0", "type": "sensor"},
        "agent": {"id": f"{tenant}-1", "version": "0.1.0"},
        "vigla": {
            "schema": 1,
            "level": "medium",
            "entity": {"field": "x", "kind": entity[0], "value": entity[1]},
            "event": {"name": str(name)},
        },
    }
    for path, value in (fields or {}).items():
        inner = body
        *parents, last = path.split(".")
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return body


def ndjson(*documents: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in documents)


@dataclass
class House:
    """A whole hub in a folder, its worker not running: `settle` does its work when a test wants."""

    app: FastAPI
    hub: Hub
    clock: StandingClock
    settings: Settings
    credentials: dict[str, str] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    def client(self) -> TestClient:
        return TestClient(self.app, base_url="http://127.0.0.1:8443", raise_server_exceptions=False)

    def user(self, login: str, *bindings: Binding) -> User:
        return SqlAccounts(self.hub.database, self.clock, CHEAP).add(login, login.title(), PASSWORD, bindings, "el")

    def officer(self, tenant: str = "kalamata") -> "Person":
        """The tenant's officer, in a new session."""
        return self._known(f"officer.{tenant}", Binding(Role.OFFICER, TenantId(tenant)))

    def analyst(self) -> "Person":
        return self._known("analyst", Binding(Role.ANALYST))

    def _known(self, login: str, binding: Binding) -> "Person":
        if login not in self.users:
            self.users[login] = self.user(login, binding)
        return self.signed_in(self.users[login])

    def signed_in(self, user: User) -> "Person":
        signed = self.hub.sessions.sign_in(user.login, PASSWORD, "192.0.2.1")
        client = self.client()
        client.cookies.set("vigla_demo", signed.token)
        client.headers["x-csrf-token"] = signed.session.csrf_token
        return Person(user, client, signed.token, self)

    def sensor(self, tenant: str = "kalamata") -> str:
        """The sensor's credential."""
        if tenant not in self.credentials:
            registry = SensorRegistry(self.hub.database, self.clock)
            self.credentials[tenant] = registry.add(f"{tenant}-1", TenantId(tenant))
        return self.credentials[tenant]

    def send(self, body: bytes, tenant: str = "kalamata", **headers: str) -> Any:
        """Posts to ingest as the tenant's sensor."""
        bearer = {"authorization": f"Bearer {self.sensor(tenant)}", "content-type": "application/x-ndjson"}
        return self.client().post("/ingest/v1/alerts", content=body, headers=bearer | headers)

    def take(self, *documents: Mapping[str, Any], tenant: str = "kalamata") -> None:
        """Ingests documents that must all be new, and aggregates."""
        answer = self.send(ndjson(*documents), tenant)
        assert [item["result"] for item in answer.json()["items"]] == ["created"] * len(documents), answer.text
        self.settle()

    def settle(self) -> int:
        worker = self.hub.worker()
        return drain(worker.store, worker.sink)

    def everyone(self) -> Scope:
        return Scope.every_tenant("test", self.hub.tenants.ids())

    def scope(self, user: User) -> Scope:
        return Scope.of_user(user, self.hub.tenants.ids(), self.hub.delegated(), self.clock.now(), "test")


@dataclass
class Person:
    user: User
    client: TestClient
    token: str
    house: House

    def post(self, path: str, **body: Any) -> Any:
        """Sends an act with a fresh form key unless one is given."""
        return self.client.post(path, json={"form_key": secrets.token_hex(8), **body})


def empty_hub(folder: Path) -> Path:
    """A folder with the hub's secret and a migrated case database."""
    folder.mkdir(parents=True, exist_ok=True)
    make_secret(folder)
    database = CaseDatabase.at(folder / "cases.db")
    migrate(database)
    database.close()
    return folder


def build_house(folder: Path, clock: StandingClock | None = None, **changes: Any) -> House:
    """A hub as the demo would make it, without demo people; in an existing folder it is a restart."""
    settings = demo_settings(folder, 8443, None)
    if not (folder / "cases.db").exists():
        empty_hub(folder)
    standing = clock or StandingClock()
    app = create_app(settings, site=changes.pop("site", PlainSite()), clock=standing, passwords=CHEAP)
    return House(app, app.state.hub, standing, settings)
