"""The verbs of console.md 2.4: who may, from where to where, what is written down, and what a second click does."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.console.build import House, Person, document
from vigla_console.errors import Conflict, Forbidden, NotFound, Refused
from vigla_console.incidents.models import (
    AlertGroup,
    Disposition,
    GroupFilter,
    Reason,
    Severity,
    State,
    WaitingOn,
)
from vigla_console.incidents.storage.delegations import SqlDelegations
from vigla_console.tenants.models import Binding, Role, TenantId
from vigla_console.triage.service import Act, Closing, TriageService

FALSE = Closing(Disposition.FALSE_POSITIVE, Reason.RULE_TOO_BROAD)


def act(group: AlertGroup, key: str = "k") -> Act:
    return Act(group.version, f"{key}{group.version}")


def triage(person: Person) -> TriageService:
    return person.house.hub.triage(person.house.scope(person.user))


def history(house: House, group: AlertGroup) -> list[tuple[str, str, str]]:
    entries = house.hub.cases(house.everyone()).history(group)
    return [(entry.verb, entry.before, entry.after) for entry in entries]


@pytest.fixture
def group(house: House) -> AlertGroup:
    house.take(document(1, severity=70))
    (found,) = house.hub.cases(house.everyone()).groups(GroupFilter()).groups
    return found


@pytest.fixture
def officer(house: House) -> Person:
    return house.officer()


@pytest.fixture
def analyst(house: House) -> Person:
    return house.analyst()


def test_the_way_from_new_to_closed(house: House, group: AlertGroup, officer: Person, analyst: Person) -> None:
    seen = triage(officer).ack(group.code, act(group))
    assert (seen.state, seen.version) == (State.ACKNOWLEDGED, 2)
    asked = triage(officer).escalate(group.code, act(seen), "τι κάνω;")
    assert (asked.state, asked.waiting_on, asked.waiting_since) == (State.ESCALATED, WaitingOn.SOC, house.clock.now())
    answered = triage(analyst).answer(group.code, act(asked), "κλείστε τον λογαριασμό")
    assert answered.waiting_on is WaitingOn.MUNICIPALITY
    closed = triage(officer).close(group.code, act(answered), FALSE)
    assert (closed.state, closed.disposition, closed.closed_through) == (
        State.CLOSED,
        FALSE.disposition,
        group.last_seen,
    )
    opened = triage(officer).reopen(group.code, act(closed), "ήρθε ξανά")
    assert (opened.state, opened.disposition, opened.closed_through) == (State.ACKNOWLEDGED, None, None)
    assert history(house, group) == [
        ("ack", "new", "acknowledged"),
        ("escalate", "acknowledged", "escalated"),
        ("answer", "escalated", "escalated"),
        ("close", "escalated", "closed"),
        ("reopen", "closed", "acknowledged"),
    ]
    acts = [entry.act for entry in house.hub.audit(house.scope(officer.user)).entries(TenantId("kalamata"))]
    assert acts[:5] == ["group.reopen", "group.close", "group.answer", "group.escalate", "group.ack"]


def test_a_double_click_is_one_act(house: House, group: AlertGroup, officer: Person) -> None:
    once = Act(group.version, "the form's key")
    first = triage(officer).ack(group.code, once)
    assert triage(officer).ack(group.code, once) == first
    assert history(house, group) == [("ack", "new", "acknowledged")]


def test_the_key_of_one_person_is_not_anothers(house: House, group: AlertGroup, officer: Person) -> None:
    seen = triage(officer).ack(group.code, Act(1, "key"))
    other = house.signed_in(house.user("second", Binding(Role.OFFICER, TenantId("kalamata"))))
    assert triage(other).assign(group.code, Act(seen.version, "key")).assignee == other.user.id


def test_the_slower_of_two_is_told(house: House, group: AlertGroup, officer: Person) -> None:
    triage(officer).ack(group.code, act(group))
    with pytest.raises(Conflict, match="version 2, you saw 1"):
        triage(officer).close(group.code, Act(1, "other"), FALSE)
    assert history(house, group) == [("ack", "new", "acknowledged")]


def test_new_alerts_make_no_form_stale(house: House, group: AlertGroup, officer: Person) -> None:
    house.take(document(2, severity=70))
    assert triage(officer).ack(group.code, act(group)).alerts == 2


def test_another_municipality_does_not_exist(house: House, group: AlertGroup) -> None:
    stranger = triage(house.officer("mytilini"))
    verbs: list[Callable[[], Any]] = [
        lambda: stranger.ack(group.code, act(group)),
        lambda: stranger.close(group.code, act(group), FALSE),
        lambda: stranger.promote(group.code, act(group)),
        lambda: stranger.undo(group.code, act(group)),
    ]
    for verb in verbs:
        with pytest.raises(NotFound) as unknown:
            verb()
        assert str(unknown.value) == f"no alert {group.code!r}"
    with pytest.raises(NotFound, match="no alert 'A-NOTHIN'"):
        stranger.ack("A-NOTHIN", act(group))


def test_rights_by_role(house: House, group: AlertGroup, analyst: Person) -> None:
    viewer = house.signed_in(house.user("viewer", Binding(Role.VIEWER, TenantId("kalamata"))))
    admin = house.signed_in(house.user("admin", Binding(Role.ADMIN, TenantId("kalamata"))))
    for person, allowed in ((viewer, set()), (admin, set()), (analyst, {"assign", "promote"})):
        may = {verb for verb in ("ack", "escalate", "close", "assign", "promote") if triage(person).may(verb, group)}
        assert may == allowed, person.user.login
    with pytest.raises(Forbidden, match="no right"):
        triage(analyst).ack(group.code, act(group))
    officer = house.officer()
    entries = house.hub.audit(house.scope(officer.user)).entries(TenantId("kalamata"), foreign_only=True)
    assert [(entry.act, entry.result, entry.actor_body) for entry in entries if entry.act == "refused"] == [
        ("refused", "refused", "SOC")
    ]


def test_the_centre_closes_only_where_it_was_asked_to_and_never_a_critical(house: House, analyst: Person) -> None:
    house.take(document(1, severity=70), document(2, severity=90, entity=("host", "a")))
    high, critical = sorted(house.hub.cases(house.everyone()).groups(GroupFilter()).groups, key=lambda g: g.severity)
    with pytest.raises(Forbidden):
        triage(analyst).close(high.code, act(high), FALSE)
    delegations = SqlDelegations(house.hub.database, house.clock)
    delegations.set(TenantId("kalamata"), on=True)
    assert triage(analyst).close(high.code, act(high), FALSE).state is State.CLOSED
    with pytest.raises(Forbidden):
        triage(analyst).close(critical.code, act(critical), FALSE)
    delegations.set(TenantId("kalamata"), on=False)
    house.take(document(3, severity=70, entity=("host", "zeta")))
    (later,) = house.hub.cases(house.everyone()).groups(GroupFilter(text="zeta")).groups
    with pytest.raises(Forbidden):
        triage(analyst).close(later.code, act(later), FALSE)


def test_the_centre_pulls_only_what_is_loud_spread_or_asked(house: House, analyst: Person, officer: Person) -> None:
    house.take(document(1, severity=50))
    (quiet,) = house.hub.cases(house.everyone()).groups(GroupFilter()).groups
    with pytest.raises(Forbidden):
        triage(analyst).promote(quiet.code, act(quiet))
    asked = triage(officer).escalate(quiet.code, act(quiet), "")
    assert triage(analyst).promote(quiet.code, act(asked)).opened_by == "person"


@pytest.mark.parametrize(
    ("closing", "message"),
    [
        (Closing(Disposition.FALSE_POSITIVE, Reason.BLOCKED), "needs one of these reasons: rule_too_broad"),
        (Closing(Disposition.LEGITIMATE, Reason.MAINTENANCE, who="Εταιρεία"), "who did it and the ticket"),
        (Closing(Disposition.TRUE_IMPACT, Reason.SERVICE_DOWN), "needs an incident"),
        (Closing(Disposition.FALSE_POSITIVE, Reason.RULE_TOO_BROAD, note="x" * 4001), "at most 4000"),
    ],
)
def test_a_closing_without_its_parts_is_refused(
    house: House, group: AlertGroup, officer: Person, closing: Closing, message: str
) -> None:
    with pytest.raises(Refused, match=message):
        triage(officer).close(group.code, act(group), closing)
    assert history(house, group) == []


@pytest.mark.parametrize("disposition", list(Disposition))
def test_every_disposition_closes_with_each_of_its_reasons(
    house: House, officer: Person, disposition: Disposition
) -> None:
    for n, reason in enumerate(disposition.reasons):
        house.take(document(n, severity=90, entity=("host", f"pc{n}")))  # critical: in an incident at once
        (group,) = house.hub.cases(house.everyone()).groups(GroupFilter(text=f"pc{n}")).groups
        closing = Closing(disposition, reason, who="Εταιρεία", ticket="42")
        assert triage(officer).close(group.code, act(group), closing).reason is reason


@pytest.mark.parametrize("note", ["", "   "])
def test_an_answer_and_a_reopening_need_words(group: AlertGroup, officer: Person, note: str) -> None:
    with pytest.raises(Refused):
        triage(officer).answer(group.code, act(group), note)
    with pytest.raises(Refused):
        triage(officer).reopen(group.code, act(group), note)


def test_a_verb_starts_only_where_it_may(group: AlertGroup, officer: Person) -> None:
    with pytest.raises(Refused, match="answer starts from escalated"):
        triage(officer).answer(group.code, act(group), "x")
    with pytest.raises(Refused, match="reopen starts from closed"):
        triage(officer).reopen(group.code, act(group), "x")
    seen = triage(officer).ack(group.code, act(group))
    with pytest.raises(Refused, match="ack starts from new"):
        triage(officer).ack(group.code, act(seen))


def test_undo_brings_back_the_state_before_and_both_acts_stay(house: House, group: AlertGroup, officer: Person) -> None:
    closed = triage(officer).close(group.code, act(group), FALSE)
    back = triage(officer).undo(group.code, act(closed))
    assert (back.state, back.disposition, back.closed_through, back.version) == (State.NEW, None, None, 3)
    assert history(house, group) == [("close", "new", "closed"), ("undo", "closed", "new")]
    with pytest.raises(Refused, match="nothing to undo"):
        triage(officer).undo(group.code, act(back))


def test_undo_is_for_the_same_person_within_ten_minutes(house: House, group: AlertGroup, officer: Person) -> None:
    seen = triage(officer).ack(group.code, act(group))
    other = house.signed_in(house.user("second", Binding(Role.OFFICER, TenantId("kalamata"))))
    with pytest.raises(Forbidden, match="only the same person"):
        triage(other).undo(group.code, act(seen))
    house.clock.advance(minutes=11)
    with pytest.raises(Refused, match="ten minutes"):
        triage(officer).undo(group.code, act(seen))


def test_promote_opens_an_incident_and_joins_the_automatic_one(
    house: House, group: AlertGroup, officer: Person
) -> None:
    incident = triage(officer).promote(group.code, act(group), "Παραβίαση")
    assert (incident.title, incident.opened_by, incident.because, incident.groups) == (
        "Παραβίαση",
        "person",
        (group.code,),
        1,
    )
    cases = house.hub.cases(house.everyone())
    assert cases.group(group.code).state is State.IN_INCIDENT
    house.take(document(2, severity=90, entity=("host", "pc9")))
    (critical,) = cases.groups(GroupFilter(text="pc9")).groups
    assert critical.incident
    joined = triage(officer).promote(critical.code, act(critical), "Δεύτερη")
    assert (joined.code, joined.title, joined.opened_by) == (critical.incident, "Δεύτερη", "critical")


def test_later_alerts_join_an_incident_a_person_opened(house: House, group: AlertGroup, officer: Person) -> None:
    incident = triage(officer).promote(group.code, act(group))
    house.take(document(2, rule="other", severity=30))
    members = house.hub.cases(house.everyone()).incident_groups(incident)
    assert {one.rule for one in members} == {"brute", "other"}


def test_closing_an_incident_closes_its_members_and_needs_the_decision(house: House, officer: Person) -> None:
    house.take(document(1, severity=90, entity=("host", "pc1")), document(2, entity=("host", "pc1"), rule="x"))
    cases = house.hub.cases(house.everyone())
    (incident,) = cases.incidents()
    closing = Closing(Disposition.TRUE_NO_IMPACT, Reason.STOPPED_IN_TIME)
    with pytest.raises(Refused, match="significance"):
        triage(officer).close_incident(incident.code, Act(incident.version, "a"), closing, "", "")
    assert all(one.state.open for one in cases.incident_groups(incident)), "nothing half done"
    with pytest.raises(Conflict):
        triage(officer).close_incident(incident.code, Act(9, "b"), closing, "no", "ένας υπολογιστής")
    closed = triage(officer).close_incident(
        incident.code, Act(incident.version, "c"), closing, "no", "ένας υπολογιστής"
    )
    assert (closed.open, closed.significant) == (False, "no")
    assert {one.disposition for one in cases.incident_groups(incident)} == {Disposition.TRUE_NO_IMPACT}
    house.take(document(3, severity=90, entity=("host", "pc1"), at=house.clock.now().replace(hour=20)))
    assert len(cases.incidents(open_only=False)) == 2, "what comes later is a new incident"


def test_phases_go_both_ways(house: House, officer: Person) -> None:
    house.take(document(1, severity=90))
    (incident,) = house.hub.cases(house.everyone()).incidents()
    moved = triage(officer).set_phase(incident.code, Act(1, "a"), "containment")
    back = triage(officer).set_phase(incident.code, Act(moved.version, "b"), "identification")
    assert (moved.phase.value, back.phase.value) == ("containment", "identification")
    with pytest.raises(Refused, match="no phase"):
        triage(officer).set_phase(incident.code, Act(back.version, "c"), "panic")


def test_three_innocent_closures_lower_the_next_one(house: House, officer: Person) -> None:
    for n in range(4):
        at = house.clock.now()
        house.take(document(n, severity=70, at=at))
        (group,) = house.hub.cases(house.everyone()).groups(GroupFilter(states=frozenset({State.NEW}))).groups
        expected = (Severity.HIGH, []) if n < 3 else (Severity.MEDIUM, ["innocent_history"])
        assert (group.severity, [step.reason for step in group.steps]) == expected
        triage(officer).close(group.code, act(group, f"n{n}"), FALSE)
        house.clock.advance(days=3)


def test_of_many_at_once_one_wins(house: House, group: AlertGroup) -> None:
    people = [house.signed_in(house.user(f"o{n}", Binding(Role.OFFICER, TenantId("kalamata")))) for n in range(6)]
    outcomes: list[object] = []

    def try_it(person: Person) -> None:
        try:
            outcomes.append(triage(person).ack(group.code, Act(1, person.user.login)))
        except Conflict as lost:
            outcomes.append(lost)

    threads = [threading.Thread(target=try_it, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(one).__name__ for one in outcomes) == ["AlertGroup", *["Conflict"] * 5]
    assert len(history(house, group)) == 1
