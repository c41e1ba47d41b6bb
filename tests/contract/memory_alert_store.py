"""The obvious alert store: a list and a linear search. Every other store must agree with it."""

import ipaddress
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from vigla_console.alerts.cursors import CursorSigner
from vigla_console.alerts.fields import Field, FieldType
from vigla_console.alerts.folding import fold
from vigla_console.alerts.indexed import digest, field_values, indexed_values, pack_ip, search_text
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
    millis,
)
from vigla_console.alerts.query import (
    AlertQuery,
    All,
    And,
    AnyOf,
    Between,
    Equals,
    InNetwork,
    Not,
    Or,
    Prefix,
    Where,
    Words,
)
from vigla_console.scope import Scope
from vigla_console.tenants.models import TenantId


@dataclass
class MemoryAlerts:
    """What all scopes share: alerts in the order they arrived."""

    arrived: list[Alert] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MemoryAlertStore:
    """See ``AlertStore``."""

    scope: Scope
    memory: MemoryAlerts
    signer: CursorSigner

    def put(self, alerts: Sequence[Alert]) -> Sequence[PutResult]:
        return [self._put(alert) for alert in alerts]

    def _put(self, alert: Alert) -> PutResult:
        if alert.tenant not in self.scope.tenants:
            return PutResult(PutStatus.REJECTED, "tenant_mismatch", "outside the scope")
        try:
            list(indexed_values(alert))
        except BadAlert as error:
            return PutResult(PutStatus.REJECTED, "schema", str(error))
        for known in self.memory.arrived:
            if (known.tenant, known.event_id) == (alert.tenant, alert.event_id):
                same = digest(known.body) == digest(alert.body)
                return PutResult(PutStatus.DUPLICATE if same else PutStatus.CONFLICT)
        self.memory.arrived.append(alert)
        return PutResult(PutStatus.CREATED)

    def search(self, query: AlertQuery, page: PageRequest) -> Page:
        question = f"{self.scope.digest}|{query!r}"
        found = sorted(self._found(query), key=_order)
        rest = found
        if page.after is not None:
            after = tuple(self.signer.open(page.after, question))
            rest = [alert for alert in found if _order(alert) > after]
        alerts = rest[: page.size]
        cursor = self.signer.sign(_order(alerts[-1]), question) if len(rest) > page.size else None
        return Page(alerts, cursor, min(len(found), 10_000), len(found) <= 10_000)

    def facets(self, query: AlertQuery, fields: Sequence[Field], size: int) -> Facets:
        by_field = {}
        for of in fields:
            counts = Counter(value for alert in self._found(query) for value in set(field_values(alert, of)))
            ranked = sorted(counts.items(), key=lambda item: (-item[1], _value_order(of, item[0])))
            by_field[of.name] = [Bucket(value, count) for value, count in ranked[:size]]
        return Facets(by_field)

    def histogram(self, query: AlertQuery, edges: Sequence[datetime], by: Field | None) -> Histogram:
        slots = list(pairwise(edges))
        counts: dict[str | int, list[int]] = {} if by else {"": [0] * len(slots)}
        for alert in self._found(query):
            for i, (low, high) in enumerate(slots):
                if low <= alert.timestamp < high:
                    for value in set(field_values(alert, by)) if by else [""]:
                        counts.setdefault(value, [0] * len(slots))[i] += 1
        return Histogram(edges, counts)

    def get(self, event_id: str) -> Alert | None:
        seen = sorted(self._seen(), key=lambda alert: alert.tenant)
        return next((alert for alert in seen if alert.event_id == event_id), None)

    def since(self, cursor: ArrivalCursor, limit: int) -> Arrivals:
        start = int(cursor.value or 0)
        new = [(i, a) for i, a in enumerate(self.memory.arrived, 1) if i > start and a.tenant in self.scope.tenants]
        kept = new[:limit]
        reached = kept[-1][0] if kept else start
        return Arrivals([alert for _, alert in kept], ArrivalCursor(str(reached)), len(new) > limit)

    def delete_before(self, tenant: TenantId, instant: datetime) -> Deleted:
        old = [a for a in self._seen() if a.tenant == tenant and a.timestamp < instant]
        self.memory.arrived[:] = [a for a in self.memory.arrived if a not in old]
        return Deleted(len(old))

    def health(self) -> StoreHealth:
        return StoreHealth("green", "", len(self._seen()))

    def _seen(self) -> list[Alert]:
        return [alert for alert in self.memory.arrived if alert.tenant in self.scope.tenants]

    def _found(self, query: AlertQuery) -> list[Alert]:
        return [alert for alert in self._seen() if _asked(query, alert)]


def _order(alert: Alert) -> tuple[int, str, str]:
    return (-millis(alert.timestamp), alert.event_id, alert.tenant)


def _value_order(of: Field, value: str | int) -> bytes | int:
    if of.type is FieldType.IP:
        return pack_ip(str(value))
    return value.encode() if isinstance(value, str) else value


def _asked(query: AlertQuery, alert: Alert) -> bool:
    if query.municipality is not None and alert.tenant != query.municipality:
        return False
    if query.rule is not None and alert.text("rule.uuid") != query.rule:
        return False
    at = millis(alert.timestamp)
    if query.since is not None and at < millis(query.since):
        return False
    if query.until is not None and at >= millis(query.until):
        return False
    return matches(query.where, alert)


def matches(node: Where, alert: Alert) -> bool:
    match node:
        case All():
            return True
        case And(parts):
            return all(matches(part, alert) for part in parts)
        case Or(parts):
            return any(matches(part, alert) for part in parts)
        case Not(part):
            return not matches(part, alert)
        case Words(text):
            return _has_words(text, alert)
        case _:
            return any(_met(node, value) for value in field_values(alert, node.field))


def _met(node: Where, value: str | int) -> bool:
    match node:
        case Equals(of, wanted):
            return _same(of, value, wanted)
        case AnyOf(of, several):
            return any(_same(of, value, wanted) for wanted in several)
        case Between(_, least, most):
            return (least is None or value >= least) and (most is None or value <= most)
        case InNetwork(_, network):
            inside = ipaddress.ip_network(network, strict=False)
            address = ipaddress.ip_address(str(value))
            return address.version == inside.version and address in inside
        case Prefix(_, start):
            return str(value).startswith(start)
        case _:
            return True


def _same(of: Field, value: str | int, wanted: str | int) -> bool:
    if of.type is FieldType.IP:
        return pack_ip(str(value)) == pack_ip(str(wanted))
    return value == wanted


def _has_words(text: str, alert: Alert) -> bool:
    wanted, words = fold(text).split(), search_text(alert.body).split()
    if not wanted:
        return True
    *whole, last = wanted
    if len(last) >= 3:
        return all(word in words for word in whole) and any(word.startswith(last) for word in words)
    return all(word in words for word in wanted)
