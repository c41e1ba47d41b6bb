"""Arrivals into the case database: any order, any batches, any crash give the same groups, incidents and clusters."""

import random
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.console.build import NOW, House, StandingClock, build_house, document, event_id, ndjson
from vigla_console.alerts.models import ArrivalCursor
from vigla_console.database.schema import GROUP_ENTITY
from vigla_console.errors import NotFound
from vigla_console.incidents.models import AlertGroup, Entity, GroupFilter, Severity, State
from vigla_console.incidents.storage.overdue import mark_overdue
from vigla_console.incidents.storage.prune import prune
from vigla_console.scope import Scope
from vigla_console.tenants.models import TenantId
from vigla_console.worker import Worker, drain

HOUR = timedelta(hours=1)
EVERYTHING = GroupFilter(size=200)


def groups(house: House, wanted: GroupFilter = EVERYTHING) -> list[AlertGroup]:
    return list(house.hub.cases(house.everyone()).groups(wanted).groups)


def shape(house: House) -> object:
    """All that alerts decide, without random names."""
    cases = house.hub.cases(house.everyone())
    found = groups(house)
    code = {group.code: (group.tenant, group.fingerprint, group.first_seen) for group in found}
    members = {i.code: sorted(code[g.code] for g in cases.incident_groups(i)) for i in cases.incidents(limit=200)}
    return (
        sorted(
            (
                *code[g.code],
                g.last_seen,
                g.count,
                g.alerts,
                g.severity,
                g.steps,
                g.risk,
                g.cluster_tenants,
                g.tactics,
                g.samples,
                g.entities,
                sorted(cases.group_alerts(g)),
                members.get(g.incident or "", []),
            )
            for g in found
        ),
        sorted(
            (i.tenant, i.severity, i.first_seen, i.last_seen, i.tactics, i.groups, i.risk, members[i.code])
            for i in cases.incidents(limit=200)
        ),
        sorted(
            (c.kind, c.rule or "", c.indicator or Entity("", ""), c.severity, c.first_seen, c.last_seen, c.members)
            for c in cases.clusters(limit=200)
        ),
    )


def story() -> list[tuple[str, dict[str, Any]]]:
    """Four towns: a shared brute force, one intruder in one town, noise, a burst, a folded record and a summary."""
    towns = ("kalamata", "mytilini", "orestiada", "petroupoli")
    made: list[tuple[str, dict[str, Any]]] = []

    def add(tenant: str, name: object, hours: float, **how: Any) -> None:
        made.append((tenant, document(f"{tenant}{name}", tenant=tenant, at=NOW + hours * HOUR, **how)))

    for n, town in enumerate(towns):
        add(town, "brute", 5 * n, fields={"source.ip": "203.0.113.9"})
        add(town, "again", 5 * n + 30)
        add(town, "bridge", 5 * n + 15)
        for k in range(7):
            host = {"kind": "host", "value": f"pc{k % 2}"}
            add(town, f"burst{k}", k / 10, rule="scan", fields={"vigla.entity": host})
    success = {"user.name": "protokollo2", "source.ip": "203.0.113.9", "related.user": ["protokollo2"]}
    add("kalamata", "victim", 1, fields={"related.user": ["protokollo2"]})
    add(
        "kalamata",
        "success",
        2,
        rule="vpn",
        severity=70,
        tactics=("TA0001",),
        entity=("user", "protokollo2"),
        fields=success,
    )
    add(
        "kalamata",
        "dump",
        3,
        rule="dump",
        severity=70,
        entity=("user", "protokollo2"),
        fields={"related.ip": ["10.0.0.5"]},
    )
    add("kalamata", "scan", 4, rule="lateral", severity=70, tactics=("TA0008",), entity=("ip", "10.0.0.5"))
    add("kalamata", "ransom", 6, rule="ransom", severity=90, tactics=("TA0040",), entity=("ip", "10.0.0.5"))
    summary = {"event.action": "correlation-summary", "vigla.correlation": {"repeats": 40}}
    add("kalamata", "summary", 16, fields=summary)
    folded = {"count": 9, "first": "2026-11-23T10:00:00.000Z", "last": "2026-11-24T02:00:00.000Z"}
    add("mytilini", "folded", 0, fields={"event.action": "folded", "vigla.folded": folded})
    return made


def feed(house: House, alerts: Sequence[tuple[str, dict[str, Any]]], batch: int) -> None:
    for start in range(0, len(alerts), batch):
        for tenant, one in alerts[start : start + batch]:
            assert house.send(ndjson(one), tenant).status_code == 200
        house.settle()


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> object:
    house = build_house(tmp_path_factory.mktemp("in_order"))
    feed(house, sorted(story(), key=lambda item: item[1]["@timestamp"]), 500)
    found = shape(house)
    house.hub.close()
    return found


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_arrival_gives_the_same(house: House, in_order: object, seed: int) -> None:
    alerts = story()
    shuffler = random.Random(seed)  # noqa: S311
    shuffler.shuffle(alerts)
    repeated = alerts + shuffler.sample(alerts, 5)
    feed(house, repeated, (1, 3, 7, 20, 50, 500)[seed])
    assert shape(house) == in_order


