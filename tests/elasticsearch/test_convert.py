"""Converted rules on the real server: a query finds what the reference evaluator says, and nothing else.

Lucene alone: the stripped distribution of the tests has neither EQL nor ES|QL. EQL runs in
``tests/rules/test_convert.py`` on Elastic's own Python implementation.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.elasticsearch.fixture import new_municipality
from tests.elasticsearch.server import Server
from tests.rules.convert_cases import CASES, DNS, PACK, alert, matching
from tests.sigma.packs import compiled, rule
from vigla_rules.cli import main
from vigla_rules.convert.mapping import ecs_mapping
from vigla_rules.convert.queries import Converter
from vigla_rules.layout import read_tree
from vigla_sensor.alert.ecs import EcsTable

pytestmark = pytest.mark.elasticsearch


@pytest.fixture(scope="module")
def ecs() -> Mapping[str, Any]:
    return read_tree(PACK).ecs


@pytest.fixture(scope="module")
def index(elasticsearch_server: Server, ecs: Mapping[str, Any]) -> str:
    """The events of all cases as the sensor writes their alerts, ids ``case-event``."""
    name = f"vigla-alerts-{new_municipality(elasticsearch_server).tenant}-2026"
    table = EcsTable.of(ecs)
    for number, case in enumerate(CASES.values()):
        for at, event in enumerate(case.events):
            document = alert(table, case.logsource, event)
            status, answer = elasticsearch_server.request("PUT", f"/{name}/_create/{number}-{at}", document)
            assert status == 201, answer
    elasticsearch_server.request("POST", f"/{name}/_refresh")
    return name


def found(server: Server, index: str, query: str) -> set[str]:
    """Ids of the documents that a query finds."""
    body = {"query": {"query_string": {"query": query, "analyze_wildcard": True}}, "size": 1000}
    status, answer = server.request("POST", f"/{index}/_search", body)
    assert status == 200, answer
    return {hit["_id"] for hit in answer["hits"]["hits"]}


@pytest.mark.parametrize("number", range(len(CASES)), ids=list(CASES))
def test_a_query_finds_what_the_rule_finds(
    number: int, elasticsearch_server: Server, index: str, ecs: Mapping[str, Any]
) -> None:
    case = list(CASES.values())[number]
    built = compiled([rule(case.detection, logsource=case.logsource)])
    assert not built.refused
    expected = {f"{number}-{at}" for at in matching(built.data, case)}
    assert 0 < len(expected) < len(case.events), "both a match and a miss, or the case proves nothing"
    query = Converter("lucene", ecs_mapping(ecs), index).query(built.linked.rules[0])
    asked = found(elasticsearch_server, index, query)
    assert {one for one in asked if one.startswith(f"{number}-")} == expected, query


def test_the_command_writes_queries_that_run(
    elasticsearch_server: Server, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every query of our own pack is taken by the server, and one finds the alert it would have raised."""
    assert main(["convert", str(PACK), "-t", "lucene", "--index", index, "--json", "--no-cache"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["queries"]) > 10
    for entry in printed["queries"]:
        found(elasticsearch_server, index, entry["query"])
    (tor,) = [entry["query"] for entry in printed["queries"] if entry["name"] == "zeek_dns_tor_proxy"]
    number = list(CASES).index("endswith")
    asked = found(elasticsearch_server, index, tor)
    assert {one for one in asked if one.startswith(f"{number}-")} == {f"{number}-0", f"{number}-1"}


def test_a_query_is_about_its_log_source(elasticsearch_server: Server, index: str, ecs: Mapping[str, Any]) -> None:
    elsewhere = {"product": "other", "category": "dns"}
    document = alert(EcsTable.of(ecs), elsewhere, {"query": "only.here.example"})
    elasticsearch_server.request("PUT", f"/{index}/_doc/elsewhere?refresh=true", document)
    detection = {"s": {"query": "only.here.example"}, "condition": "s"}
    for logsource, expected in ((DNS, set()), ({"category": "dns"}, {"elsewhere"})):
        built = compiled([rule(detection, logsource=logsource)])
        query = Converter("lucene", ecs_mapping(ecs), index).query(built.linked.rules[0])
        assert found(elasticsearch_server, index, query) == expected
