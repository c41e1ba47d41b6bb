"""Audit rows. `append` runs in the caller's transaction: no entry, no act."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, insert, select

from vigla_console.audit.chain import GENESIS, first_fault, seal
from vigla_console.audit.models import HUB, AuditEntry
from vigla_console.clock import Clock
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.schema import AUDIT
from vigla_console.database.times import from_column, to_column
from vigla_console.errors import Forbidden
from vigla_console.permissions import Permission
from vigla_console.scope import Actor, Scope
from vigla_console.tenants.models import TenantId


@dataclass(frozen=True, slots=True)
class Deed:
    """What is written down about one act."""

    act: str
    object: str
    result: str = "ok"
    reason: str = ""
    clear: bool = False


def append(connection: Connection, clock: Clock, actor: Actor, chains: Sequence[str], deed: Deed) -> None:
    """One entry in each chain, within the transaction of ``connection``; without chains, in the hub's."""
    at = from_column(to_column(clock.now()))
    for chain in sorted(set(chains)) or [HUB]:
        last = connection.execute(
            select(AUDIT.c.seq, AUDIT.c.hash).where(AUDIT.c.chain == chain).order_by(AUDIT.c.seq.desc()).limit(1)
        ).first()
        seq, prev = (last.seq + 1, last.hash) if last else (1, GENESIS)
        entry = seal(
            AuditEntry(
                chain=chain,
                seq=seq,
                at=at,
                actor=actor.id,
                actor_name=actor.name,
                actor_body=actor.body,
                actor_role=actor.role,
                act=deed.act,
                object=deed.object,
                result=deed.result,
                reason=deed.reason,
                clear=deed.clear,
                prev=prev,
                hash="",
            )
        )
        connection.execute(insert(AUDIT).values(**_columns(entry)))


def _columns(entry: AuditEntry) -> dict[str, object]:
    values = {name: getattr(entry, name) for name in AuditEntry.__slots__}
    values["at"] = to_column(entry.at)
    return values


@dataclass(frozen=True, slots=True)
class SqlAuditLog:
    """See ``AuditLog``."""

    scope: Scope
    database: CaseDatabase
    clock: Clock

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
        with self.database.write() as connection:
            deed = Deed(act, subject, result, reason, clear)
            append(connection, self.clock, self.scope.actor, list(tenants), deed)

    def entries(self, tenant: TenantId, *, foreign_only: bool = False, limit: int = 100) -> Sequence[AuditEntry]:
        if not self.scope.may(Permission.AUDIT_READ, tenant):
            raise Forbidden("reading this audit log needs the right audit.read at this municipality")
        wanted = select(AUDIT).where(AUDIT.c.chain == tenant).order_by(AUDIT.c.seq.desc()).limit(limit)
        if foreign_only:
            wanted = wanted.where(AUDIT.c.actor_body != tenant)
        with self.database.read() as connection:
            return [_entry(row) for row in connection.execute(wanted)]


@dataclass(frozen=True, slots=True)
class AuditVerifier:
    """Reads every chain, for `vigla-console verify-audit` and the hourly record of heads."""

    database: CaseDatabase
    clock: Clock

    def faults(self) -> Sequence[str]:
        """What is wrong with each chain; none if all hold. Also finds a chain cut short since the hub wrote down its
        head.
        """
        with self.database.read() as connection:
            chains = [row.chain for row in connection.execute(select(AUDIT.c.chain).distinct().order_by(AUDIT.c.chain))]
            faults = [fault for chain in chains if (fault := first_fault(_read(connection, chain)))]
            return faults + list(_lost_heads(connection))

    def record_heads(self) -> bool:
        """Writes the head of every tenant's chain into the hub's, if any has moved; whether it did."""
        with self.database.write() as connection:
            heads = _heads(connection)
            last = connection.execute(
                select(AUDIT.c.object)
                .where(AUDIT.c.chain == HUB, AUDIT.c.act == "audit.heads")
                .order_by(AUDIT.c.seq.desc())
                .limit(1)
            ).scalar()
            text = json.dumps(heads, sort_keys=True)
            if not heads or text == last:
                return False
            append(connection, self.clock, Actor("job:audit", "audit", "job", HUB), [HUB], Deed("audit.heads", text))
            return True


def _heads(connection: Connection) -> dict[str, list[int | str]]:
    newest = select(AUDIT.c.chain, func.max(AUDIT.c.seq).label("seq")).group_by(AUDIT.c.chain).subquery()
    rows = connection.execute(
        select(AUDIT.c.chain, AUDIT.c.seq, AUDIT.c.hash)
        .join(newest, (AUDIT.c.chain == newest.c.chain) & (AUDIT.c.seq == newest.c.seq))
        .where(AUDIT.c.chain != HUB)
    )
    return {row.chain: [row.seq, row.hash] for row in rows}


def _lost_heads(connection: Connection) -> Iterator[str]:
    written = connection.execute(
        select(AUDIT.c.seq, AUDIT.c.object).where(AUDIT.c.chain == HUB, AUDIT.c.act == "audit.heads")
    ).all()
    for row in written:
        for chain, (seq, digest) in json.loads(row.object).items():
            kept = connection.execute(select(AUDIT.c.hash).where(AUDIT.c.chain == chain, AUDIT.c.seq == seq)).scalar()
            if kept != digest:
                yield f"chain {chain}, entry {seq}: is not the one that entry {row.seq} of the hub's chain wrote down"


def _read(connection: Connection, chain: str) -> Iterator[AuditEntry]:
    for row in connection.execute(select(AUDIT).where(AUDIT.c.chain == chain).order_by(AUDIT.c.seq)):
        yield _entry(row)


def _entry(row: Row[tuple[object, ...]]) -> AuditEntry:
    values = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's public name for it
    return AuditEntry(**{**values, "at": from_column(values["at"])})