def test_the_story_is_what_it_should_be(house: House) -> None:
    feed(house, story(), 500)
    cases = house.hub.cases(house.everyone())
    (incident,) = cases.incidents()
    assert (incident.tenant, incident.severity) == (TenantId("kalamata"), Severity.CRITICAL)
    assert set(incident.tactics) == {"TA0001", "TA0006", "TA0008", "TA0040"}
    kinds = {(c.kind, c.indicator): {m.tenant for m in c.members} for c in cases.clusters()}
    towns = {TenantId(t) for t in ("kalamata", "mytilini", "orestiada", "petroupoli")}
    assert kinds == {("indicator", Entity("ip", "203.0.113.9")): towns, ("burst", None): towns}
    brute = [g for g in groups(house) if g.rule == "brute"]
    assert {g.cluster_tenants for g in brute} == {4}
    assert {g.severity for g in brute} == {Severity.HIGH}, "medium, raised by spread"
    assert {step.reason for g in brute for step in g.steps} == {"spread"}
    (kalamata,) = [g for g in brute if g.tenant == "kalamata"]
    assert (kalamata.count, kalamata.alerts) == (44, 5)


def test_a_crash_before_the_commit_changes_nothing_and_after_it_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_order: object
) -> None:
    clock = StandingClock()
    house = build_house(tmp_path / "hub", clock)
    alerts = story()
    for tenant, one in alerts:
        house.send(ndjson(one), tenant)
    worker = house.hub.worker()
    target = "vigla_console.incidents.storage.arrivals._save_cursor"

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(target, dies)
        with pytest.raises(KeyboardInterrupt):
            drain(worker.store, worker.sink)
    assert worker.sink.cursor() == ArrivalCursor()
    assert groups(house) == []
    begun = worker.sink.cursor()
    arrivals = worker.store.since(begun, 500)
    assert worker.sink.commit(begun, arrivals) == len(alerts)
    assert worker.sink.commit(begun, arrivals) == 0, "the cursor has moved: a second writer does nothing"
    house.hub.close()
    again = build_house(tmp_path / "hub", clock)
    assert again.settle() == 0
    assert shape(again) == in_order
    again.hub.close()


def test_a_joined_groups_code_still_leads_somewhere(house: House) -> None:
    house.take(document(1), document(2, at=NOW + 40 * HOUR))
    before = {group.code for group in groups(house)}
    house.take(document(3, at=NOW + 20 * HOUR))
    (stays,) = groups(house)
    cases = house.hub.cases(house.everyone())
    assert {cases.group(code.lower()).id for code in before} == {stays.id}
    foreign = house.hub.cases(Scope.of_job("test", TenantId("mytilini")))
    for code in before:
        with pytest.raises(NotFound):
            foreign.group(code)


def test_a_municipality_sees_how_many_and_never_who(house: House) -> None:
    feed(house, story(), 500)
    own = house.hub.cases(Scope.of_job("test", TenantId("orestiada")))
    assert own.clusters() == []
    every = house.hub.cases(house.everyone()).clusters()
    for cluster in every:
        with pytest.raises(NotFound):
            own.cluster(cluster.code)
    assert {g.cluster_tenants for g in own.groups(EVERYTHING).groups} == {4}
    for other in ("kalamata", "mytilini", "petroupoli"):
        assert other not in repr(
            (own.groups(EVERYTHING), own.picture(), own.incidents(), own.recent_history(NOW - 9 * HOUR))
        )


def test_keyset_pages_cover_the_queue_once(house: House) -> None:
    house.take(*(document(n, entity=("host", f"pc{n:02}"), severity=(30, 50, 70)[n % 3]) for n in range(23)))
    cases = house.hub.cases(house.everyone())
    for sort in ("risk", "last_seen"):
        seen: list[str] = []
        after = None
        while True:
            page = cases.groups(GroupFilter(size=5, sort=sort, after=after))
            assert (page.total, page.total_is_exact) == (23, True)
            seen += [group.code for group in page.groups]
            after = page.next
            if after is None:
                break
        assert len(seen) == len(set(seen)) == 23
    risks = [group.risk for group in cases.groups(EVERYTHING).groups]
    assert risks == sorted(risks, reverse=True)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (GroupFilter(), 3),
        (GroupFilter(severities=frozenset({Severity.HIGH})), 1),
        (GroupFilter(states=frozenset({State.NEW})), 3),
        (GroupFilter(states=frozenset({State.CLOSED})), 0),
        (GroupFilter(tenants=frozenset({TenantId("mytilini")})), 1),
        (GroupFilter(tenants=frozenset({TenantId("athina")})), 0),
        (GroupFilter(rules=frozenset({"dns"})), 1),
        (GroupFilter(text="μαρια"), 1),
        (GroupFilter(text="Rule dns"), 1),
        (GroupFilter(text="100%"), 0),
        (GroupFilter(entity=Entity("user", "μαρία")), 1),
        (GroupFilter(tactic="TA0011"), 1),
        (GroupFilter(unassigned=True), 3),
        (GroupFilter(assignee="somebody"), 0),
        (GroupFilter(since=NOW + HOUR), 1),
        (GroupFilter(until=NOW + HOUR), 2),
    ],
    ids=repr,
)
def test_filters(house: House, wanted: GroupFilter, count: int) -> None:
    house.take(
        document(1, severity=70, entity=("user", "Μαρία")),
        document(2, rule="dns", tactics=("TA0011",), at=NOW + 2 * HOUR),
    )
    house.take(document(3, tenant="mytilini", entity=("host", "pc1")), tenant="mytilini")
    cases = house.hub.cases(house.everyone())
    assert cases.counts(wanted) == count
    assert len(cases.groups(wanted).groups) == count


