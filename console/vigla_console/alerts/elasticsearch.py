"""The alert store over an existing Elasticsearch, 8.19 or 9: one index per tenant and year, whose names come from
the Scope alone.

`Cluster` is the connection and what is known of its indices; `ElasticsearchAlertStore` is one Scope's view of it.
A hit's tenant is its index, whatever its document claims.
"""

import json
import logging
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError

from vigla_console.alerts.bucket import PREFIX, index_name, tenant_of, year_of
from vigla_console.alerts.cursors import CursorSigner
from vigla_console.alerts.dsl import Clause, compile_query
from vigla_console.alerts.fields import Field, FieldType
from vigla_console.alerts.indexed import canonical_ip, digest, indexed_values, search_text
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
    dotted,
    millis,
)
from vigla_console.alerts.query import AlertQuery
from vigla_console.clock import Clock
from vigla_console.scope import Scope
from vigla_console.tenants.models import TenantId

LOG = logging.getLogger(__name__)

MOST_TOTAL = 10_000
MOST_EDGES = 1_000
MOST_PAGE = 500
MOST_VALUES = 1_000  # of one histogram
SWEEP = 1_000
KNOWN_FOR = 1.0  # seconds that the list of indices is believed
_DOCUMENT_FAULTS = ("document_parsing_exception", "mapper_parsing_exception", "illegal_argument_exception")


@dataclass(frozen=True, slots=True)
class Index:
    """``uuid`` tells a recreated index from the one before."""

    name: str
    uuid: str
    tenant: TenantId


