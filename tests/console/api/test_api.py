"""The JSON API: the same rights as the pages, and nothing of another municipality in any answer."""

import json
from typing import Any

import pytest

from tests.console.build import NOW, House, Person, document, event_id
from vigla_console.incidents.models import GroupFilter
from vigla_console.tenants.models import Binding, Role, TenantId

CANARY = "canaryxkalamata"


@pytest.fixture
def told(house: House) -> House:
    """Kalamata with a canary in every kind of text, Mytilini with an alert of its own; a cluster over three."""
    canaries = {
        "user.name": CANARY,
        "related.user": [CANARY],
        "host.name": CANARY,
        "rule.name": CANARY,
        "message": CANARY,
        "source.ip": "203.0.113.9",
        "vigla.event": {"x": CANARY},
    }
    house.take(document(1, severity=90, entity=("user", CANARY), fields=canaries))
    for town in ("mytilini", "orestiada"):
        house.take(document(2, tenant=town, fields={"source.ip": "203.0.113.9"}), tenant=town)
    officer = house.officer()
    group = groups(officer)[0]
    officer.post(f"/api/v1/groups/{group['code']}/escalate", version=1, note=CANARY)
    return house


def groups(person: Person, **filters: Any) -> list[dict[str, Any]]:
    answer = person.client.get("/api/v1/groups", params=filters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["groups"]
    return found


def paths_of(house: House) -> list[str]:
    """Every reading path with Kalamata's own ids, and with every filter."""
    cases = house.hub.cases(house.everyone())
    group = cases.groups(GroupFilter(tenants=frozenset({TenantId("kalamata")}))).groups[0]
    (incident,) = cases.incidents()
    return [
        "/api/v1/groups",
        f"/api/v1/groups?q={CANARY}",
        "/api/v1/groups?muni=kalamata",
        f"/api/v1/groups/{group.code}",
        f"/api/v1/groups/{group.code}/alerts/{event_id(1)}",
        "/api/v1/incidents?open_only=false",
        f"/api/v1/incidents/{incident.code}",
        "/api/v1/clusters",
        *(f"/api/v1/clusters/{cluster.code}" for cluster in cases.clusters()),
    ]


def test_a_second_municipality_sees_no_canary_anywhere(told: House) -> None:
    stranger = told.officer("mytilini")
    for path in paths_of(told):
        answer = stranger.client.get(path)
        assert answer.status_code in (200, 403, 404), path
        echoed = answer.text.replace(CANARY, "", 1) if f"q={CANARY}" in path else answer.text
        assert CANARY not in echoed, path
        assert CANARY not in str(answer.headers), path


def test_a_foreign_code_is_answered_like_an_unknown_one(told: House) -> None:
    stranger = told.officer("mytilini")
    for path in paths_of(told):
        head, _, code = path.partition("/api/v1/groups/")[2].partition("/")[0], "", ""
        if not head:
            continue
        foreign = stranger.client.get(path)
        unknown = stranger.client.get(path.replace(head, "A-000000"))
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert foreign.text.replace(head, "A-000000") == unknown.text, code


def test_acts_on_a_foreign_code_are_answered_like_on_an_unknown_one(told: House) -> None:
    stranger = told.officer("mytilini")
    code = told.hub.cases(told.everyone()).groups(GroupFilter(tenants=frozenset({TenantId("kalamata")}))).groups[0].code
    for verb in ("ack", "escalate", "answer", "assign", "reopen", "undo", "promote"):
        answer = stranger.post(f"/api/v1/groups/{code}/{verb}", version=2, note="x")
        assert answer.status_code == 404, verb
    closing = {"disposition": "false_positive", "reason": "rule_too_broad"}
    assert stranger.post(f"/api/v1/groups/{code}/close", version=2, **closing).status_code == 404
    assert told.hub.cases(told.everyone()).group(code).version == 2


def test_people_without_a_municipality_see_nothing(told: House) -> None:
    nobody = told.signed_in(told.user("nobody"))
    for path in paths_of(told):
        answer = nobody.client.get(path)
        assert answer.status_code == 403, path
        assert CANARY not in answer.text


def test_someone_of_two_municipalities_sees_two(told: House) -> None:
    both = told.signed_in(
        told.user("both", *(Binding(Role.OFFICER, TenantId(town)) for town in ("mytilini", "orestiada")))
    )
    assert {group["tenant"] for group in groups(both)} == {"mytilini", "orestiada"}
    assert CANARY not in json.dumps(groups(both))


def test_the_centre_sees_all_and_the_cluster(told: House) -> None:
    analyst = told.analyst()
    assert {group["tenant"] for group in groups(analyst)} == {"kalamata", "mytilini", "orestiada"}
    (cluster,) = analyst.client.get("/api/v1/clusters").json()
    assert {member["tenant"] for member in cluster["members"]} == {"kalamata", "mytilini", "orestiada"}
    assert analyst.client.get(f"/api/v1/clusters/{cluster['code']}").status_code == 200


def test_an_alert_document_is_its_municipalitys_even_under_the_same_id(told: House) -> None:
    """Mytilini and Orestiada hold the same event id: each gets its own."""
    for town in ("mytilini", "orestiada"):
        officer = told.officer(town)
        (group,) = groups(officer)
        body = officer.client.get(f"/api/v1/groups/{group['code']}/alerts/{event_id(2)}").json()
        assert body["organization"]["id"] == town
    analyst = told.analyst()
    for group in groups(analyst, muni="orestiada"):
        body = analyst.client.get(f"/api/v1/groups/{group['code']}/alerts/{event_id(2)}").json()
        assert body["organization"]["id"] == "orestiada"


def test_triage_over_the_api(told: House) -> None:
    officer = told.officer("mytilini")
    (group,) = groups(officer)
    path = f"/api/v1/groups/{group['code']}"
    seen = officer.post(f"{path}/ack", version=group["version"])
    assert (seen.status_code, seen.json()["state"]) == (200, "acknowledged")
    stale = officer.post(f"{path}/ack", version=group["version"])
    assert (stale.status_code, stale.headers["content-type"]) == (409, "application/problem+json")
    wrong = officer.post(f"{path}/close", version=2, disposition="false_positive", reason="blocked")
    assert wrong.status_code == 422
    assert "rule_too_broad" in wrong.json()["title"]
    assert officer.post(f"{path}/dance", version=2).status_code == 422
    assert officer.post(f"{path}/close", version=2, disposition="nonsense", reason="blocked").status_code == 422
    closed = officer.post(f"{path}/close", version=2, disposition="false_positive", reason="rule_too_broad")
    assert (closed.status_code, closed.json()["disposition"]) == (200, "false_positive")
    assert [entry["verb"] for entry in officer.client.get(path).json()["history"]] == ["ack", "close"]


@pytest.mark.parametrize(
    "params",
    [{"level": "loud"}, {"sort": "name"}, {"state": "asleep"}, {"since": "2026-01-01T00:00:00"}, {"after": "forged"}],
)
def test_a_bad_filter_is_an_error_and_not_everything(told: House, params: dict[str, str]) -> None:
    answer = told.officer().client.get("/api/v1/groups", params=params)
    assert answer.status_code == 422
    assert answer.json()["title"]


def test_filters_narrow(told: House) -> None:
    analyst = told.analyst()
    assert len(groups(analyst, level="critical")) == 1
    assert len(groups(analyst, state="escalated")) == 1
    assert len(groups(analyst, since=(NOW.replace(year=2030)).isoformat())) == 0
    assert len(groups(analyst, q="203.0.113.9", muni="orestiada")) == 1


def test_the_description_of_the_api_names_every_path(house: House) -> None:
    officer = house.officer()
    document_of_record = officer.client.get("/api/openapi.json").json()
    assert {"/api/v1/groups", "/api/v1/groups/{code}/close", "/api/v1/clusters", "/ingest/v1/alerts"} <= set(
        document_of_record["paths"]
    )
    assert house.client().get("/api/openapi.json").status_code == 401
