"""Seams of the case side; every implementation is built with a `Scope`, and a row outside it does not exist."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from vigla_console.incidents.models import (
    AlertGroup,
    Cluster,
    DayCount,
    GroupFilter,
    GroupPage,
    HistoryEntry,
    Incident,
    TenantPicture,
)
from vigla_console.tenants.models import TenantId


class CaseReader(Protocol):
    """What pages and the API read. Codes are accepted in either case; a joined group's old code finds the one that
    stayed.
    """

    def groups(self, wanted: GroupFilter) -> GroupPage: ...
    def group(self, code: str) -> AlertGroup:
        """Raises ``NotFound``."""
        ...

    def similar(self, group: AlertGroup, days: int = 30, limit: int = 10) -> Sequence[AlertGroup]:
        """Other groups of the same rule and tenant, newest first: how did they end?"""
        ...

    def group_alerts(self, group: AlertGroup, limit: int = 50) -> Sequence[str]:
        """Event ids of the members, newest first, to ask the AlertStore for."""
        ...

    def incidents(self, *, open_only: bool = True, limit: int = 50) -> Sequence[Incident]: ...
    def incident(self, code: str) -> Incident:
        """Raises ``NotFound``."""
        ...

    def incident_groups(self, incident: Incident) -> Sequence[AlertGroup]: ...
    def clusters(self, *, since: datetime | None = None, limit: int = 50) -> Sequence[Cluster]:
        """Needs every member inside the Scope: a municipality gets an empty list, and reads ``cluster_tenants`` of its
        groups.
        """
        ...

    def cluster(self, code: str) -> Cluster:
        """Raises ``NotFound``."""
        ...

    def cluster_groups(self, cluster: Cluster, limit: int = 200) -> Sequence[AlertGroup]: ...
    def history(self, item: AlertGroup | Incident) -> Sequence[HistoryEntry]:
        """Oldest first."""
        ...

    def recent_history(self, since: datetime, limit: int = 50) -> Sequence[HistoryEntry]:
        """Acts within the Scope, newest first: "what the SOC did for you this week"."""
        ...

    def picture(self) -> Sequence[TenantPicture]:
        """One per tenant of the Scope, tenants with nothing open included."""
        ...

    def days(self, edges: Sequence[datetime]) -> Sequence[DayCount]:
        """Alerts between neighboring edges, by severity, from the rollups (hours)."""
        ...

    def counts(self, wanted: GroupFilter) -> int: ...


class Delegations(Protocol):
    """Which tenants let the centre close for them."""

    def delegated(self) -> frozenset[TenantId]: ...
    def set(self, tenant: TenantId, *, on: bool) -> None: ...


class CaseChange(Protocol):
    """One act within one transaction: what is read here cannot change before it is saved."""

    def spend(self, form_key: str, verb: str, code: str) -> bool:
        """Whether this actor sends this form (key, verb, object) for the first time; the second sending is no act."""
        ...

    def group(self, code: str) -> AlertGroup:
        """Raises ``NotFound``."""
        ...

    def incident(self, code: str) -> Incident:
        """Raises ``NotFound``."""
        ...

    def incident_groups(self, incident: Incident) -> Sequence[AlertGroup]: ...
    def last_entry(self, group: AlertGroup) -> HistoryEntry | None: ...
    def save_group(self, group: AlertGroup, entry: HistoryEntry) -> None:
        """With its history and audit entry: no entry, no act."""
        ...

    def save_incident(self, incident: Incident, entry: HistoryEntry) -> None: ...
    def open_incident(self, group: AlertGroup, title: str, entry: HistoryEntry) -> Incident:
        """A new incident of one group, which is saved with it."""
        ...


class CaseWriter(Protocol):
    """Built with a Scope."""

    def change(self) -> AbstractContextManager[CaseChange]:
        """Commits when its block ends well, undoes everything otherwise."""
        ...