def test_days_and_picture_count_what_the_scope_sees(house: House) -> None:
    house.take(document(1, severity=70), document(2, at=NOW - 30 * HOUR, entity=("host", "a")))
    house.take(document(3, tenant="mytilini"), tenant="mytilini")
    edges = [NOW - 36 * HOUR, NOW - 12 * HOUR, NOW + 12 * HOUR]
    own = house.hub.cases(Scope.of_job("test", TenantId("kalamata")))
    assert [day.by_severity for day in own.days(edges)] == [{Severity.MEDIUM: 1}, {Severity.HIGH: 1}]
    (tile,) = own.picture()
    assert (tile.tenant, tile.worst, tile.open_by_severity) == (
        "kalamata",
        Severity.HIGH,
        {Severity.HIGH: 1, Severity.MEDIUM: 1},
    )
    assert len(house.hub.cases(house.everyone()).picture()) == 332


def test_what_nobody_looked_at_in_time_rises(house: House) -> None:
    house.take(document(1, severity=90))
    (group,) = groups(house)
    assert mark_overdue(house.hub.database, house.clock) == 0
    house.clock.advance(minutes=31)
    assert mark_overdue(house.hub.database, house.clock) == 1
    assert mark_overdue(house.hub.database, house.clock) == 0
    (late,) = groups(house)
    assert late.overdue
    assert late.risk == group.risk * 3 // 2
    assert late.version == group.version, "the clock is no person: nobody's form is stale"


def test_a_storm_is_one_row_and_its_names_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigla_console.incidents.storage.arrivals.MOST_ROWS", 40)
    documents = [document(n, rule="scan", fields={"destination.ip": f"198.51.100.{n % 250}"}) for n in range(600)]
    for start in range(0, 600, 300):
        house.take(*documents[start : start + 300])
    (group,) = groups(house)
    assert (group.count, group.alerts, len(group.samples)) == (600, 600, 20)
    with house.hub.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(GROUP_ENTITY)).scalar_one() <= 40


def test_what_is_out_of_every_window_goes(house: House) -> None:
    house.take(document(1, severity=70, fields={"source.ip": "203.0.113.9"}))
    assert prune(house.hub.database, house.clock) == 0
    house.clock.advance(days=500)
    assert prune(house.hub.database, house.clock) == 2
    assert len(groups(house)) == 1, "what people decide about stays"


def test_ingest_and_aggregation_go_on_side_by_side(house: House) -> None:
    """Four senders and the running worker: every alert ends in exactly one group."""
    towns = ("kalamata", "mytilini", "orestiada", "petroupoli")
    bearers = {town: {"authorization": f"Bearer {house.sensor(town)}"} for town in towns}
    with house.client() as client:

        def send(town: str) -> None:
            for n in range(5):
                made = [document(f"{n}-{k}", tenant=town, entity=("host", f"pc{k}")) for k in range(8)]
                answer = client.post("/ingest/v1/alerts", content=ndjson(*made), headers=bearers[town])
                assert answer.status_code == 200

        senders = [threading.Thread(target=send, args=(town,)) for town in towns]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
    again = build_house(house.settings.storage.directory)
    again.settle()
    assert sum(group.count for group in groups(again)) == 160
    assert len(groups(again)) == 32
    again.hub.close()


def test_a_worker_that_fails_goes_on(house: House) -> None:
    worker = house.hub.worker()

    class Broken:
        calls = 0

        def cursor(self) -> ArrivalCursor:
            self.calls += 1
            raise RuntimeError("for a moment")

    broken = Broken()
    failing = Worker(worker.store, broken, (), pause=0.01)  # type: ignore[arg-type]
    failing.start()
    for _ in range(500):
        if broken.calls >= 3:
            break
        failing.ring()
        threading.Event().wait(0.01)
    failing.stop()
    assert failing.failures >= 3


def test_samples_are_event_ids(house: House) -> None:
    house.take(*(document(n) for n in range(30)))
    (group,) = groups(house)
    assert group.samples == tuple(sorted(event_id(n) for n in range(30))[:20])
    assert group.count == 30
    assert isinstance(group.first_seen, datetime)
