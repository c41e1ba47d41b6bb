"""The doors of the house: no route without a right, no insecure start, no form from elsewhere, no answer without its
headers.
"""

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response

from tests.console.build import CHEAP, House, PlainSite, StandingClock, build_house, document, ndjson
from vigla_console.app import UnguardedRoute, create_app, require_guards
from vigla_console.config import BadConfig, ServerSettings, Settings, StorageSettings
from vigla_console.context import Context
from vigla_console.database.migrate import NotMigrated
from vigla_console.demo import make_secret
from vigla_console.permissions import Permission
from vigla_console.routing import Routes
from vigla_console.tenants.models import Binding, Role

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


def form_site() -> PlainSite:
    routes = Routes()

    @routes.post("/act", needs=Permission.ALERTS_ACK)
    def act(context: Context) -> Response:
        return Response(context.user.login)

    @routes.get("/fail", needs=Permission.PUBLIC)
    def fail() -> Response:
        raise RuntimeError("the inside of the house")

    return PlainSite((routes,))


@pytest.fixture
def formed(tmp_path: Path) -> Any:
    house = build_house(tmp_path / "hub", site=form_site())
    yield house
    house.hub.close()


def test_a_route_that_declares_no_right_does_not_start() -> None:
    app = FastAPI(openapi_url=None)
    app.get("/backdoor")(lambda: "open")
    with pytest.raises(UnguardedRoute, match="GET /backdoor"):
        require_guards(app, [])
    with pytest.raises(UnguardedRoute, match="openapi"):
        require_guards(FastAPI(), [])


def test_routes_cannot_be_declared_without_a_right() -> None:
    with pytest.raises(TypeError, match="needs"):
        Routes().get("/x")  # type: ignore[call-arg]


def test_every_route_of_the_real_site_is_guarded(tmp_path: Path) -> None:
    house = build_house(tmp_path / "hub", site=None)
    paths = {route.path for route in house.app.routes if hasattr(route, "path")}
    assert {"/login", "/", "/alerts", "/soc", "/ingest/v1/alerts", "/api/v1/groups"} <= paths
    client = house.client()
    for route in house.app.routes:
        path = re.sub(r"\{[^}]+\}", "A-000000", getattr(route, "path", "/static"))
        if path.startswith(("/static", "/ingest/")) or path in ("/login", "/health"):
            continue
        for method in getattr(route, "methods", ()):
            answer = client.request(method, path, follow_redirects=False)
            wanted = (401,) if path.startswith("/api/") else (303, 401)
            assert answer.status_code in wanted or path in PUBLIC, f"{method} {path}: {answer.status_code}"
    house.hub.close()


PUBLIC = {"/language", "/accessibility"}  # a new public page needs a row here


@pytest.mark.parametrize(
    ("server", "message"),
    [
        (ServerSettings(), "no TLS"),
        (ServerSettings(host="0.0.0.0", behind_tls_proxy=True), "127.0.0.1"),
        (ServerSettings(behind_tls_proxy=True), "public_url"),
        (ServerSettings(behind_tls_proxy=True, public_url="http://vigla.example"), "https://"),
        (ServerSettings(tls_certificate=Path("c"), public_url="https://vigla.example"), "no TLS"),
    ],
)
def test_an_insecure_start_is_refused(tmp_path: Path, server: ServerSettings, message: str) -> None:
    settings = Settings(server=server, storage=StorageSettings(directory=tmp_path))
    with pytest.raises(BadConfig, match=re.escape(message)):
        create_app(settings, site=PlainSite(), passwords=CHEAP)
    assert list(tmp_path.iterdir()) == [], "nothing was opened before"


def test_the_demo_listens_on_loopback_only(house: House) -> None:
    elsewhere = replace(house.settings, server=ServerSettings(host="0.0.0.0"))
    with pytest.raises(BadConfig, match="loopback"):
        create_app(elsewhere, site=PlainSite())


def test_without_migration_or_secret_it_says_what_to_run(tmp_path: Path, house: House) -> None:
    settings = replace(house.settings, storage=StorageSettings(directory=tmp_path))
    with pytest.raises(BadConfig, match="migrate"):
        create_app(settings, site=PlainSite())
    make_secret(tmp_path)
    with pytest.raises(NotMigrated, match="migrate"):
        create_app(settings, site=PlainSite())


@pytest.mark.parametrize("path", ["/health", "/nothing", "/fail", "/api/v1/groups", "/ingest/v1/none", "/act"])
def test_every_answer_carries_the_headers(formed: House, path: str) -> None:
    answer = formed.client().get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'nonce-")
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "strict-transport-security" not in answer.headers, "the demo has no HTTPS to insist on"


def test_each_answer_has_its_own_nonce(formed: House) -> None:
    client = formed.client()
    nonces = {re.search("nonce-([^']+)'", client.get("/health").headers["content-security-policy"]) for _ in range(5)}
    assert len({match[1] for match in nonces if match}) == 5


def test_a_mistake_of_ours_shows_nothing_of_the_inside(formed: House) -> None:
    answer = formed.client().get("/fail")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text


def test_a_form_needs_the_token_of_its_session(formed: House) -> None:
    officer, other = formed.officer(), formed.officer("mytilini")
    token = officer.client.headers.pop("x-csrf-token")
    post = officer.client.post
    assert post("/act", data={}).status_code == 403
    assert post("/act", data={"csrf_token": "x"}).status_code == 403
    assert post("/act", data={"csrf_token": other.client.headers["x-csrf-token"]}).status_code == 403
    assert post("/act", data={"csrf_token": token}).text == officer.user.login


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_is_refused_even_with_the_token(formed: House, headers: dict[str, str]) -> None:
    officer = formed.officer()
    assert officer.client.post("/act", headers=headers).status_code == 403
    assert officer.client.post("/act", headers={"origin": "http://127.0.0.1:8443"}).status_code == 200


def test_a_role_without_the_right_is_refused_and_written_down(formed: House) -> None:
    viewer = formed.signed_in(formed.user("viewer", Binding(Role.VIEWER, formed.hub.tenants.get("kalamata").id)))
    assert viewer.client.post("/act").status_code == 403


def test_a_session_that_ended_opens_nothing(formed: House) -> None:
    officer = formed.officer()
    assert officer.client.post("/act").status_code == 200
    formed.clock.advance(minutes=31)
    assert officer.client.post("/act").status_code == 401


def test_a_form_has_a_weight(formed: House) -> None:
    officer = formed.officer()
    token = officer.client.headers.pop("x-csrf-token")
    heavy = {"note": "x" * 300_000, "csrf_token": token}
    assert officer.client.post("/act", data=heavy).status_code == 413
    assert officer.client.post("/act", data={**heavy, "note": "x" * 200_000}).status_code == 200


def test_health_says_no_more_than_it_must(house: House) -> None:
    house.take(document(1))
    assert house.client().get("/health").json() == {"status": "green", "aggregation_failures": 0}


def test_the_worker_runs_with_the_application(tmp_path: Path) -> None:
    house = build_house(tmp_path / "hub", StandingClock())
    with house.client() as client:
        bearer = {"authorization": f"Bearer {house.sensor()}"}
        assert client.post("/ingest/v1/alerts", content=ndjson(document(1)), headers=bearer).status_code == 200
        officer = house.officer()
        for _ in range(100):
            if officer.client.get("/api/v1/groups").json()["total"]:
                break
            time.sleep(0.05)
        else:
            pytest.fail("the alert was not aggregated within five seconds")
