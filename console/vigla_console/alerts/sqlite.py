"""The embedded alert store: one file, one writer, WAL with a sync at each commit. The Scope is in every statement.

`AlertFile` is the file and its connections, made once; `SqliteAlertStore` is one Scope's view of it, made per request.
"""

import json
import sqlite3
import stat
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from vigla_console.alerts.cursors import CursorSigner
from vigla_console.alerts.fields import CATALOGUE, Field, FieldType
from vigla_console.alerts.indexed import digest, indexed_values, search_text, unpack_ip
from vigla_console.alerts.interfaces import StoreUnavailable
from vigla_console.alerts.models import (
    Alert,
    ArrivalCursor,
    Arrivals,
    BadAlert,
    Bucket,
    Deleted,
    Facets,
    Histogram,
    Page,
    PageRequest,
    PutResult,
    PutStatus,
    StoreHealth,
    instant_of,
    millis,
)
from vigla_console.alerts.query import AlertQuery
from vigla_console.alerts.sql import Sql, compile_query, stored
from vigla_console.scope import Scope
from vigla_console.tenants.models import TenantId

MOST_TOTAL = 10_000
MOST_EDGES = 1_000
MOST_PAGE = 500
SEARCH_SECONDS = 1.0
FACET_SECONDS = 0.2
DELETE_BATCH = 5_000
STEPS_BETWEEN_CHECKS = 20_000  # of SQLite's virtual machine

_SCHEMA = """
CREATE TABLE IF NOT EXISTS field (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS alert (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, event_id TEXT NOT NULL, ts INTEGER NOT NULL,
  severity INTEGER NOT NULL, rule TEXT NOT NULL, digest BLOB NOT NULL, search_text TEXT NOT NULL, body BLOB NOT NULL,
  UNIQUE (tenant, event_id)) STRICT;
CREATE INDEX IF NOT EXISTS alert_ts ON alert (ts DESC, event_id);
CREATE INDEX IF NOT EXISTS alert_tenant_ts ON alert (tenant, ts DESC, event_id);
CREATE INDEX IF NOT EXISTS alert_tenant_severity ON alert (tenant, severity, ts DESC);
CREATE INDEX IF NOT EXISTS alert_rule_ts ON alert (rule, ts DESC);
CREATE TABLE IF NOT EXISTS alert_value (
  field INTEGER NOT NULL, value ANY NOT NULL, alert INTEGER NOT NULL,
  PRIMARY KEY (field, value, alert)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alert_value_alert ON alert_value (alert, field, value);
CREATE VIRTUAL TABLE IF NOT EXISTS alert_words USING fts5 (
  search_text, content = 'alert', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 0');
CREATE TRIGGER IF NOT EXISTS alert_words_insert AFTER INSERT ON alert BEGIN
  INSERT INTO alert_words (rowid, search_text) VALUES (new.id, new.search_text); END;
CREATE TRIGGER IF NOT EXISTS alert_words_delete AFTER DELETE ON alert BEGIN
  INSERT INTO alert_words (alert_words, rowid, search_text) VALUES ('delete', old.id, old.search_text); END;
"""


