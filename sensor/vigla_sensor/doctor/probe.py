"""A pack whose rules meet every event that doctor counts, so that the core hands them over as hits, live and offline.

No detection is in it: each rule asks that a field is there which every such event has (`docs/pack-format.md`).
"""

import hashlib
import io
import json
import zipfile
from typing import Any

TRAFFIC, SENSOR = "traffic", "sensor"
"""The rules' ids: every decoded event of traffic, whatever its protocol; what an interface gave and lost."""


def probe_pack() -> bytes:
    """The pack; always the same bytes."""
    sources = [(TRAFFIC, {"product": "zeek"}, 0), (SENSOR, {"product": "vigla", "service": "sensor"}, 1)]
    rules: dict[str, Any] = {
        "fields": ["interface", "ts"],
        "predicates": [{"op": "exists", "field": field, "value": True} for field in (1, 0)],
        "nodes": [{"p": 0}, {"p": 1}],
        "rules": [
            {
                "id": name,
                "title": name,
                "logsource": source,
                "condition": node,
                "selections": {"seen": node},
            }
            for name, source, node in sources
        ],
        "correlations": [],
    }
    members = {
        "canary.json": {"canaries": []},
        "ecs.json": {"fields": [], "logsources": []},
        "rules.json": rules,
        "sources.json": {"sources": []},
        "texts.json": {"el": {}, "en": {}},
    }
    texts = {name: json.dumps(member).encode() for name, member in members.items()}
    hashes = {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
    manifest = {"format": 1, "name": "doctor", "version": "1", "members": hashes, "lists": []}
    texts["manifest.json"] = json.dumps(manifest).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in sorted(texts.items()):
            archive.writestr(zipfile.ZipInfo(name), text)
    return out.getvalue()
