"""Small packs and hits by hand: by `docs/pack-format.md` and `docs/native-boundary.md`."""

import hashlib
import io
import json
import zipfile
from typing import Any

VPN_RULE = "6f1c3d52-8f0a-4f0e-9f43-0d6f6b6f3a10"
DNS_RULE = "0b0c3d52-8f0a-4f0e-9f43-0d6f6b6f3a11"

RULES: dict[str, Any] = {
    "fields": [],
    "predicates": [],
    "nodes": [],
    "rules": [
        {
            "id": DNS_RULE,
            "title": "DNS Query for a Tor Gateway",
            "description": "A host asks for a name below a gateway into Tor.",
            "author": "Vigla, Somebody Else",
            "license": "DRL-1.1",
            "level": "high",
            "version": 3,
            "ruleset": "vigla",
            "tags": ["attack.command-and-control", "attack.t1090.003", "tlp.clear"],
            "references": ["https://attack.mitre.org/techniques/T1090/003/", "https://rule.example/second"],
            "fields": ["id.orig_h", "query"],
        }
    ],
    "correlations": [
        {
            "id": VPN_RULE,
            "title": "VPN Brute Force",
            "description": "At least ten refused VPN logins from one address within five minutes.",
            "author": "Vigla",
            "license": "DRL-1.1",
            "level": "medium",
            "version": 1,
            "ruleset": "vigla",
            "tags": ["attack.credential-access", "attack.t1110"],
            "references": ["https://attack.mitre.org/techniques/T1110/"],
            "fields": ["src_ip", "username"],
        }
    ],
}
ECS: dict[str, Any] = {
    "fields": [
        {"field": "id.orig_h", "ecs": "source.ip", "type": "ip", "related": "ip"},
        {"field": "id.orig_p", "ecs": "source.port", "type": "long"},
        {"field": "src_ip", "ecs": "source.ip", "type": "ip", "related": "ip"},
        {"field": "id.resp_h", "ecs": "destination.ip", "type": "ip", "related": "ip"},
        {
            "field": "query",
            "ecs": "dns.question.name",
            "type": "keyword",
            "related": "hosts",
            "when": {"service": "dns"},
        },
        {"field": "username", "ecs": "user.name", "type": "keyword", "related": "user"},
    ],
    "logsources": [
        {
            "when": {"product": "zeek", "service": "dns"},
            "category": ["network"],
            "type": ["protocol"],
            "protocol": "dns",
        },
        {"when": {"category": "vpn"}, "category": ["authentication"], "type": ["info"], "dataset": "vpn"},
    ],
}


def pack_bytes(rules: dict[str, Any] | None = None, ecs: dict[str, Any] | None = None, **manifest: Any) -> bytes:
    """A `.vpk` with the given members; `manifest` overrides its keys."""
    members = {"rules.json": json.dumps(rules or RULES).encode(), "ecs.json": json.dumps(ecs or ECS).encode()}
    head = {
        "format": 1,
        "name": "vigla",
        "version": "2026.11.0",
        "created": "2026-11-01T00:00:00Z",
        "members": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
        **manifest,
    }
    return zip_bytes({"manifest.json": json.dumps(head).encode(), **members})


def zip_bytes(members: dict[str, bytes]) -> bytes:
    """A ZIP of the members with fixed times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def dns_hit(event_id: str = "aa" * 16, ts: int = 1_795_392_847_123_456_789, **event: Any) -> bytes:
    """A match of the DNS rule, as the core hands it over."""
    fields = {
        "_path": "dns",
        "ts": ts / 1e9,
        "uid": "CHhAvVGS1DHFjwGM9",
        "id.orig_h": "10.0.0.5",
        "id.orig_p": 50123,
        "id.resp_h": "192.0.2.53",
        "id.resp_p": 53,
        "query": "abc.onion.to",
        **event,
    }
    document = {
        "kind": "match",
        "event_id": event_id,
        "rule": DNS_RULE,
        "ts": ts,
        "input": "demo.pcap",
        "logsource": {"product": "zeek", "category": None, "service": "dns"},
        "event": fields,
        "matched": [
            {
                "selection": "selection",
                "field": "query",
                "op": "endswith",
                "value": ".onion.to",
                "actual": fields["query"],
            }
        ],
    }
    return json.dumps(document).encode()


def vpn_hit(event_id: str = "bb" * 16, ts: int = 1_795_392_847_000_000_000) -> bytes:
    """A correlation of the VPN rule."""
    document = {
        "kind": "correlation",
        "event_id": event_id,
        "rule": VPN_RULE,
        "ts": ts,
        "input": "fortigate.log",
        "logsource": {"product": "fortigate", "category": "vpn", "service": "event"},
        "event": {"src_ip": "203.0.113.9", "username": "protokollo2", "activity": "login", "outcome": "failure"},
        "matched": [
            {"selection": "selection", "field": "outcome", "op": "eq", "value": "failure", "actual": "failure"}
        ],
        "correlation": {
            "type": "event_count",
            "group": {"src_ip": "203.0.113.9"},
            "start": ts - 246_000_000_000,
            "end": ts,
            "timespan_ms": 300000,
            "count": 10,
            "value": 10,
            "repeats": 0,
            "rules": ["5e1c3d52-8f0a-4f0e-9f43-0d6f6b6f3a12"],
            "samples": ["1b2c3d4e5f60718293a4b5c6d7e8f901"],
        },
    }
    return json.dumps(document).encode()
