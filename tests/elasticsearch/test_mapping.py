"""The templates on the real server: every field has the catalogue's type, and what they promise holds."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.elasticsearch.fixture import DEPLOY, Municipality
from tests.elasticsearch.server import Server
from vigla_sensor.deliver.elasticsearch import searchable

pytestmark = pytest.mark.elasticsearch
GOLDEN = Path(__file__).resolve().parents[1] / "contract" / "alerts"


@pytest.fixture
def index(elasticsearch_server: Server, municipality: Municipality) -> str:
    """An index of a fresh municipality with all golden alerts in it, refreshed."""
    name = f"vigla-alerts-{municipality.tenant}-2026"
    for path in sorted(GOLDEN.glob("*.json")):
        document = json.loads(searchable(path.read_bytes()))
        status, answer = elasticsearch_server.request(
            "PUT", f"/{name}/_create/{document['event']['id']}?refresh=true", document
        )
        assert status == 201, answer
    return name


def _at(mapping: dict[str, Any], path: str) -> dict[str, Any]:
    for part in path.split("."):
        mapping = mapping["properties"][part]
    return mapping


def test_the_mapping_is_the_catalogues_and_no_document_can_change_it(elasticsearch_server: Server, index: str) -> None:
    document = json.loads((GOLDEN / "dns_match.json").read_text(encoding="utf-8"))
    document["surprise"] = {"of": "a newer sensor"}
    document["event"]["id"] = "cc" * 16
    status, _ = elasticsearch_server.request("PUT", f"/{index}/_create/{'cc' * 16}", document)
    assert status == 201
    _, answer = elasticsearch_server.request("GET", f"/{index}")
    mapping, settings = answer[index]["mappings"], answer[index]["settings"]["index"]
    catalogue = json.loads((DEPLOY / "fields.json").read_text(encoding="utf-8"))
    for field in [*catalogue["fields"], *catalogue["store_only"]]:
        assert _at(mapping, field["path"]).get("type", "object") == field["type"], field["path"]
    assert mapping["dynamic"] == "false"
    assert mapping["_meta"]["vigla"]["schema"] == catalogue["version"]
    assert "surprise" not in mapping["properties"]
    assert settings["auto_expand_replicas"] == "0-1"
    assert (settings["number_of_shards"], settings["codec"]) == ("1", "best_compression")


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ({"term": {"source.ip": "10.0.0.0/8"}}, 1),
        ({"range": {"@timestamp": {"gte": "2026-11-23T00:14:07.100Z"}}}, 1),
        ({"term": {"event.severity": 50}}, 2),
        ({"term": {"rule.author": "Somebody Else"}}, 1),
        ({"term": {"vigla.event.query": "abc.onion.to"}}, 1),
        ({"match": {"vigla.search_text": {"query": "protokollo2 brute", "operator": "and"}}}, 2),
        ({"term": {"vigla.correlation.group.src_ip": "203.0.113.9"}}, 2),
        ({"exists": {"field": "vigla.matched"}}, 0),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_fields_are_found_as_their_type(elasticsearch_server: Server, index: str, query: object, hits: int) -> None:
    status, answer = elasticsearch_server.request("POST", f"/{index}/_count", {"query": query})
    assert (status, answer.get("count")) == (200, hits)


def test_long_and_deep_evidence_does_not_fail_the_document(elasticsearch_server: Server, index: str) -> None:
    deep: Any = "x" * 40_000
    for _ in range(14):
        deep = {"n": deep}
    document = json.loads((GOLDEN / "dns_match.json").read_text(encoding="utf-8"))
    document["vigla"]["event"] = {"deep": deep, "long": "y" * 100_000}
    document["url"] = {"full": "z" * 20_000}
    status, answer = elasticsearch_server.request("PUT", f"/{index}/_create/deep", document)
    assert status == 201, answer