@dataclass(slots=True)
class Cluster:
    """One connection; own retries are the caller's matter, the client makes none."""

    client: Elasticsearch
    clock: Clock
    _known: tuple[Index, ...] = ()
    _closed: frozenset[TenantId] = frozenset()
    _asked: float = field(default=-1e9)

    @staticmethod
    def connect(url: str, ca_file: Path | None, clock: Clock, *, user: tuple[str, str]) -> "Cluster":
        """Verification of the certificate cannot be switched off."""
        client = Elasticsearch(
            url,
            basic_auth=user,
            http_compress=True,
            request_timeout=30,
            max_retries=0,
            retry_on_timeout=False,
            ssl_context=ssl.create_default_context(cafile=str(ca_file) if ca_file else None),
        )
        return Cluster(client, clock)

    def ask(self, method: str, path: str, body: object = None, *, lines: bool = False) -> Any:
        """The answer's document; raises ``StoreUnavailable`` for anything but success."""
        kind = "application/x-ndjson" if lines else "application/json"
        headers = {"accept": "application/json", "content-type": kind}
        try:
            return self.client.perform_request(method, path, headers=headers, body=body).body
        except ApiError as error:
            raise StoreUnavailable(
                f"Elasticsearch: {error.status_code} {error.message} at {path.split('?')[0]}"
            ) from error
        except TransportError as error:
            raise StoreUnavailable(f"Elasticsearch: {error.message}") from error

    def indices(self) -> tuple[Index, ...]:
        """All open alert indices, at most a second old."""
        if time.monotonic() - self._asked > KNOWN_FOR:
            self.refresh_list()
        return self._known

    def closed(self, tenants: Iterable[TenantId]) -> bool:
        """Whether some index of these tenants is closed: what is in it is not found."""
        self.indices()
        return not self._closed.isdisjoint(tenants)

    def closed_tenants(self) -> Sequence[TenantId]:
        self.indices()
        return sorted(self._closed)

    def refresh_list(self) -> None:
        path = f"/_resolve/index/{PREFIX}*?expand_wildcards=open,closed"
        found = self.ask("GET", path)["indices"]
        uuids = self.ask("GET", f"/_stats/docs?filter_path=indices.{PREFIX}*.uuid").get("indices", {})
        known, closed = [], set()
        for entry in found:
            name = entry["name"]
            tenant = tenant_of(name)
            if tenant is None:
                continue
            if "closed" in entry.get("attributes", ()):
                closed.add(tenant)
            elif name in uuids:
                known.append(Index(name, uuids[name]["uuid"], tenant))
        self._known, self._closed = tuple(sorted(known, key=lambda index: index.name)), frozenset(closed)
        self._asked = time.monotonic()

    def forget_list(self) -> None:
        self._asked = -1e9


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the server may think (its time units) before an answer is partial."""

    search: str = "1s"
    facets: str = "200ms"


class TimeExceeded(Exception):
    """The server gave up at the time that it was given; what it had found by then is not told."""


@dataclass(frozen=True, slots=True)
class ElasticsearchAlertStore:
    """See ``AlertStore``."""

    scope: Scope
    cluster: Cluster
    signer: CursorSigner
    patience: Patience = Patience()

    def put(self, alerts: Sequence[Alert]) -> Sequence[PutResult]:
        results: dict[int, PutResult] = {}
        lines: list[str] = []
        sent: list[tuple[int, str]] = []
        now = self.cluster.clock.now()
        for position, alert in enumerate(alerts):
            refusal = self._refusal(alert)
            if refusal is not None:
                results[position] = refusal
                continue
            name = index_name(alert.tenant, alert.timestamp, now)
            sent.append((position, name))
            lines.append(json.dumps({"create": {"_index": name, "_id": alert.event_id}}))
            lines.append(json.dumps(_document(alert), ensure_ascii=False, separators=(",", ":")))
        if sent:
            path = "/_bulk?filter_path=took,errors,items.*._id,items.*.status,items.*.error.type,items.*.error.reason"
            answer = self.cluster.ask("POST", path, "\n".join(lines) + "\n", lines=True)
            self._settle(alerts, sent, answer.get("items", []), results)
        return [results[position] for position in range(len(alerts))]

    def _refusal(self, alert: Alert) -> PutResult | None:
        if alert.tenant not in self.scope.tenants:
            return PutResult(PutStatus.REJECTED, "tenant_mismatch", "the alert is for a tenant outside the scope")
        try:
            list(indexed_values(alert))
        except BadAlert as error:
            return PutResult(PutStatus.REJECTED, "schema", str(error))
        return None

    def _settle(
        self,
        alerts: Sequence[Alert],
        sent: Sequence[tuple[int, str]],
        items: Sequence[Mapping[str, Any]],
        results: dict[int, PutResult],
    ) -> None:
        if len(items) != len(sent):
            raise StoreUnavailable(f"Elasticsearch answered {len(items)} of {len(sent)} alerts: nothing is known")
        taken: list[tuple[int, str]] = []
        for (position, name), item in zip(sent, items, strict=True):
            answer = item["create"]
            if answer.get("_id") != alerts[position].event_id:
                raise StoreUnavailable("Elasticsearch answered for another alert: nothing is known")
            if answer["status"] == 409:
                taken.append((position, name))
            else:
                results[position] = _fate(answer)
                if answer["status"] == 201 and name not in {index.name for index in self.cluster.indices()}:
                    self.cluster.forget_list()
        if taken:
            kept = self._kept([(name, alerts[position].event_id) for position, name in taken])
            for (position, _), source in zip(taken, kept, strict=True):
                same = source is not None and digest(source) == digest(alerts[position].body)
                results[position] = PutResult(PutStatus.DUPLICATE if same else PutStatus.CONFLICT)

    def _kept(self, wanted: Sequence[tuple[str, str]]) -> list[Mapping[str, Any] | None]:
        docs = [{"_index": name, "_id": event_id} for name, event_id in wanted]
        found = self.cluster.ask("POST", "/_mget", {"docs": docs})["docs"]
        return [_stripped(doc["_source"]) if doc.get("found") else None for doc in found]

    def search(self, query: AlertQuery, page: PageRequest) -> Page:
        size = min(max(page.size, 1), MOST_PAGE)
        question = f"{self.scope.digest}|{query!r}"
        body: Clause = {
            "query": compile_query(query),
            "size": size + 1,
            "sort": [{"@timestamp": "desc"}, {"event.id": {"order": "asc", "missing": "_last"}}, {"_index": "asc"}],
            "track_total_hits": MOST_TOTAL,
            "timeout": self.patience.search,
        }
        if page.after is not None:
            body["search_after"] = self.signer.open(page.after, question)
        try:
            answer = self._search(query.municipality, body)
        except TimeExceeded:
            return Page([], None, 0, total_is_exact=False, partial=True)
        if answer is None:
            return Page([], None, 0, total_is_exact=True, partial=self._partial(query.municipality))
        hits = answer["hits"]["hits"]
        total = answer["hits"]["total"]
        cursor = self.signer.sign(hits[size - 1]["sort"], question) if len(hits) > size else None
        partial = answer["timed_out"] or self._partial(query.municipality)
        exact = total["relation"] == "eq" and not partial
        return Page([_alert(hit) for hit in hits[:size]], cursor, min(total["value"], MOST_TOTAL), exact, partial)

    def facets(self, query: AlertQuery, fields: Sequence[Field], size: int) -> Facets:
        order = [{"_count": "desc"}, {"_key": "asc"}]
        body = {
            "query": compile_query(query),
            "size": 0,
            "track_total_hits": False,
            "timeout": self.patience.facets,
            "aggs": {of.name: {"terms": {"field": of.name, "size": size, "order": order}} for of in fields},
        }
        try:
            answer = self._search(query.municipality, body)
        except TimeExceeded:
            return Facets({of.name: [] for of in fields}, partial=True)
        if answer is None:
            return Facets({of.name: [] for of in fields}, partial=self._partial(query.municipality))
        found = answer["aggregations"]
        by_field = {
            of.name: [Bucket(_shown(of, bucket["key"]), bucket["doc_count"]) for bucket in found[of.name]["buckets"]]
            for of in fields
        }
        error = max((found[of.name]["doc_count_error_upper_bound"] for of in fields), default=0)
        return Facets(by_field, error, answer["timed_out"] or self._partial(query.municipality))

    def histogram(self, query: AlertQuery, edges: Sequence[datetime], by: Field | None) -> Histogram:
        slots = list(pairwise(edges))
        if len(edges) > MOST_EDGES or any(low >= high for low, high in slots):
            raise ValueError(f"a histogram has at most {MOST_EDGES} ascending edges")
        counts: dict[str | int, list[int]] = {} if by else {"": [0] * len(slots)}
        ranges = [{"key": str(i), "from": millis(low), "to": millis(high)} for i, (low, high) in enumerate(slots)]
        if not ranges:
            return Histogram(edges, counts)
        slot: Clause = {"date_range": {"field": "@timestamp", "format": "epoch_millis", "ranges": ranges}}
        if by is not None:
            slot["aggs"] = {"by": {"terms": {"field": by.name, "size": MOST_VALUES}}}
        body = {
            "query": compile_query(query),
            "size": 0,
            "track_total_hits": False,
            "timeout": self.patience.search,
            "aggs": {"at": slot},
        }
        try:
            answer = self._search(query.municipality, body)
        except TimeExceeded:
            return Histogram(edges, counts, partial=True)
        if answer is None:
            return Histogram(edges, counts, partial=self._partial(query.municipality))
        for bucket in answer["aggregations"]["at"]["buckets"]:
            i = int(bucket["key"])
            if by is None:
                counts[""][i] = bucket["doc_count"]
                continue
            for value in bucket["by"]["buckets"]:
                counts.setdefault(_shown(by, value["key"]), [0] * len(slots))[i] = value["doc_count"]
        return Histogram(edges, counts, answer["timed_out"] or self._partial(query.municipality))

    def get(self, event_id: str) -> Alert | None:
        body = {"query": {"ids": {"values": [event_id]}}, "size": 1, "sort": [{"_index": "asc"}]}
        answer = self._search(None, body)
        hits = answer["hits"]["hits"] if answer else []
        return _alert(hits[0]) if hits else None

    def since(self, cursor: ArrivalCursor, limit: int) -> Arrivals:
        """Per index: note how far it is settled, refresh, and only then read up to there (delivery.md 6)."""
        reached: dict[str, int] = json.loads(cursor.value) if cursor.value else {}
        settled = self._settled()
        following: dict[str, int] = {}
        alerts: list[Alert] = []
        more = False
        for index in self._indices(None):
            end = settled.get(index.name, (index.uuid, -1))[1]
            start = reached.get(index.uuid, -1)
            start = -1 if start > end else start
            following[index.uuid] = start
            if start == end:
                continue
            if len(alerts) >= limit:
                more = True
                continue
            hits = self._arrived(index, start, end, limit - len(alerts))
            alerts += [_alert(hit) for hit in hits]
            complete = len(hits) < limit - (len(alerts) - len(hits))
            following[index.uuid] = end if complete else hits[-1]["sort"][0]
            more = more or not complete
        _alarm_foreign(alerts)
        return Arrivals(alerts, ArrivalCursor(json.dumps(following, sort_keys=True) if following else ""), more)

    def _settled(self) -> dict[str, tuple[str, int]]:
        """Of each index: uuid, and the sequence number below which nothing can appear any more."""
        kept = ",".join(f"indices.*.{part}" for part in ("uuid", "shards.*.routing", "shards.*.seq_no"))
        path = f"/{PREFIX}*/_stats/docs?level=shards&filter_path={kept}"
        self.cluster.refresh_list()
        found = {}
        for name, stats in self.cluster.ask("GET", path).get("indices", {}).items():
            copies = [copy for shard in stats.get("shards", {}).values() for copy in shard]
            primary = [copy["seq_no"]["global_checkpoint"] for copy in copies if copy.get("routing", {}).get("primary")]
            if primary:
                found[name] = (stats["uuid"], primary[0])
        return found

    def _arrived(self, index: Index, start: int, end: int, limit: int) -> list[Mapping[str, Any]]:
        self.cluster.ask("POST", f"/{index.name}/_refresh")
        body = {
            "query": {"range": {"_seq_no": {"gt": start, "lte": end}}},
            "size": limit,
            "sort": [{"_seq_no": "asc"}],
            "track_total_hits": False,
        }
        hits: list[Mapping[str, Any]] = self.cluster.ask("POST", f"/{index.name}/_search", body)["hits"]["hits"]
        return hits

    def delete_before(self, tenant: TenantId, instant: datetime) -> Deleted:
        if tenant not in self.scope.tenants:
            return Deleted(0)
        count = 0
        for index in self._indices(tenant):
            year = year_of(index.name)
            if year is not None and datetime(year + 1, 1, 1, tzinfo=UTC) <= instant:
                count += self.cluster.ask("POST", f"/{index.name}/_search", {"size": 0, "track_total_hits": True})[
                    "hits"
                ]["total"]["value"]
                self.cluster.ask("DELETE", f"/{index.name}")
            else:
                count += self._sweep(index, "@timestamp" if year is not None else "event.created", instant)
        self.cluster.forget_list()
        return Deleted(count)

    def _sweep(self, index: Index, by: str, instant: datetime) -> int:
        """Server core has no delete by query: ids are read and deleted in batches."""
        count = 0
        while True:
            self.cluster.ask("POST", f"/{index.name}/_refresh")
            old = {"range": {by: {"lt": millis(instant), "format": "epoch_millis"}}}
            body = {"query": old, "size": SWEEP, "_source": False}
            hits = self.cluster.ask("POST", f"/{index.name}/_search", body)["hits"]["hits"]
            if not hits:
                return count
            lines = [json.dumps({"delete": {"_index": index.name, "_id": hit["_id"]}}) for hit in hits]
            answer = self.cluster.ask("POST", "/_bulk", "\n".join(lines) + "\n", lines=True)
            gone = sum(item["delete"]["status"] == 200 for item in answer["items"])
            if not gone:
                raise StoreUnavailable(f"Elasticsearch deletes nothing from {index.name}: is it write-blocked?")
            count += gone

    def health(self) -> StoreHealth:
        try:
            body = {"query": {"match_all": {}}, "size": 0, "track_total_hits": True}
            answer = self._search(None, body)
            count = answer["hits"]["total"]["value"] if answer else 0
            names = [index.name for index in self._indices(None)]
            bare = self._without_template(names) if names else []
        except StoreUnavailable as error:
            return StoreHealth("red", str(error), 0)
        if bare:
            detail = (
                f"{bare[0]} was made without the template: run `vigla-console elasticsearch setup`, then reindex it"
            )
            return StoreHealth("red", detail, count)
        if self._partial(None):
            return StoreHealth("yellow", "an index is closed: its alerts are not found", count)
        return StoreHealth("green", "", count)

    def _without_template(self, names: Sequence[str]) -> list[str]:
        path = f"/{PREFIX}*/_mapping?filter_path=*.mappings._meta.vigla"
        made = self.cluster.ask("GET", path)
        return [name for name in names if name not in made]

    def _indices(self, municipality: TenantId | None) -> list[Index]:
        seen = self.scope.tenants if municipality is None else self.scope.tenants & {municipality}
        return [index for index in self.cluster.indices() if index.tenant in seen]

    def _partial(self, municipality: TenantId | None) -> bool:
        seen = self.scope.tenants if municipality is None else self.scope.tenants & {municipality}
        return self.cluster.closed(seen)

    def _search(self, municipality: TenantId | None, body: Clause) -> Any:
        """None if the Scope has no index; a name gone since the last look is looked up again, once."""
        for last in (False, True):
            names = [index.name for index in self._indices(municipality)]
            if not names:
                return None
            header = {"index": names, "ignore_unavailable": False, "allow_partial_search_results": False}
            lines = json.dumps(header) + "\n" + json.dumps(body) + "\n"
            answer = self.cluster.ask("POST", "/_msearch", lines, lines=True)["responses"][0]
            if "error" not in answer:
                return answer
            causes = {cause.get("type") for cause in answer["error"].get("root_cause", ())}
            if causes == {"search_timeout_exception"}:
                # Where partial results are refused, the server answers 429 in the place of `timed_out`.
                raise TimeExceeded
            if last or answer["error"].get("type") != "index_not_found_exception":
                raise StoreUnavailable(f"Elasticsearch: {answer['status']} {answer['error'].get('type')}")
            self.cluster.forget_list()
        return None


def _document(alert: Alert) -> dict[str, Any]:
    vigla = alert.body.get("vigla")
    words = {"search_text": search_text(alert.body)}
    return {**alert.body, "vigla": {**vigla, **words} if isinstance(vigla, Mapping) else words}


def _stripped(source: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it was put."""
    vigla = {name: value for name, value in source.get("vigla", {}).items() if name != "search_text"}
    rest = {name: value for name, value in source.items() if name != "vigla"}
    return {**rest, "vigla": vigla} if vigla else rest


