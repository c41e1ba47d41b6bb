"""Which tenants let the centre close for them; theirs to give and to take back."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from vigla_console.audit.models import HUB
from vigla_console.audit.storage import Deed, append
from vigla_console.clock import Clock
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.schema import DELEGATION
from vigla_console.database.times import to_column
from vigla_console.scope import Actor
from vigla_console.tenants.models import TenantId


@dataclass(frozen=True, slots=True)
class SqlDelegations:
    """See ``Delegations``."""

    database: CaseDatabase
    clock: Clock

    def delegated(self) -> frozenset[TenantId]:
        with self.database.read() as connection:
            return frozenset(
                TenantId(tenant) for tenant in connection.execute(select(DELEGATION.c.tenant_id)).scalars()
            )

    def set(self, tenant: TenantId, *, on: bool) -> None:
        """Written into the tenant's audit log; again changes nothing."""
        with self.database.write() as connection:
            known = connection.execute(select(DELEGATION).where(DELEGATION.c.tenant_id == tenant)).first() is not None
            if known == on:
                return
            if on:
                connection.execute(insert(DELEGATION).values(tenant_id=tenant, since=to_column(self.clock.now())))
            else:
                connection.execute(delete(DELEGATION).where(DELEGATION.c.tenant_id == tenant))
            deed = Deed("delegation.give" if on else "delegation.revoke", f"tenant:{tenant}")
            append(connection, self.clock, Actor("cli", "cli", "operator", HUB), [tenant], deed)
