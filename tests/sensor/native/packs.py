"""Small packs made in memory: a door that writes `key=value` lines, and rules over it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

DOOR: dict[str, Any] = {
    "id": "door",
    "title": {"en": "door"},
    "match": [{"contains": ["what="]}],
    "parse": {"kind": "kv"},
    "time": [{"field": "t", "format": "epoch_auto"}],
    "events": [{"logsource": {"product": "test"}}],
}

RULES: dict[str, Any] = {
    "fields": ["src", "what"],
    "predicates": [{"op": "eq", "field": 1, "value": "bad"}],
    "nodes": [{"p": 0}],
    "rules": [
        {
            "id": "fail",
            "title": "A door fails",
            "logsource": {"product": "test"},
            "condition": 0,
            "selections": {"selection": 0},
        }
    ],
    "correlations": [
        {
            "id": "many",
            "title": "A door fails often",
            "type": "event_count",
            "rules": ["fail"],
            "group_by": ["src"],
            "timespan_ms": 60_000,
            "field": [],
            "condition": [{"op": "gte", "value": 3}],
        }
    ],
}


def pack(
    rules: Mapping[str, Any] = RULES, source: Mapping[str, Any] = DOOR, spoil: Mapping[str, bytes] | None = None
) -> bytes:
    """A pack whose manifest is right, but for the members in `spoil`."""
    members = {
        "canary.json": {"canaries": []},
        "ecs.json": {"fields": [], "logsources": []},
        "rules.json": rules,
        "sources.json": {"sources": [source]},
        "texts.json": {"el": {}, "en": {}},
    }
    texts = {name: json.dumps(member).encode() for name, member in members.items()}
    hashes = {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
    manifest = {"format": 1, "name": "test", "version": "1", "members": hashes, "lists": []}
    texts["manifest.json"] = json.dumps(manifest).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in {**texts, **(spoil or {})}.items():
            archive.writestr(name, text)
    return out.getvalue()


def line(second: int, what: str, src: str = "x") -> str:
    """A line of the door."""
    return f"t={1_772_349_000 + second} src={src} what={what}\n"
