"""A cluster that gives up at the time it was given: the page says partial, it does not fail."""

from datetime import timedelta
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from tests.console.build import NOW, StandingClock
from tests.contract.alert_store_suite import FIRST, SIGNER, scope_of
from vigla_console.alerts.elasticsearch import Cluster, ElasticsearchAlertStore, Index
from vigla_console.alerts.fields import CATALOGUE
from vigla_console.alerts.interfaces import StoreUnavailable
from vigla_console.alerts.query import AlertQuery
from vigla_console.tenants.models import TenantId

TOWN = TenantId("kalamata")


class Troubled(Cluster):
    """Answers every search with one error, as the server words it."""

    cause = "search_timeout_exception"

    def ask(self, method: str, path: str, body: object = None, *, lines: bool = False) -> Any:
        cause = {"type": self.cause, "reason": "Time exceeded"}
        error = {"type": "search_phase_execution_exception", "root_cause": [cause], "failed_shards": []}
        return {"responses": [{"error": error, "status": 429}]}

    def indices(self) -> tuple[Index, ...]:
        return (Index(f"vigla-alerts-{TOWN}-2026", "uuid", TOWN),)


class Refusing(Troubled):
    cause = "es_rejected_execution_exception"


def store(kind: type[Troubled]) -> ElasticsearchAlertStore:
    cluster = kind(Elasticsearch("https://127.0.0.1:1"), StandingClock(NOW))
    return ElasticsearchAlertStore(scope_of(TOWN), cluster, SIGNER)


def test_time_exceeded_is_partial() -> None:
    slow = store(Troubled)
    page = slow.search(AlertQuery(), FIRST)
    assert (list(page.alerts), page.partial, page.total_is_exact) == ([], True, False)
    facets = slow.facets(AlertQuery(), list(CATALOGUE.values())[:2], 5)
    assert facets.partial
    assert slow.histogram(AlertQuery(), [NOW, NOW + timedelta(hours=1)], None).partial


def test_any_other_refusal_is_an_outage() -> None:
    with pytest.raises(StoreUnavailable, match="429"):
        store(Refusing).search(AlertQuery(), FIRST)