def _alert(hit: Mapping[str, Any]) -> Alert:
    tenant = tenant_of(hit["_index"])
    if tenant is None:
        raise StoreUnavailable(f"Elasticsearch answered from {hit['_index']}, which is no alert index")
    return Alert.of(tenant, _stripped(hit["_source"]))


def _alarm_foreign(alerts: Iterable[Alert]) -> None:
    for alert in alerts:
        claimed = dotted(alert.body, "organization.id")
        if claimed is not None and claimed != alert.tenant:
            LOG.error("alert %s in an index of %s claims to be of %r", alert.event_id, alert.tenant, str(claimed)[:60])


def _fate(answer: Mapping[str, Any]) -> PutResult:
    if answer["status"] in (200, 201):
        return PutResult(PutStatus.CREATED)
    error = answer.get("error", {})
    detail = f"{error.get('type')}: {str(error.get('reason'))[:300]}"
    if answer["status"] == 400 and error.get("type") in _DOCUMENT_FAULTS:
        return PutResult(PutStatus.REJECTED, "schema", detail)
    return PutResult(PutStatus.REJECTED, "unavailable", detail, retry=True)


def _shown(of: Field, value: Any) -> str | int:
    if of.type is FieldType.IP:
        return canonical_ip(str(value), of.name)
    shown: str | int = value
    return shown
