"""Detections, events and what a query must find: shared by every language that can be run."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sigma.reference import Event, Reference
from vigla_sensor.alert.ecs import EcsTable

PACK = Path(__file__).resolve().parents[2] / "rules" / "pack"
DNS = {"product": "zeek", "service": "dns"}
HTTP = {"product": "zeek", "service": "http"}
CONN = {"product": "zeek", "service": "conn"}


@dataclass(frozen=True, slots=True)
class Case:
    """A detection and the events it is asked about; of one log source."""

    logsource: dict[str, str]
    detection: dict[str, Any]
    events: list[dict[str, Any]]


def names(*queries: str) -> list[dict[str, Any]]:
    return [{"query": query} for query in queries]


CASES = {
    "equality folds case": Case(
        DNS, {"s": {"query": "Api.Example"}, "condition": "s"}, names("api.example", "API.EXAMPLE", "xapi.example")
    ),
    "endswith": Case(
        DNS, {"s": {"query|endswith": ".onion.to"}, "condition": "s"}, names("a.Onion.To", ".onion.to", "a.onion.tox")
    ),
    "startswith, contains, a list": Case(
        DNS,
        {"s": [{"query|startswith": "x-"}, {"query|contains": ["mid", "core"]}], "condition": "s"},
        names("X-1", "ax-1", "amidst", "CORE", "cor"),
    ),
    "all of several": Case(
        DNS, {"s": {"query|contains|all": ["one", "two"]}, "condition": "s"}, names("two-one", "one", "TWO.ONE")
    ),
    "wildcards inside": Case(
        DNS, {"s": {"query": "a?c*z"}, "condition": "s"}, names("abcz", "abc-yz", "acz", "ABC.Z", "abbc.z")
    ),
    "characters of the query languages": Case(
        DNS,
        {
            "s": {"query": ['a"b', "c\\\\d", "e/f", "g:(h)", "i\\*j", "k&l<m>~n", "o p", "{q}", "it's"]},
            "condition": "s",
        },
        names('a"b', "c\\d", "c\\\\d", "e/f", "g:(h)", "i*j", "ixj", "k&l<m>~n", "o p", "op", "{q}", "it's", 'A"B'),
    ),
    "digits and signs alone": Case(
        DNS, {"s": {"query|contains": "1.2"}, "condition": "s"}, names("a1.2", "1x2", "1.2")
    ),
    "Greek, final sigma, accents": Case(
        DNS,
        {"s": {"query|contains": "οδος"}, "condition": "s"},
        names("ΟΔΟΣ", "οδοσ", "ΟΔΟΣΤΡΩΜΑ", "οδός", "ΟΔΌΣ", "odos"),
    ),
    "cased": Case(DNS, {"s": {"query|contains|cased": "Ab"}, "condition": "s"}, names("xAbx", "xabx", "AB")),
    "cased, whole": Case(DNS, {"s": {"query|cased": "Ab"}, "condition": "s"}, names("Ab", "ab")),
    "a negation holds where the field is absent": Case(
        DNS,
        {"s": {"query|endswith": ".example"}, "f": {"qtype_name": "TXT"}, "condition": "s and not f"},
        [
            {"query": "a.example", "qtype_name": "A"},
            {"query": "a.example", "qtype_name": "txt"},
            {"query": "a.example"},
            {"qtype_name": "A"},
        ],
    ),
    "only a negation": Case(
        DNS, {"f": {"query|contains": "good"}, "condition": "not f"}, [*names("good", "bad"), {"qtype_name": "A"}]
    ),
    "a negation of both": Case(
        DNS,
        {"f": {"query": "a", "qtype_name": "A"}, "g": {"query": "b"}, "condition": "not (f or g)"},
        [{"query": "a", "qtype_name": "A"}, {"query": "a"}, {"query": "b"}, {"qtype_name": "A"}, {"query": "c"}],
    ),
    "negation of a negation": Case(
        DNS,
        {"f": {"query": "a"}, "g": {"qtype_name": "A"}, "condition": "not (f and not g)"},
        [{"query": "a", "qtype_name": "A"}, {"query": "a"}, {"qtype_name": "A"}, {"query": "b"}],
    ),
    "neq": Case(DNS, {"s": {"query|neq": "a"}, "condition": "s"}, [*names("a", "b"), {"qtype_name": "A"}]),
    "absent and present": Case(
        DNS,
        {"s": {"query": None}, "t": {"qtype_name|exists": True}, "condition": "s and t"},
        [{"query": "a", "qtype_name": "A"}, {"qtype_name": "A"}, {"rcode_name": "NOERROR"}],
    ),
    "not absent": Case(DNS, {"s": {"query": None}, "condition": "not s"}, [*names("a"), {"qtype_name": "A"}]),
    "numbers": Case(
        HTTP,
        {"s": {"status_code": [200, 302]}, "b": {"request_body_len|gte": 1000}, "condition": "s and b"},
        [
            {"status_code": 200, "request_body_len": 1000},
            {"status_code": 302, "request_body_len": 999},
            {"status_code": 404, "request_body_len": 5000},
            {"status_code": 200},
        ],
    ),
    "a number below not": Case(
        HTTP,
        {"s": {"method": "GET"}, "f": {"status_code": 404}, "condition": "s and not f"},
        [{"method": "get", "status_code": 200}, {"method": "GET"}, {"method": "GET", "status_code": 404}],
    ),
    "addresses and networks": Case(
        CONN,
        {
            "s": {"id.orig_h|cidr": ["10.0.0.0/8", "2001:db8::/32"]},
            "f": {"id.resp_h": "192.0.2.1"},
            "condition": "s and not f",
        },
        [
            {"id.orig_h": "10.1.2.3", "id.resp_h": "192.0.2.2"},
            {"id.orig_h": "10.1.2.3", "id.resp_h": "192.0.2.1"},
            {"id.orig_h": "2001:db8::5"},
            {"id.orig_h": "11.1.2.3", "id.resp_h": "192.0.2.2"},
            {"id.resp_h": "192.0.2.2"},
        ],
    ),
    "booleans": Case(
        {"product": "zeek", "service": "ssl"},
        {"s": {"established": True}, "f": {"resumed": True}, "condition": "s and not f"},
        [{"established": True}, {"established": True, "resumed": True}, {"established": False}, {"version": "TLSv12"}],
    ),
    "a pattern is a search and keeps case": Case(
        DNS,
        {"s": {"query|re": "^[a-f0-9]{8,}\\.x(y|z)+$"}, "condition": "s"},
        names("abcdef01.xy", "abcdef01.xzz", "abcdef0.xy", "ABCDEF01.xy", "w.abcdef01.xy"),
    ),
    "an open pattern": Case(
        DNS, {"s": {"query|re": 'a\\d+"?[^b-d]'}, "condition": "s"}, names("xa12ey", "xa12b", "a1", 'za1"e', "aa")
    ),
    "a pattern without regard to case": Case(
        DNS, {"s": {"query|re|i": "ab[c-e]Σ|zz$"}, "condition": "s"}, names("xABDς", "abcσx", "abf", "xZZ", "zzx")
    ),
}


def alert(table: EcsTable, logsource: Mapping[str, str], event: Mapping[str, Any]) -> dict[str, Any]:
    source = {"product": None, "category": None, "service": None, **logsource}
    row = table.describe(source)
    written = {"module": source["product"], "dataset": row.dataset, "kind": "alert"}
    return {"@timestamp": "2026-11-23T00:14:07Z", "event": written, **table.apply(event, source).nested}


def matching(pack: bytes, case: Case) -> list[int]:
    """Places of the events that the reference evaluator matches."""

    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        rules = json.loads(archive.read("rules.json"))
    reference = Reference(rules, {}, [])
    source = {"product": None, "category": None, "service": None, **case.logsource}
    events = [Event(event, source, 0) for event in case.events]
    return [at for at, event in enumerate(events) if reference.matches_rule(rules["rules"][0], event)]
