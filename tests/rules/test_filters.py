"""Sigma filters: ANDed into each rule they name, and never without effect."""

import pytest

from tests.sigma.engines import rules_json
from tests.sigma.packs import compiled, rule
from tests.sigma.reference import Event, Reference

RULE = rule({"s": {"f": "x"}, "condition": "s"}, 1, name="one")
OTHER = rule({"s": {"f": "x"}, "condition": "s"}, 2, name="two", logsource={"product": "case", "service": "other"})


def a_filter(rules: object, logsource: dict | None = None, **section: object) -> dict[str, object]:  # type: ignore[type-arg]
    body = {"rules": rules, "staff": {"u": "scanner"}, "condition": "not staff", **section}
    kept = {key: value for key, value in body.items() if value is not None}
    return {
        "title": "Filter", "id": "00000000-0000-4000-8000-000000000099", "author": "Vigla",
        "logsource": logsource or {"product": "case"}, "filter": kept,
    }  # fmt: skip


def hits(pack: bytes, fields: dict[str, object], service: str | None = None) -> int:
    event = Event(fields, {"product": "case", "service": service})
    return len(Reference(rules_json(pack)).matches(event))


@pytest.mark.parametrize("rules", ["one", ["one"], ["00000000-0000-4000-8000-000000000001"]])
def test_a_filter_removes_from_the_rules_it_names(rules: object) -> None:
    built = compiled([RULE, OTHER, a_filter(rules)])
    assert not built.refused
    assert hits(built.data, {"f": "x", "u": "scanner"}) == 0
    assert hits(built.data, {"f": "x", "u": "clerk"}) == 1
    assert hits(built.data, {"f": "x", "u": "scanner"}, "other") == 1, "two is not named"
    assert rules_json(built.data)["filters"][0]["rules"] == ["00000000-0000-4000-8000-000000000001"]


def test_any_takes_all_rules_of_the_log_source() -> None:
    built = compiled([RULE, OTHER, a_filter("any", {"product": "case", "service": "other"})])
    assert hits(built.data, {"f": "x", "u": "scanner"}, "other") == 1, "one serves it too and is wider than the filter"
    assert rules_json(built.data)["filters"][0]["rules"] == ["00000000-0000-4000-8000-000000000002"]


def test_without_not_it_narrows_and_warns() -> None:
    built = compiled([RULE, a_filter(["one"], condition="staff")])
    assert [finding.code for finding in built.findings] == ["filter-narrows"]
    assert hits(built.data, {"f": "x", "u": "scanner"}) == 1
    assert hits(built.data, {"f": "x", "u": "clerk"}) == 0


def test_patterns_of_the_filter_see_its_own_selections_only() -> None:
    built = compiled([RULE, a_filter(["one"], s2={"u": "printer"}, condition="not 1 of them")])
    assert hits(built.data, {"f": "x", "u": "printer"}) == 0
    assert hits(built.data, {"f": "x", "u": "clerk"}) == 1


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (a_filter(["oen"]), "rule 'oen' is not known"),
        (a_filter(None), "no rules"),
        (a_filter([]), "no rules"),
        (a_filter(["one"], {"product": "else"}), "does not contain that of rule"),
        (a_filter("any", {"product": "else"}), "no rule has a log source within"),
        (a_filter(["one"], condition=["not staff", "staff"]), "a list of conditions"),
        ({**a_filter(["one"]), "filter": [1]}, "no map under 'filter'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refused(document: dict, reason: str) -> None:  # type: ignore[type-arg]
    built = compiled([RULE, document])
    assert [finding.code for finding in built.refused] == ["bad-filter"]
    assert reason in built.refused[0].reason
    assert hits(built.data, {"f": "x", "u": "scanner"}) == 1, "the rule stays as it was"


def test_a_filter_on_a_correlation_is_refused() -> None:
    correlation = {
        "title": "Many", "id": "00000000-0000-4000-8000-000000000050", "author": "Vigla", "name": "many",
        "correlation": {"type": "event_count", "rules": ["one"], "timespan": "5m", "condition": {"gte": 3}},
    }  # fmt: skip
    built = compiled([RULE, correlation, a_filter(["many"])])
    assert [finding.code for finding in built.refused] == ["bad-filter"]
    assert "correlations take no filter" in built.refused[0].suggestion
