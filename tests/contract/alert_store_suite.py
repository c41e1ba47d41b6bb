"""What every alert store must do (DESIGN 5.6, delivery.md 6). Subclass it, give it a `rig`, and all of it runs."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.memory_alert_store import MemoryAlerts, MemoryAlertStore
from vigla_console.alerts.cursors import CursorSigner
from vigla_console.alerts.fields import CATALOGUE, Field, FieldType, UnknownField
from vigla_console.alerts.interfaces import AlertStore, BadCursor
from vigla_console.alerts.models import Alert, ArrivalCursor, PageRequest, PutStatus
from vigla_console.alerts.query import (
    AlertQuery,
    And,
    AnyOf,
    BadQuery,
    Between,
    Equals,
    Exists,
    InNetwork,
    Not,
    Or,
    Prefix,
    Where,
    Words,
)
from vigla_console.scope import Actor, Scope
from vigla_console.tenants.models import TenantId

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
ATHENS = ZoneInfo("Europe/Athens")
SIGNER = CursorSigner(b"a secret of the test, 32 bytes or more")
FIRST = PageRequest(size=500)

_numbers = itertools.count(1)


class Rig(Protocol):
    """One fresh place to put alerts; ``settle`` makes what was put visible."""

    def store(self, scope: Scope) -> AlertStore: ...
    def settle(self) -> None: ...


def scope_of(*tenants: str) -> Scope:
    seen = frozenset(TenantId(tenant) for tenant in tenants)
    return Scope(Actor("t", "t", "test", "test"), seen, seen, "test")


def towns() -> tuple[TenantId, TenantId, TenantId]:
    """Three tenants no other test uses: one Elasticsearch serves the whole run."""
    n = next(_numbers)
    return TenantId(f"ta_{n}"), TenantId(f"tb_{n}"), TenantId(f"tc_{n}")


def alert(tenant: str, event_id: str, at: datetime = NOW, **fields: Any) -> Alert:
    """An alert with dotted ECS names as keywords, `_` for the dot in `source_ip`-like names given as dict keys."""
    body: dict[str, Any] = {"@timestamp": at.isoformat(timespec="milliseconds")}
    given = {"event.id": event_id, "event.severity": 50, "rule.uuid": "r1", "rule.name": "Rule One", **fields}
    for name, value in given.items():
        inner = body
        *path, last = name.split(".")
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return Alert.of(TenantId(tenant), body)


def found(store: AlertStore, where: Where, **query: Any) -> list[str]:
    return [a.event_id for a in store.search(AlertQuery(where=where, **query), FIRST).alerts]


F = Field.named


class AlertStoreContract:
    """Each test takes ``rig`` and uses tenants of its own."""

    def test_put_twice_is_a_duplicate_and_other_content_a_conflict(self, rig: Rig) -> None:
        a, *_ = towns()
        store = rig.store(scope_of(a))
        first = alert(a, "1", **{"vigla.event": {"x": "1"}})
        other = alert(a, "1", **{"vigla.event": {"x": "2"}})
        assert [r.status for r in store.put([first, first])] == [PutStatus.CREATED, PutStatus.DUPLICATE]
        rig.settle()
        assert [r.status for r in store.put([other, first])] == [PutStatus.CONFLICT, PutStatus.DUPLICATE]
        kept = store.get("1")
        assert kept is not None
        assert kept.body == first.body, "the first wins"

    def test_what_was_put_comes_back_unchanged(self, rig: Rig) -> None:
        a, *_ = towns()
        store = rig.store(scope_of(a))
        body = alert(
            a, "1", **{"vigla.event": {"query": "Καλημέρα", "deep": {"n": [1, 2.5, None]}}, "unknown.new": "kept"}
        )
        store.put([body])
        rig.settle()
        assert store.get("1") == body
        assert store.search(AlertQuery(), FIRST).alerts == [body]

    def test_a_bad_address_is_rejected_alone_and_for_good(self, rig: Rig) -> None:
        a, *_ = towns()
        store = rig.store(scope_of(a))
        results = store.put(
            [alert(a, "1", **{"source.ip": "not an address"}), alert(a, "2", **{"source.ip": "192.0.2.1"})]
        )
        assert [(r.status, r.retry) for r in results] == [(PutStatus.REJECTED, False), (PutStatus.CREATED, False)]

    def test_order_is_newest_first_then_event_id(self, rig: Rig) -> None:
        a, b, _ = towns()
        store = rig.store(scope_of(a, b))
        store.put([alert(b, "m"), alert(a, "z"), alert(a, "k", NOW + timedelta(milliseconds=1)), alert(a, "a")])
        rig.settle()
        assert found(store, And(())) == ["k", "a", "m", "z"]

    def test_paging_covers_everything_once_even_with_equal_times(self, rig: Rig) -> None:
        a, b, _ = towns()
        store = rig.store(scope_of(a, b))
        store.put([alert((a, b)[n % 2], f"{n:03}", NOW + timedelta(seconds=n // 10)) for n in range(53)])
        store.put([alert(b, "000")])  # the same id in two municipalities
        rig.settle()
        seen, after = [], None
        while True:
            page = store.search(AlertQuery(), PageRequest(7, after))
            seen += [(found.tenant, found.event_id) for found in page.alerts]
            assert page.total == 54
            assert page.total_is_exact
            after = page.cursor
            if after is None:
                break
        assert len(seen) == 54
        assert len(set(seen)) == 54

    def test_a_cursor_does_not_travel(self, rig: Rig) -> None:
        a, b, _ = towns()
        store = rig.store(scope_of(a, b))
        store.put([alert(a, str(n)) for n in range(3)])
        rig.settle()
        cursor = store.search(AlertQuery(), PageRequest(1)).cursor
        assert cursor is not None
        for other, query in ((rig.store(scope_of(b)), AlertQuery()), (store, AlertQuery(rule="r1"))):
            with pytest.raises(BadCursor):
                other.search(query, PageRequest(1, cursor))
        with pytest.raises(BadCursor):
            store.search(AlertQuery(), PageRequest(1, cursor[:-3] + "AAA"))

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            (Equals(F("user.name"), "maria"), ["1"]),
            (Equals(F("user.name"), "Maria"), []),
            (Equals(F("source.ip"), "2001:db8:0:0::1"), ["2"]),
            (Equals(F("source.ip"), "::ffff:192.0.2.7"), ["1"]),
            (AnyOf(F("event.severity"), (70, 90)), ["2"]),
            (AnyOf(F("event.severity"), ()), []),
            (Between(F("event.severity"), 50, None), ["1", "2"]),
            (Between(F("event.severity"), None, 50), ["1", "3"]),
            (InNetwork(F("source.ip"), "192.0.2.0/24"), ["1"]),
            (InNetwork(F("source.ip"), "2001:db8::/32"), ["2"]),
            (Exists(F("user.name")), ["1"]),
            (Not(Exists(F("user.name"))), ["2", "3"]),
            (Not(Equals(F("user.name"), "maria")), ["2", "3"]),
            (Prefix(F("dns.question.name"), "abc."), ["3"]),
            (Prefix(F("dns.question.name"), "ABC"), []),
            (Prefix(F("dns.question.name"), "a_c"), []),
            (Equals(F("related.user"), "nikos"), ["3"]),
            (Words("καλημερα"), ["2"]),
            (Words("ΚΑΛΗΜΈΡΑ κόσμε"), ["2"]),
            (Words("κόσμος"), []),
            (Words("κοσμ"), ["2"]),
            (Words("rule one"), ["1", "2", "3"]),
            (Words("on"), []),
            (Words('" OR "'), []),
            (Or((Words("abc"), Equals(F("user.name"), "maria"))), ["1", "3"]),
            (Or(()), []),
        ],
        ids=repr,
    )
    def test_each_node(self, rig: Rig, where: Where, expected: list[str]) -> None:
        a, *_ = towns()
        store = rig.store(scope_of(a))
        store.put(
            [
                alert(a, "1", **{"user.name": "maria", "source.ip": "192.0.2.7"}),
                alert(a, "2", **{"source.ip": "2001:DB8::1", "event.severity": 70, "message": "Καλημέρα κόσμε"}),
                alert(
                    a,
                    "3",
                    **{
                        "user.name": None,
                        "related.user": ["nikos", "eleni"],
                        "event.severity": 30,
                        "dns.question.name": "abc.example",
                        "related.ip": [],
                    },
                ),
            ]
        )
        rig.settle()
        assert found(store, where) == expected

    def test_values_over_the_limit_are_stored_but_never_met(self, rig: Rig) -> None:
        a, *_ = towns()
        store = rig.store(scope_of(a))
        long = "x" * 1025
        store.put([alert(a, "1", **{"user.name": long}), alert(a, "2", **{"user.name": long[:1024]})])
        rig.settle()
        assert found(store, Exists(F("user.name"))) == ["2"]
        kept = store.get("1")
        assert kept is not None
        assert kept.text("user.name") == long

    def test_time_is_half_open_and_in_milliseconds(self, rig: Rig) -> None:
        a, *_ = towns()
        store = rig.store(scope_of(a))
        ms = timedelta(milliseconds=1)
        store.put([alert(a, "before", NOW - ms), alert(a, "at", NOW), alert(a, "after", NOW + ms)])
        rig.settle()
        assert found(store, And(()), since=NOW, until=NOW + ms) == ["at"]
        assert found(store, And(()), since=NOW + timedelta(microseconds=400), until=NOW + ms) == ["at"]

    def test_facets_count_alerts_not_values(self, rig: Rig) -> None:
        a, *_ = towns()
        store = rig.store(scope_of(a))
        store.put(
            [
                alert(a, "1", **{"related.user": ["b", "b", "a"], "source.ip": "10.0.0.2"}),
                alert(a, "2", **{"related.user": ["b"], "source.ip": "10.0.0.1"}),
                alert(a, "3", **{"related.user": ["c", "a"]}),
            ]
        )
        rig.settle()
        facets = store.facets(AlertQuery(), [F("related.user"), F("source.ip"), F("event.severity")], 10).by_field
        assert [(b.value, b.alerts) for b in facets["related.user"]] == [("a", 2), ("b", 2), ("c", 1)]
        assert [(b.value, b.alerts) for b in facets["source.ip"]] == [("10.0.0.1", 1), ("10.0.0.2", 1)]
        assert [(b.value, b.alerts) for b in facets["event.severity"]] == [(50, 3)]

    @pytest.mark.parametrize(("night", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
    def test_days_are_athenian_over_clock_changes(self, rig: Rig, night: str, hours: int) -> None:
        a, *_ = towns()
        store = rig.store(scope_of(a))
        midnight = datetime.fromisoformat(night).replace(tzinfo=ATHENS)
        start, end = midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC)
        assert end - start == timedelta(hours=hours)
        hour = timedelta(hours=1)
        store.put([alert(a, f"{n:02}", start + n * hour, **{"event.severity": 70}) for n in range(-1, hours + 1)])
        rig.settle()
        edges = [start - 24 * hour, start, end]
        assert store.histogram(AlertQuery(), edges, None).counts == {"": [1, hours]}
        assert store.histogram(AlertQuery(), edges, F("event.severity")).counts == {70: [1, hours]}

    def test_arrivals_come_once_in_order_however_late_their_events(self, rig: Rig) -> None:
        a, b, _ = towns()
        store = rig.store(scope_of(a, b))
        cursor, seen = ArrivalCursor(), []
        for n in range(10):
            store.put([alert((a, b)[n % 2], f"{n}-{i}", NOW - timedelta(days=n)) for i in range(3)])
            rig.settle()
            while True:
                arrivals = store.since(cursor, 2)
                seen += [x.event_id for x in arrivals.alerts]
                cursor = arrivals.cursor
                if not arrivals.more:
                    break
        assert sorted(seen) == sorted(f"{n}-{i}" for n in range(10) for i in range(3))
        assert not store.since(cursor, 10).alerts

    def test_deletion_is_by_tenant_and_event_time(self, rig: Rig) -> None:
        a, b, _ = towns()
        store = rig.store(scope_of(a, b))
        day = timedelta(days=1)
        store.put([alert(t, f"{t}{n}", NOW - n * day, message="needle") for t in (a, b) for n in range(4)])
        rig.settle()
        assert store.delete_before(a, NOW - 2 * day).count == 1
        rig.settle()
        assert len(found(store, Words("needle"), municipality=a)) == 3
        assert len(found(store, Words("needle"), municipality=b)) == 4
        assert store.get(f"{a}3") is None

    def test_health_counts_what_the_scope_sees(self, rig: Rig) -> None:
        a, b, _ = towns()
        rig.store(scope_of(a, b)).put([alert(a, "1"), alert(b, "2")])
        rig.settle()
        health = rig.store(scope_of(a)).health()
        assert (health.status, health.alerts) == ("green", 1)

    def test_a_second_tenant_sees_nothing_by_any_method(self, rig: Rig) -> None:
        a, b, c = towns()
        canary = f"canary{a}"
        own = rig.store(scope_of(a))
        own.put([alert(a, canary, message=canary, **{"user.name": canary, "source.ip": "192.0.2.9"})])
        rig.store(scope_of(b)).put([alert(b, "own")])
        rig.settle()
        for foreign in (rig.store(scope_of(b)), rig.store(scope_of(b, c)), rig.store(scope_of())):
            for query in (
                AlertQuery(),
                AlertQuery(municipality=a),
                AlertQuery(where=Words(canary)),
                AlertQuery(where=Not(Equals(F("user.name"), "x"))),
                AlertQuery(where=Or((Exists(F("user.name")), Not(Exists(F("user.name")))))),
            ):
                page = foreign.search(query, FIRST)
                facets = foreign.facets(query, list(CATALOGUE.values())[:40], 50)
                histogram = foreign.histogram(query, [NOW - timedelta(days=1), NOW + timedelta(days=1)], F("user.name"))
                assert canary not in repr((page, facets, histogram))
                assert page.total <= 1
            assert foreign.get(canary) is None
            assert canary not in repr(foreign.since(ArrivalCursor(), 100))
            assert foreign.delete_before(a, NOW + timedelta(days=1)).count == 0
            stolen = foreign.put([alert(a, "forged")])
            assert [r.status for r in stolen] == [PutStatus.REJECTED]
        rig.settle()
        assert [x.event_id for x in own.search(AlertQuery(), FIRST).alerts] == [canary]

    def test_an_empty_scope_sees_nothing_and_not_everything(self, rig: Rig) -> None:
        a, *_ = towns()
        rig.store(scope_of(a)).put([alert(a, "1")])
        rig.settle()
        nobody = rig.store(Scope.nobody())
        assert nobody.search(AlertQuery(), FIRST).total == 0
        assert nobody.since(ArrivalCursor(), 10).alerts == []
        assert nobody.health().alerts == 0

    def test_it_agrees_with_the_oracle(self, rig: Rig) -> None:
        @settings(
            max_examples=self.examples,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        )
        @given(st.data())
        def agree(data: st.DataObject) -> None:
            a, b, c = towns()
            scope = scope_of(a, b, c)
            store, oracle = rig.store(scope), MemoryAlertStore(scope, MemoryAlerts(), SIGNER)
            alerts = data.draw(st.lists(_alerts((a, b)), max_size=12))
            assert [r.status for r in store.put(alerts)] == [r.status for r in oracle.put(alerts)]
            rig.settle()
            seen = scope_of(*data.draw(st.sets(st.sampled_from((a, b, c)))))
            store, oracle = rig.store(seen), replace(oracle, scope=seen)
            for query in data.draw(st.lists(_queries((a, b)), min_size=1, max_size=4)):
                _compare(store, oracle, query)

        agree()

    examples = 60


def _compare(store: AlertStore, oracle: AlertStore, query: AlertQuery) -> None:
    got, wanted = store.search(query, FIRST), oracle.search(query, FIRST)
    assert [(x.tenant, x.event_id) for x in got.alerts] == [(x.tenant, x.event_id) for x in wanted.alerts]
    assert got == wanted
    fields = [F("user.name"), F("source.ip"), F("event.severity"), F("related.user")]
    assert store.facets(query, fields, 5).by_field == oracle.facets(query, fields, 5).by_field
    edges = [NOW + timedelta(minutes=n) for n in (-2, 0, 1)]
    for by in (None, F("user.name")):
        assert store.histogram(query, edges, by).counts == oracle.histogram(query, edges, by).counts


_NAMES = ["maria", "Μαρία", "ΜΑΡΙΑ", "", "a b", "%", "_", "x" * 1025, "Όλυμπος", "𐐷"]
_IPS = ["192.0.2.1", "192.0.2.200", "::ffff:192.0.2.1", "2001:db8::1", "10.0.0.1", "0.0.0.0", "::"]


def _several(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    one = st.sampled_from(values)
    return st.one_of(st.none(), one, st.lists(one, max_size=3))


def _alerts(tenants: Sequence[TenantId]) -> st.SearchStrategy[Alert]:
    return st.builds(
        lambda tenant, event_id, at, name, ip, users, severity, text: alert(
            tenant,
            event_id,
            at,
            **{
                "user.name": name,
                "source.ip": ip,
                "related.user": users,
                "event.severity": severity,
                "vigla.event": {"text": text},
            },
        ),
        st.sampled_from(tenants),
        st.sampled_from("abcdefgh"),
        st.sampled_from(
            [NOW, NOW + timedelta(milliseconds=1), NOW - timedelta(minutes=1), NOW + timedelta(seconds=61)]
        ),
        _several(_NAMES),
        _several(_IPS),
        _several(_NAMES),
        st.sampled_from([10, 30, 50, 70, 90]),
        st.sampled_from(["", "Καλημέρα, κόσμε!", "ΟΔΥΣΣΕΥΣ ς", "a.b-c", "10.0.0.1"]),
    )


def _queries(tenants: Sequence[TenantId]) -> st.SearchStrategy[AlertQuery]:
    keyword = st.sampled_from([F("user.name"), F("related.user")])
    leaves = st.one_of(
        st.builds(Equals, keyword, st.sampled_from(_NAMES)),
        st.builds(lambda f, v: AnyOf(f, tuple(v)), keyword, st.lists(st.sampled_from(_NAMES), max_size=3)),
        st.builds(Prefix, keyword, st.sampled_from(["m", "Μα", "%", "", "x" * 1024])),
        st.builds(Exists, st.sampled_from([F("user.name"), F("source.ip"), F("url.full")])),
        st.builds(Equals, st.just(F("source.ip")), st.sampled_from(_IPS)),
        st.builds(
            InNetwork,
            st.just(F("source.ip")),
            st.sampled_from(["192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "10.0.0.1/32"]),
        ),
        st.builds(Between, st.just(F("event.severity")), st.sampled_from([None, 30, 50]), st.sampled_from([None, 70])),
        st.builds(Words, st.sampled_from(["καλημερα", "κοσ", "κο", "οδυσσευς", "a b", "10.0.0.1", "", "...", "rule"])),
    )
    trees = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda parts: And(tuple(parts)), st.lists(inner, max_size=3)),
            st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, max_size=3)),
            st.builds(Not, inner),
        ),
        max_leaves=6,
    )
    times = st.sampled_from([None, NOW, NOW + timedelta(milliseconds=1)])
    return st.builds(
        AlertQuery,
        since=times,
        until=times,
        municipality=st.sampled_from([None, *tenants]),
        rule=st.sampled_from([None, "r1", "r2"]),
        where=trees,
    )


class TestTheQueryItself:
    """Mistakes in a question are errors before any store sees it."""

    def test_an_unknown_field_names_the_nearest(self) -> None:
        with pytest.raises(UnknownField, match=r"did you mean 'source\.ip'"):
            Field.named("source.ipp")

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: AlertQuery(since=datetime.fromisoformat("2026-01-01")), "zone"),
            (lambda: AlertQuery(where=And(tuple(Words("x") for _ in range(64)))), "nodes"),
            (lambda: AlertQuery(where=AnyOf(F("user.name"), tuple(map(str, range(1001))))), "values"),
            (lambda: AlertQuery(where=Equals(F("event.severity"), "high")), "numbers"),
            (lambda: AlertQuery(where=Equals(F("user.name"), 5)), "text"),
            (lambda: AlertQuery(where=Equals(F("source.ip"), "192.0.2.0/24")), "use a network"),
            (lambda: AlertQuery(where=InNetwork(F("source.ip"), "192.0.2.999/24")), "no network"),
            (lambda: AlertQuery(where=Between(F("user.name"), 1, 2)), "integer"),
            (lambda: AlertQuery(where=Prefix(F("source.ip"), "192.")), "keyword"),
            (lambda: AlertQuery(where=_deep(9)), "deeper"),
        ],
    )
    def test_a_bad_query_is_refused(self, make: Any, message: str) -> None:
        with pytest.raises(BadQuery, match=message):
            make()

    def test_types_cover_the_catalogue(self) -> None:
        assert {of.type for of in CATALOGUE.values()} == set(FieldType)


def _deep(levels: int) -> Where:
    node: Where = Words("x")
    for _ in range(levels):
        node = Not(node)
    return node
