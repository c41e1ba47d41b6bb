"""Generates from the field catalogue (`fields.json`): the templates and roles beside it, and the alert's JSON Schema.

    python deploy/elasticsearch/generate.py [--check]

A test runs `--check`; the files are data for `vigla-console elasticsearch setup` and never edited by hand.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

INDEX_PATTERN = "vigla-alerts-*"
STAMP = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
EVENT_ID = "^[0-9a-f]{32}$"
SCALARS: dict[str, dict[str, Any]] = {
    "keyword": {"type": "string"},
    "text": {"type": "string"},
    "long": {"type": "integer"},
    "double": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "pattern": STAMP},
    "ip": {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
    "flattened": {"type": "object"},
    "object": {
        "type": "object",
        "required": ["selection", "field", "op", "value", "actual"],
        "properties": {
            "selection": {"type": ["string", "null"]},
            "field": {"type": ["string", "null"]},
            "op": {"type": "string"},
            "value": {},
            "actual": {},
        },
        "additionalProperties": False,
    },
}
CONSTRAINTS: dict[str, dict[str, Any]] = {
    "event.id": {"pattern": EVENT_ID},
    "event.sequence": {"minimum": 1, "maximum": 2**53 - 1},
    "event.kind": {"const": "alert"},
    "event.action": {"enum": ["match", "correlation", "correlation-summary", "folded"]},
    "event.category": {"minItems": 1},
    "event.type": {"minItems": 1},
    "event.severity": {"enum": [10, 30, 50, 70, 90]},
    "ecs.version": {"const": "9.4.0"},
    "rule.author": {"minItems": 1},
    "organization.id": {"pattern": "^[a-z][a-z0-9_]{1,39}$"},
    "observer.type": {"const": "sensor"},
    "network.direction": {"enum": ["internal", "inbound", "outbound", "external"]},
    "vigla.schema": {"const": 1},
    "vigla.level": {"enum": ["informational", "low", "medium", "high", "critical"]},
    "vigla.entity.kind": {"enum": ["ip", "user", "host", "hash", "value", "sensor"]},
    "vigla.pack.sha256": {"pattern": "^[0-9a-f]{64}$"},
    "vigla.folded.count": {"minimum": 2},
}
ALWAYS_LISTS = [
    "event.category",
    "event.type",
    "rule.author",
    "threat.tactic.id",
    "threat.tactic.name",
    "threat.technique.id",
    "threat.technique.subtechnique.id",
    "related.ip",
    "related.user",
    "related.hosts",
    "related.hash",
    "vigla.matched",
    "vigla.correlation.rules",
    "vigla.correlation.samples",
    "vigla.folded.samples",
]
"""Of these a single value is a list of one; of other fields the event's own shape is kept."""

GROUP_REQUIRED = {
    "vigla.correlation": ["type", "group", "start", "end", "timespan_ms", "count"],
    "vigla.folded": ["count", "first", "last", "samples"],
    "vigla.clock": ["synchronised", "offset_ms"],
}


