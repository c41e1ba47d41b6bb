"""``rules/pack/ecs.yml``: every row leads to a path that the alert document has, with a type that suits it."""

import json
from pathlib import Path

import pytest

from vigla_rules.drafts import LogSource
from vigla_rules.layout import read_tree

ROOT = Path(__file__).parents[2]
ECS = read_tree(ROOT / "rules/pack").ecs
FIELDS = ECS["fields"]
LOGSOURCES = ECS["logsources"]
SCHEMA = json.loads((ROOT / "tests/contract/alert.schema.json").read_text(encoding="utf-8"))
CATEGORIES = {
    "api",
    "authentication",
    "configuration",
    "database",
    "driver",
    "email",
    "file",
    "host",
    "iam",
    "intrusion_detection",
    "library",
    "malware",
    "network",
    "package",
    "process",
    "registry",
    "session",
    "threat",
    "vulnerability",
    "web",
}
TYPES = {
    "access",
    "admin",
    "allowed",
    "change",
    "connection",
    "creation",
    "deletion",
    "denied",
    "device",
    "end",
    "error",
    "group",
    "indicator",
    "info",
    "installation",
    "protocol",
    "start",
    "user",
}
# The rows that other rooms rely on by name.
PINNED = {
    ("id.orig_h", "source.ip"),
    ("id.resp_h", "destination.ip"),
    ("id.resp_p", "destination.port"),
    ("src_ip", "source.ip"),
    ("dst_ip", "destination.ip"),
    ("c-ip", "source.ip"),
    ("username", "user.name"),
    ("query", "dns.question.name"),
    ("answers", "dns.resolved_ip"),
    ("host", "url.domain"),
    ("uri", "url.original"),
    ("cs-uri-stem", "url.path"),
    ("status_code", "http.response.status_code"),
    ("user_agent", "user_agent.original"),
    ("proto", "network.transport"),
    ("server_name", "tls.client.server_name"),
    ("community_id", "network.community_id"),
    ("Image", "process.executable"),
}


def property_of(path: str) -> dict:  # type: ignore[type-arg]
    node = SCHEMA
    for part in path.split("."):
        node = resolved(node)["properties"][part]
    return resolved(node)


def resolved(node: dict) -> dict:  # type: ignore[type-arg]
    while "$ref" in node:
        target = SCHEMA
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def scalar_types(node: dict) -> set[str]:  # type: ignore[type-arg]
    node = resolved(node)
    found = {node["type"]} if isinstance(node.get("type"), str) else set(node.get("type", []))
    for key in ("anyOf", "oneOf"):
        for member in node.get(key, []):
            found |= scalar_types(member)
    if "array" in found and "items" in node:
        found = (found - {"array"}) | scalar_types(node["items"])
    return found - {"array", "null"}


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: f"{row['field']} to {row['ecs']}")
def test_row(row: dict) -> None:  # type: ignore[type-arg]
    assert set(row) <= {"field", "ecs", "type", "related", "when"}
    assert row["type"] in {"keyword", "ip", "long", "float", "boolean"}
    assert row.get("related") in {None, "ip", "user", "hosts", "hash"}
    assert (row["type"] == "ip") == (row.get("related") == "ip"), "an address is an address everywhere"
    kinds = scalar_types(property_of(row["ecs"]))
    wanted = {"keyword": "string", "ip": "string", "long": "integer", "float": "number", "boolean": "boolean"}[
        row["type"]
    ]
    assert not kinds or wanted in kinds


@pytest.mark.parametrize("row", LOGSOURCES, ids=lambda row: str(row["when"]))
def test_logsource_row(row: dict) -> None:  # type: ignore[type-arg]
    assert set(row) <= {"when", "category", "type", "protocol", "dataset"}
    assert set(row["category"]) <= CATEGORIES
    assert set(row["type"]) <= TYPES


def test_no_row_is_said_twice_and_none_is_shadowed() -> None:
    keys = [(row["field"], row["ecs"], json.dumps(row.get("when"), sort_keys=True)) for row in FIELDS]
    assert len(keys) == len(set(keys))
    seen: list[LogSource] = []
    for row in LOGSOURCES:
        source = LogSource(**row["when"])
        assert not [earlier for earlier in seen if earlier.serves(source)], f"{row} is never reached"
        seen.append(source)


def test_the_pinned_rows_are_there() -> None:
    assert {(row["field"], row["ecs"]) for row in FIELDS} >= PINNED
