"""The whole hub over an existing cluster, as the user of `deploy/elasticsearch/role-hub.json` and no more."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.console.build import CHEAP, House, PlainSite, StandingClock, document, empty_hub, event_id, ndjson
from tests.elasticsearch.server import Server
from vigla_console.alerts.elasticsearch_setup import check, setup, templates_folder
from vigla_console.app import connect, create_app
from vigla_console.config import ElasticsearchSettings, StorageSettings
from vigla_console.demo import demo_settings
from vigla_console.incidents.models import GroupFilter

TOWN = "gavdos"


@pytest.fixture
def hub(elasticsearch_server: Server, tmp_path: Path) -> Iterator[House]:
    server = elasticsearch_server
    role = json.loads((templates_folder() / "role-hub.json").read_text(encoding="utf-8"))
    name, password = f"hub{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    assert server.request("PUT", f"/_security/role/{name}", role)[0] == 200
    user = {"password": password, "roles": [name]}
    assert server.request("PUT", f"/_security/user/{name}", user)[0] == 200
    server.request("DELETE", f"/vigla-alerts-{TOWN}-2026")
    secret = tmp_path / "password"
    secret.write_text(password)
    folder = empty_hub(tmp_path / "hub")
    settings = replace(
        demo_settings(folder, 8443, None),
        storage=StorageSettings(directory=folder, alerts="elasticsearch"),
        elasticsearch=ElasticsearchSettings(server.url, server.ca_file, name, secret),
    )
    clock = StandingClock()
    app = create_app(settings, site=PlainSite(), clock=clock, passwords=CHEAP)
    house = House(app, app.state.hub, clock, settings)
    yield house
    house.hub.close()
    server.request("DELETE", f"/vigla-alerts-{TOWN}-2026")
    server.request("DELETE", f"/_security/user/{name}")


@pytest.mark.elasticsearch
def test_alerts_become_groups_whoever_wrote_them(hub: House, elasticsearch_server: Server) -> None:
    """Through the hub, and by a sensor straight into its index."""
    body = ndjson(document(1, tenant=TOWN), document(2, tenant=TOWN))
    assert [item["result"] for item in hub.send(body, TOWN).json()["items"]] == ["created", "created"]
    assert [item["result"] for item in hub.send(body, TOWN).json()["items"]] == ["duplicate", "duplicate"]
    path = f"/vigla-alerts-{TOWN}-2026/_create/{event_id(3)}"
    assert elasticsearch_server.request("PUT", path, document(3, tenant=TOWN))[0] == 201
    hub.settle()
    assert hub.settle() == 0
    (group,) = (
        hub.hub.cases(hub.everyone()).groups(GroupFilter(tenants=frozenset({hub.hub.tenants.get(TOWN).id}))).groups
    )
    assert group.count == 3
    officer = hub.officer(TOWN)
    answer = officer.client.get(f"/api/v1/groups/{group.code}/alerts/{event_id(3)}")
    assert answer.json()["event"]["id"] == event_id(3)
    assert "search_text" not in answer.json()["vigla"]
    stranger = hub.officer("mytilini")
    assert stranger.client.get(f"/api/v1/groups/{group.code}/alerts/{event_id(3)}").status_code == 404


@pytest.mark.elasticsearch
def test_the_hubs_user_can_set_up_and_check(hub: House) -> None:
    cluster = connect(hub.settings.elasticsearch, hub.clock)
    setup(cluster, templates_folder())
    assert [one for one in check(cluster, templates_folder()) if "missing" in one or "schema" in one] == []
    cluster.client.close()
