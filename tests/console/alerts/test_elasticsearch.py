"""What only Elasticsearch can do wrong: writers beside the hub, indices that come, go, close, or lie about whose
they are.
"""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.console.build import NOW, StandingClock
from tests.contract.alert_store_suite import FIRST, SIGNER, alert, scope_of
from tests.elasticsearch.fixture import Municipality
from tests.elasticsearch.server import Server
from vigla_console.alerts.bucket import index_name, tenant_of, year_of
from vigla_console.alerts.elasticsearch import Cluster, ElasticsearchAlertStore, Patience
from vigla_console.alerts.elasticsearch_setup import check, setup, templates_folder
from vigla_console.alerts.interfaces import StoreUnavailable
from vigla_console.alerts.models import ArrivalCursor, BadAlert, PutStatus, parse_time
from vigla_console.alerts.query import AlertQuery
from vigla_console.tenants.models import TenantId

BUCKETS = json.loads((Path(__file__).parents[2] / "contract" / "bucket.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", BUCKETS, ids=lambda case: case["index"])
def test_buckets_are_golden(case: dict[str, str]) -> None:
    times = (parse_time(case[name], name) for name in ("timestamp", "accepted"))
    name = index_name(TenantId(case["tenant"]), *times)
    assert name == case["index"]
    assert tenant_of(name) == case["tenant"]
    assert year_of(name) == (None if name.endswith("odd") else int(name[-4:]))


@pytest.mark.parametrize(
    "name", ["vigla-alerts-a-b-2026", "vigla-alerts-Kalamata-2026", "vigla-alerts-x-2026", "other"]
)
def test_an_index_that_is_none_of_ours_belongs_to_nobody(name: str) -> None:
    assert tenant_of(name) is None


@pytest.fixture
def cluster(elasticsearch_server: Server) -> Iterator[Cluster]:
    server = elasticsearch_server
    made = Cluster.connect(server.url, server.ca_file, StandingClock(NOW), user=("elastic", server.password))
    yield made
    made.client.close()


def store_of(cluster: Cluster, *tenants: str) -> ElasticsearchAlertStore:
    return ElasticsearchAlertStore(scope_of(*tenants), cluster, SIGNER, Patience("30s", "30s"))


def drained(store: ElasticsearchAlertStore, cursor: ArrivalCursor, limit: int = 50) -> tuple[list[str], ArrivalCursor]:
    seen: list[str] = []
    while True:
        arrivals = store.since(cursor, limit)
        seen += [one.event_id for one in arrivals.alerts]
        cursor = arrivals.cursor
        if not arrivals.more:
            return seen, cursor


@pytest.mark.elasticsearch
def test_no_arrival_is_missed_while_four_write(cluster: Cluster, municipality: Municipality) -> None:
    """Sequence numbers become visible out of order: reading only up to the settled one misses none."""
    tenant = municipality.tenant
    store = store_of(cluster, tenant)

    def write(writer: int) -> None:
        for batch in range(10):
            ids = [f"{writer}-{batch}-{n}" for n in range(20)]
            store.put([alert(tenant, one, NOW - timedelta(seconds=batch)) for one in ids])

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    seen: list[str] = []
    cursor = ArrivalCursor()
    while any(writer.is_alive() for writer in writers):
        new, cursor = drained(store, cursor)
        seen += new
    for writer in writers:
        writer.join()
    new, cursor = drained(store, cursor)
    seen += new
    assert len(seen) == len(set(seen)) == 800


@pytest.mark.elasticsearch
def test_an_index_made_anew_is_read_from_its_beginning(cluster: Cluster, municipality: Municipality) -> None:
    tenant = municipality.tenant
    store = store_of(cluster, tenant)
    store.put([alert(tenant, str(n)) for n in range(5)])
    seen, cursor = drained(store, ArrivalCursor())
    assert len(seen) == 5
    cluster.ask("DELETE", f"/vigla-alerts-{tenant}-2026")
    cluster.forget_list()
    assert drained(store, cursor)[0] == []
    store.put([alert(tenant, "again")])
    assert drained(store, cursor)[0] == ["again"]


@pytest.mark.elasticsearch
def test_a_closed_index_is_said_and_what_is_in_it_waits(cluster: Cluster, municipality: Municipality) -> None:
    tenant = municipality.tenant
    store = store_of(cluster, tenant)
    store.put([alert(tenant, "1")])
    cluster.ask("POST", f"/vigla-alerts-{tenant}-2026/_close")
    cluster.forget_list()
    page = store.search(AlertQuery(), FIRST)
    assert page.partial
    assert store.health().status == "yellow"
    (refused,) = store.put([alert(tenant, "2")])
    assert (refused.status, refused.type, refused.retry) == (PutStatus.REJECTED, "unavailable", True)
    assert any(tenant in finding for finding in check(cluster, templates_folder()))
    cluster.ask("POST", f"/vigla-alerts-{tenant}-2026/_open?wait_for_active_shards=1")
    cluster.forget_list()
    cluster.ask("GET", f"/_cluster/health/vigla-alerts-{tenant}-2026?wait_for_status=green&timeout=10s")
    assert [one.event_id for one in store.search(AlertQuery(), FIRST).alerts] == ["1"]


@pytest.mark.elasticsearch
def test_the_index_says_whose_it_is_whatever_the_document_claims(
    elasticsearch_server: Server, cluster: Cluster, municipality: Municipality, caplog: pytest.LogCaptureFixture
) -> None:
    tenant = municipality.tenant
    body: dict[str, Any] = dict(alert(tenant, "1", **{"organization.id": "kalamata"}).body)
    status, _ = elasticsearch_server.request("PUT", f"/vigla-alerts-{tenant}-2026/_create/1", body)
    assert status == 201
    cluster.forget_list()
    arrivals = store_of(cluster, tenant).since(ArrivalCursor(), 10)
    assert [(one.tenant, one.event_id) for one in arrivals.alerts] == [(tenant, "1")]
    assert "claims to be of 'kalamata'" in caplog.text


@pytest.mark.elasticsearch
def test_an_index_without_the_template_is_red(
    elasticsearch_server: Server, cluster: Cluster, municipality: Municipality
) -> None:
    name = f"vigla-alerts-{municipality.tenant}-2026"
    mappings = {"settings": {"number_of_replicas": 0}}
    for path, method in (("/_index_template/vigla-alerts", "DELETE"), (f"/{name}", "PUT")):
        elasticsearch_server.request(method, path, mappings if method == "PUT" else None)
    try:
        cluster.forget_list()
        health = store_of(cluster, municipality.tenant).health()
        assert health.status == "red"
        assert "setup" in health.detail
        assert any("missing" in finding for finding in check(cluster, templates_folder()))
    finally:
        assert len(setup(cluster, templates_folder())) == 3
        elasticsearch_server.request("DELETE", f"/{name}")
    assert not [finding for finding in check(cluster, templates_folder()) if "missing" in finding]


@pytest.mark.elasticsearch
def test_whole_years_go_and_the_rest_is_swept(cluster: Cluster, municipality: Municipality) -> None:
    tenant = municipality.tenant
    store = store_of(cluster, tenant)
    year = timedelta(days=365)
    store.put([alert(tenant, f"old{n}", NOW - year) for n in range(3)] + [alert(tenant, f"new{n}") for n in range(3)])
    cluster.ask("POST", f"/vigla-alerts-{tenant}-*/_refresh")
    cluster.forget_list()
    assert store.delete_before(TenantId(tenant), NOW.replace(month=1, day=1)).count == 3
    assert [index.name for index in cluster.indices() if index.tenant == tenant] == [f"vigla-alerts-{tenant}-2026"]
    assert store.delete_before(TenantId(tenant), NOW + timedelta(seconds=1)).count == 3


def test_a_cluster_that_is_not_there_is_unavailable() -> None:
    cluster = Cluster.connect("https://127.0.0.1:9", None, StandingClock(NOW), user=("a", "b"))
    with pytest.raises(StoreUnavailable):
        store_of(cluster, "kalamata").search(AlertQuery(), FIRST)
    assert store_of(cluster, "kalamata").health().status == "red"
    cluster.client.close()


def test_a_time_without_a_zone_is_no_time() -> None:
    with pytest.raises(BadAlert, match="zone"):
        parse_time("2026-11-23T12:00:00", "@timestamp")
