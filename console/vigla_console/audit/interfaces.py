"""Seams of the audit."""

from collections.abc import Sequence
from typing import Protocol

from vigla_console.audit.models import AuditEntry
from vigla_console.tenants.models import TenantId


class AuditLog(Protocol):
    """Built with a Scope: the actor is its actor; reads see the chains of tenants where it holds `audit.read`."""

    def record(
        self,
        act: str,
        subject: str,
        tenants: Sequence[TenantId],
        *,
        result: str = "ok",
        reason: str = "",
        clear: bool = False,
    ) -> None:
        """One entry in each tenant's chain; none named: in the hub's."""
        ...

    def entries(self, tenant: TenantId, *, foreign_only: bool = False, limit: int = 100) -> Sequence[AuditEntry]:
        """Newest first; ``foreign_only`` leaves out the tenant's own people."""
        ...