def main(arguments: list[str]) -> int:
    """Writes the files, or with `--check` says which are stale and returns 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is not current")
    check = parser.parse_args(arguments).check
    stale = []
    for path, document in outputs().items():
        text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        if check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(str(path.relative_to(ROOT)))
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.stderr.write(f"not current: {', '.join(stale)}; run `python deploy/elasticsearch/generate.py`\n")
    return 1 if stale else 0


def outputs() -> dict[Path, dict[str, Any]]:
    """File to content."""
    catalogue = json.loads((HERE / "fields.json").read_text(encoding="utf-8"))
    return {
        HERE / "component-settings.json": settings(catalogue["version"]),
        HERE / "component-mappings.json": mappings(catalogue),
        HERE / "index-template.json": index_template(catalogue["version"]),
        HERE / "role-sensor.json": sensor_role(),
        HERE / "role-hub.json": hub_role(),
        ROOT / "tests" / "contract" / "alert.schema.json": alert_schema(catalogue["fields"]),
    }


def settings(version: int) -> dict[str, Any]:
    """`vigla-alerts@settings`. Replicas expand by themselves: a fixed one counts twice against the shard limit."""
    index = {
        "number_of_shards": 1,
        "number_of_replicas": 0,
        "auto_expand_replicas": "0-1",
        "refresh_interval": "1s",
        "codec": "best_compression",
        "translog": {"durability": "request"},
    }
    return {"template": {"settings": {"index": index}}, "version": version, "_meta": _meta(version)}


def mappings(catalogue: dict[str, Any]) -> dict[str, Any]:
    """`vigla-alerts@mappings`: `dynamic: false`, so that no document can change the mapping."""
    properties: dict[str, Any] = {}
    for field in [*catalogue["fields"], *catalogue["store_only"]]:
        _place(properties, field["path"].split("."), _mapping(field))
    version = catalogue["version"]
    body = {"dynamic": False, "_meta": _meta(version), "properties": properties}
    return {"template": {"mappings": body}, "version": version, "_meta": _meta(version)}


def index_template(version: int) -> dict[str, Any]:
    """`vigla-alerts`."""
    return {
        "index_patterns": [INDEX_PATTERN],
        "composed_of": ["vigla-alerts@settings", "vigla-alerts@mappings"],
        "priority": 500,
        "version": version,
        "_meta": _meta(version),
    }


def sensor_role() -> dict[str, Any]:
    """Body of the API key of one sensor; `{tenant}` and `{sensor}` are filled in where keys are made."""
    index = {"names": ["vigla-alerts-{tenant}-*"], "privileges": ["create_doc", "auto_configure"]}
    return {
        "name": "sensor-{sensor}",
        "expiration": "90d",
        "metadata": {"tenant": "{tenant}"},
        "role_descriptors": {"w": {"cluster": [], "indices": [index]}},
    }


def hub_role() -> dict[str, Any]:
    """The role of the hub, a native user: a key cannot make keys that have privileges."""
    privileges = [
        "read",
        "create_doc",
        "delete",
        "auto_configure",
        "view_index_metadata",
        "monitor",
        "maintenance",
        "delete_index",
    ]
    return {
        "cluster": ["monitor", "manage_index_templates", "manage_own_api_key"],
        "indices": [{"names": [INDEX_PATTERN], "privileges": privileges}],
    }


def alert_schema(fields: list[dict[str, Any]]) -> dict[str, Any]:
    """Strict: a field that is not in the catalogue is an error."""
    root = _object()
    root = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Vigla alert, schema 1", **root}
    for field in fields:
        *parents, leaf = field["path"].split(".")
        node = root
        for depth, parent in enumerate(parents, 1):
            if field.get("required") and parent not in node["required"]:
                node["required"].append(parent)
            node = node["properties"].setdefault(parent, _object())
            node["required"] = GROUP_REQUIRED.get(".".join(parents[:depth]), node["required"])
        if field.get("required"):
            node["required"].append(leaf)
        node["properties"][leaf] = _value(field)
    return root


def _object() -> dict[str, Any]:
    return {"type": "object", "required": [], "properties": {}, "additionalProperties": False}


def _value(field: dict[str, Any]) -> dict[str, Any]:
    scalar, constraint = SCALARS[field["type"]], CONSTRAINTS.get(field["path"], {})
    if field["path"] in ALWAYS_LISTS:
        return {"type": "array", "items": scalar, **constraint}
    single = {**scalar, **constraint}
    return {"anyOf": [single, {"type": "array", "items": single, "minItems": 1}]} if field.get("many") else single


def _mapping(field: dict[str, Any]) -> dict[str, Any]:
    kind = field["type"]
    if kind == "object":
        return {"type": "object", "enabled": False}
    found: dict[str, Any] = {"type": kind}
    if kind in ("keyword", "flattened"):
        found["ignore_above"] = field.get("ignore_above", 1024)
    if kind == "text":
        found |= {name: field[name] for name in ("analyzer", "norms") if name in field}
    return found


def _place(properties: dict[str, Any], path: list[str], mapping: dict[str, Any]) -> None:
    *parents, leaf = path
    for parent in parents:
        properties = properties.setdefault(parent, {"properties": {}}).setdefault("properties", {})
    properties[leaf] = mapping


def _meta(version: int) -> dict[str, Any]:
    return {"vigla": {"schema": version}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