class AlertFile:
    """alerts.db: one writing connection under a lock, a reading one per thread."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
        self._path = path
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._writer = self._connect()
        self._writer.executescript(_SCHEMA)
        with self.write() as connection:
            known = [(name,) for name in CATALOGUE]
            connection.executemany("INSERT INTO field (name) VALUES (?) ON CONFLICT DO NOTHING", known)
        self.field_ids: dict[str, int] = dict(self._writer.execute("SELECT name, id FROM field").fetchall())

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -32768", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction of the one writer; raises ``StoreUnavailable`` when the disk says no."""
        with self._lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except sqlite3.OperationalError as error:
                self._undo()
                raise StoreUnavailable(f"{self._path}: {error}") from error
            except BaseException:
                self._undo()
                raise

    def _undo(self) -> None:
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    def reader(self) -> sqlite3.Connection:
        """This thread's own connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            with self._lock:
                self._readers.append(connection)
        return connection

    def close(self) -> None:
        with self._lock:
            for connection in (*self._readers, self._writer):
                connection.close()
            self._readers.clear()


class _Clipped(RuntimeError):
    """The time of a query is over."""


@dataclass(frozen=True, slots=True)
class SqliteAlertStore:
    """See ``AlertStore``."""

    scope: Scope
    file: AlertFile
    signer: CursorSigner

    def put(self, alerts: Sequence[Alert]) -> Sequence[PutResult]:
        with self.file.write() as connection:
            return [self._put(connection, alert) for alert in alerts]

    def _put(self, connection: sqlite3.Connection, alert: Alert) -> PutResult:
        if alert.tenant not in self.scope.tenants:
            return PutResult(PutStatus.REJECTED, "tenant_mismatch", "the alert is for a tenant outside the scope")
        try:
            values = [(self.file.field_ids[of.name], stored(of, value)) for of, value in indexed_values(alert)]
        except BadAlert as error:
            return PutResult(PutStatus.REJECTED, "schema", str(error))
        content = digest(alert.body)
        severity = next((v for v in alert.values("event.severity") if isinstance(v, int)), 0)
        body = zlib.compress(json.dumps(alert.body, ensure_ascii=False, separators=(",", ":")).encode(), 1)
        made = connection.execute(
            "INSERT INTO alert (tenant, event_id, ts, severity, rule, digest, search_text, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, event_id) DO NOTHING RETURNING id",
            (
                alert.tenant,
                alert.event_id,
                millis(alert.timestamp),
                severity,
                alert.text("rule.uuid"),
                content,
                search_text(alert.body),
                body,
            ),
        ).fetchone()
        if made is None:
            row = connection.execute(
                "SELECT digest FROM alert WHERE tenant = ? AND event_id = ?", (alert.tenant, alert.event_id)
            ).fetchone()
            return PutResult(PutStatus.DUPLICATE if row[0] == content else PutStatus.CONFLICT)
        rows = ((field, value, made[0]) for field, value in values)
        connection.executemany("INSERT INTO alert_value (field, value, alert) VALUES (?, ?, ?)", rows)
        return PutResult(PutStatus.CREATED)

    def search(self, query: AlertQuery, page: PageRequest) -> Page:
        size = min(max(page.size, 1), MOST_PAGE)
        condition = self._condition(query)
        question = f"{self.scope.digest}|{query!r}"
        after = Sql("1")
        if page.after is not None:
            ts, event_id, tenant = self.signer.open(page.after, question)
            after = Sql(
                "a.ts < ? OR (a.ts = ? AND (a.event_id > ? OR (a.event_id = ? AND a.tenant > ?)))",
                (ts, ts, event_id, event_id, tenant),
            )
        rows: list[Any] = []
        total, partial = 0, False
        try:
            with self._deadline(SEARCH_SECONDS) as connection:
                rows = connection.execute(
                    "SELECT a.tenant, a.event_id, a.ts, a.body FROM alert a"  # noqa: S608
                    f" WHERE {condition.text} AND ({after.text}) ORDER BY a.ts DESC, a.event_id, a.tenant LIMIT ?",
                    (*condition.bound, *after.bound, size + 1),
                ).fetchall()
                total = connection.execute(
                    f"SELECT count(*) FROM (SELECT 1 FROM alert a WHERE {condition.text} LIMIT ?)",  # noqa: S608
                    (*condition.bound, MOST_TOTAL + 1),
                ).fetchone()[0]
        except _Clipped:
            total, partial = len(rows), True
        alerts = [_alert(row) for row in rows[:size]]
        cursor = None
        if len(rows) > size:
            last = alerts[-1]
            cursor = self.signer.sign((millis(last.timestamp), last.event_id, last.tenant), question)
        return Page(alerts, cursor, min(total, MOST_TOTAL), total <= MOST_TOTAL and not partial, partial)

    def facets(self, query: AlertQuery, fields: Sequence[Field], size: int) -> Facets:
        condition = self._condition(query)
        found: dict[str, Sequence[Bucket]] = {}
        partial = False
        for of in fields:
            try:
                with self._deadline(FACET_SECONDS) as connection:
                    rows = connection.execute(
                        "SELECT v.value, count(*) FROM alert a JOIN alert_value v ON v.alert = a.id AND v.field = ?"  # noqa: S608
                        f" WHERE {condition.text} GROUP BY v.value ORDER BY 2 DESC, v.value LIMIT ?",
                        (self.file.field_ids[of.name], *condition.bound, size),
                    ).fetchall()
                found[of.name] = [Bucket(_shown(of, value), count) for value, count in rows]
            except _Clipped:
                found[of.name], partial = [], True
        return Facets(found, partial=partial)

    def histogram(self, query: AlertQuery, edges: Sequence[datetime], by: Field | None) -> Histogram:
        if len(edges) > MOST_EDGES or any(low >= high for low, high in pairwise(edges)):
            raise ValueError(f"a histogram has at most {MOST_EDGES} ascending edges")
        condition = self._condition(query)
        pairs = list(enumerate(pairwise(edges)))
        counts: dict[str | int, list[int]] = {} if by else {"": [0] * len(pairs)}
        if not pairs:
            return Histogram(edges, counts)
        slots = ", ".join("(?, ?, ?)" for _ in pairs)
        bounds = tuple(bound for i, (low, high) in pairs for bound in (i, millis(low), millis(high)))
        join, key = "", "''"
        joined: tuple[int, ...] = ()
        if by is not None:
            join, key = "JOIN alert_value v ON v.alert = a.id AND v.field = ?", "v.value"
            joined = (self.file.field_ids[by.name],)
        try:
            with self._deadline(SEARCH_SECONDS) as connection:
                rows = connection.execute(
                    f"WITH slot (i, low, high) AS (VALUES {slots})"  # noqa: S608
                    f" SELECT slot.i, {key}, count(*) FROM slot JOIN alert a ON a.ts >= slot.low AND a.ts < slot.high"
                    f" {join} WHERE {condition.text} GROUP BY 1, 2",
                    (*bounds, *joined, *condition.bound),
                ).fetchall()
        except _Clipped:
            return Histogram(edges, counts, partial=True)
        for i, value, count in rows:
            shown = _shown(by, value) if by else ""
            counts.setdefault(shown, [0] * len(pairs))[i] = count
        return Histogram(edges, counts)

    def get(self, event_id: str) -> Alert | None:
        tenants = self._tenants(None)
        row = (
            self.file.reader()
            .execute(
                "SELECT tenant, event_id, ts, body FROM alert"  # noqa: S608
                f" WHERE event_id = ? AND tenant IN ({', '.join('?' * len(tenants))}) ORDER BY tenant LIMIT 1",
                (event_id, *tenants),
            )
            .fetchone()
        )
        return _alert(row) if row else None

    def since(self, cursor: ArrivalCursor, limit: int) -> Arrivals:
        tenants = self._tenants(None)
        start = int(cursor.value or 0)
        rows = (
            self.file.reader()
            .execute(
                "SELECT tenant, event_id, ts, body, id FROM alert"  # noqa: S608
                f" WHERE id > ? AND tenant IN ({', '.join('?' * len(tenants))}) ORDER BY id LIMIT ?",
                (start, *tenants, limit + 1),
            )
            .fetchall()
        )
        kept = rows[:limit]
        reached = kept[-1][4] if kept else start
        return Arrivals([_alert(row[:4]) for row in kept], ArrivalCursor(str(reached)), len(rows) > limit)

    def delete_before(self, tenant: TenantId, instant: datetime) -> Deleted:
        if tenant not in self.scope.tenants:
            return Deleted(0)
        count = 0
        while True:
            with self.file.write() as connection:
                ids = connection.execute(
                    "SELECT id FROM alert WHERE tenant = ? AND ts < ? LIMIT ?", (tenant, millis(instant), DELETE_BATCH)
                ).fetchall()
                connection.executemany("DELETE FROM alert_value WHERE alert = ?", ids)
                connection.executemany("DELETE FROM alert WHERE id = ?", ids)
            count += len(ids)
            if len(ids) < DELETE_BATCH:
                return Deleted(count)

    def health(self) -> StoreHealth:
        tenants = self._tenants(None)
        try:
            count = (
                self.file.reader()
                .execute(f"SELECT count(*) FROM alert WHERE tenant IN ({', '.join('?' * len(tenants))})", tenants)  # noqa: S608
                .fetchone()[0]
            )
        except sqlite3.DatabaseError as error:
            return StoreHealth("red", str(error), 0)
        return StoreHealth("green", "", count)

    def _tenants(self, municipality: TenantId | None) -> tuple[TenantId, ...]:
        seen = self.scope.tenants if municipality is None else self.scope.tenants & {municipality}
        return tuple(sorted(seen))

    def _condition(self, query: AlertQuery) -> Sql:
        return compile_query(query, self._tenants(query.municipality), self.file.field_ids)

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[sqlite3.Connection]:
        connection = self.file.reader()
        end = time.monotonic() + seconds
        connection.set_progress_handler(lambda: int(time.monotonic() > end), STEPS_BETWEEN_CHECKS)
        try:
            yield connection
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise _Clipped from None
            raise StoreUnavailable(str(error)) from error
        finally:
            connection.set_progress_handler(None, 0)


def _alert(row: Sequence[Any]) -> Alert:
    tenant, event_id, ts, body = row
    return Alert(TenantId(tenant), event_id, instant_of(ts), json.loads(zlib.decompress(body)))


def _shown(of: Field, value: Any) -> str | int:
    shown: str | int = unpack_ip(value) if of.type is FieldType.IP else value
    return shown
