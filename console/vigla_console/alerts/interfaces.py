"""The seam every alert store stands behind; one contract suite runs over all of them
(tests/contract/alert_store_suite.py).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from vigla_console.alerts.fields import Field
from vigla_console.alerts.models import (
    Alert,
    ArrivalCursor,
    Arrivals,
    Deleted,
    Facets,
    Histogram,
    Page,
    PageRequest,
    PutResult,
    StoreHealth,
)
from vigla_console.alerts.query import AlertQuery
from vigla_console.tenants.models import TenantId


class StoreUnavailable(RuntimeError):
    """Nothing is known about what was asked: try again later (503)."""


class BadCursor(ValueError):
    """A page cursor that was not made for this query and Scope."""


class AlertStore(Protocol):
    """Built with a Scope: reads see its tenants only, writes into another tenant are rejected, an empty Scope sees
    nothing.
    """

    def put(self, alerts: Sequence[Alert]) -> Sequence[PutResult]:
        """Durable when it returns; one result per alert, in order; raises ``StoreUnavailable``."""
        ...

    def search(self, query: AlertQuery, page: PageRequest) -> Page: ...
    def facets(self, query: AlertQuery, fields: Sequence[Field], size: int) -> Facets: ...
    def histogram(self, query: AlertQuery, edges: Sequence[datetime], by: Field | None) -> Histogram:
        """At most 1,000 ascending edges, made by the caller (so that a day can be Athenian)."""
        ...

    def get(self, event_id: str) -> Alert | None: ...
    def since(self, cursor: ArrivalCursor, limit: int) -> Arrivals:
        """Alerts in the order they arrived, and where to go on; one may come twice, none is left out."""
        ...

    def delete_before(self, tenant: TenantId, instant: datetime) -> Deleted: ...
    def health(self) -> StoreHealth: ...
