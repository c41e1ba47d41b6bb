"""New ids and codes. Ids sort by age; codes are random Crockford characters: nothing to count across municipalities."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, Table, select

from vigla_console.clock import Clock
from vigla_console.database.schema import ALERT_GROUP, CLUSTER, GROUP_REDIRECT, INCIDENT
from vigla_console.database.times import to_column
from vigla_console.incidents.grouping import Name

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Names:
    """Within one write transaction, so that a free code stays free."""

    connection: Connection
    clock: Clock

    def group(self) -> Name:
        return self._name("A-", ALERT_GROUP, GROUP_REDIRECT)

    def incident(self) -> Name:
        return self._name("P-", INCIDENT)

    def cluster(self) -> Name:
        return self._name("K-", CLUSTER)

    def _name(self, prefix: str, *tables: Table) -> Name:
        now = self.clock.now()
        while True:
            code = prefix + "".join(secrets.choice(CROCKFORD) for _ in range(CODE_LENGTH))
            taken = (self.connection.execute(select(t.c.code).where(t.c.code == code)).first() for t in tables)
            if not any(taken):
                return Name(f"{to_column(now):012x}{secrets.token_hex(8)}", code, now)
