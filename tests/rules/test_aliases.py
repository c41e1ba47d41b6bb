"""``rules/pack/aliases.yml``: every row and every field of it, by a rule of the log source it serves."""

from pathlib import Path

import pytest

from tests.sigma.engines import rules_json
from tests.sigma.packs import compiled, rule
from tests.sigma.reference import Event, Reference
from vigla_rules.layout import read_tree

PACK = Path(__file__).parents[2] / "rules/pack"
ROWS = read_tree(PACK).aliases
LOCAL = ["10.0.0.0/8"]
TALK = {"ts": 1.5, "uid": "C1", "id.orig_p": 40000, "id.resp_p": 80}
EVENTS = {
    "http": {
        **TALK,
        "id.orig_h": "10.0.0.5",
        "id.resp_h": "203.0.113.7",
        "method": "POST",
        "host": "www.example",
        "version": "1.1",
        "uri": "/a/b.php?x=1&y=2",
        "username": "user7",
        "user_agent": "agent",
        "referrer": "http://ref.example/",
        "status_code": 404,
        "request_body_len": 11,
        "response_body_len": 22,
    },
    "dns": {
        **TALK,
        "id.orig_h": "10.0.0.5",
        "id.resp_h": "10.0.0.1",
        "proto": "udp",
        "trans_id": 77,
        "query": "q.example",
        "qtype_name": "TXT",
        "qclass_name": "C_INTERNET",
        "rcode_name": "NXDOMAIN",
        "answers": ["192.0.2.1", "192.0.2.2"],
    },
    "conn": {
        **TALK,
        "id.orig_h": "10.0.0.5",
        "id.resp_h": "203.0.113.7",
        "proto": "tcp",
        "service": "http",
        "duration": 2.5,
        "orig_bytes": 10,
        "resp_bytes": 20,
        "orig_pkts": 3,
        "resp_pkts": 4,
        "community_id": "1:abc=",
    },
}
WEB = {
    "c-ip": "10.0.0.5",
    "cs-method": "POST",
    "cs-username": "user7",
    "cs-user-agent": "agent",
    "c-useragent": "agent",
    "cs-referer": "http://ref.example/",
    "cs-bytes": 11,
    "sc-status": 404,
    "sc-bytes": 22,
    "cs-host": "www.example",
    "cs-uri-stem": "/a/b.php",
    "cs-uri-query": "x=1&y=2",
    "src_ip": "10.0.0.5",
    "dst_port": 80,
}
FULL = "http://www.example/a/b.php?x=1&y=2"
EXPECTED = {
    "webserver": {
        **WEB,
        "s-ip": "10.0.0.80",
        "s-port": 80,
        "cs-uri": "/a/b.php?x=1&y=2",
        "cs-version": "1.1",
        "dst_ip": "10.0.0.80",
    },
    "proxy": {
        **WEB,
        "c-uri": FULL,
        "cs-uri": FULL,
        "c-uri-query": "x=1&y=2",
        "c-uri-stem": "/a/b.php",
        "r-dns": "www.example",
        "cs-referrer": "http://ref.example/",
        "r-ip": "203.0.113.7",
        "r-port": 80,
        "dst_ip": "203.0.113.7",
    },
    "dns": {
        "query": "q.example",
        "record_type": "TXT",
        "answer": "192.0.2.2",
        "response_code": "NXDOMAIN",
        "src_ip": "10.0.0.5",
        "src_port": 40000,
        "dst_ip": "10.0.0.1",
        "dst_port": 80,
    },
    "network/dns": {
        "dns.question.name": "q.example",
        "dns.question.type": "TXT",
        "dns.question.class": "C_INTERNET",
        "dns.id": 77,
        "dns.response_code": "NXDOMAIN",
        "dns.answers.data": "192.0.2.1",
        "network.transport": "udp",
        "source.ip": "10.0.0.5",
        "source.port": 40000,
        "destination.ip": "10.0.0.1",
        "destination.port": 80,
    },
    "firewall": {
        "src_ip": "10.0.0.5",
        "src_port": 40000,
        "dst_ip": "203.0.113.7",
        "dst_port": 80,
        "protocol": "tcp",
        "application": "http",
    },
    "network/connection": {
        "source.ip": "10.0.0.5",
        "source.port": 40000,
        "source.bytes": 10,
        "source.packets": 3,
        "destination.ip": "203.0.113.7",
        "destination.port": 80,
        "destination.bytes": 20,
        "destination.packets": 4,
        "network.transport": "tcp",
        "network.protocol": "http",
        "network.community_id": "1:abc=",
        "event.duration": 2.5,
    },
}


def key(row: dict) -> str:  # type: ignore[type-arg]
    return "/".join(value for value in (row["serves"].get("category"), row["serves"].get("service")) if value)


def event(row: dict, **changes: object) -> Event:  # type: ignore[type-arg]
    """An event of the row's source that meets its guard."""
    fields = {**EVENTS[row["event"]["service"]], **changes}
    if row["guard"] == "responder_local" and "id.resp_h" not in changes:
        fields["id.resp_h"] = "10.0.0.80"
    return Event(fields, {"category": None, **row["event"]})


def matches(row: dict, field: str, value: object, seen: Event) -> bool:  # type: ignore[type-arg]
    built = compiled([rule({"s": {field: value}, "condition": "s"}, logsource=row["serves"])], aliases=ROWS)
    assert not built.refused
    return bool(Reference(rules_json(built.data), {}, LOCAL).matches(seen))


CASES = [(row, field) for row in ROWS for field in row["fields"]]  # type: ignore[index]


@pytest.mark.parametrize(("row", "field"), CASES, ids=lambda value: value if isinstance(value, str) else key(value))
def test_a_rule_reads_the_field_under_its_own_name(row: dict, field: str) -> None:  # type: ignore[type-arg]
    assert matches(row, field, EXPECTED[key(row)][field], event(row))
    assert not matches(row, field, "something else", event(row))


def test_every_row_is_covered_and_no_expectation_is_left_over() -> None:
    assert {key(row): set(row["fields"]) for row in ROWS} == {name: set(fields) for name, fields in EXPECTED.items()}  # type: ignore[index]


@pytest.mark.parametrize("row", ROWS, ids=key)  # type: ignore[arg-type]
def test_guards(row: dict) -> None:  # type: ignore[type-arg]
    inward = event(row, **{"id.orig_h": "203.0.113.9", "id.resp_h": "10.0.0.80"})
    outward = event(row, **{"id.orig_h": "10.0.0.5", "id.resp_h": "203.0.113.7"})
    inside = event(row, **{"id.orig_h": "10.0.0.5", "id.resp_h": "10.0.0.80"})
    seen = [matches(row, "ts", 1.5, one) for one in (inward, outward, inside)]
    assert (
        seen
        == {
            "responder_local": [True, False, True],
            "originator_local_responder_remote": [False, True, False],
            None: [True, True, True],
        }[row["guard"]]
    )


def test_a_host_without_a_name_is_its_address() -> None:
    proxy = next(row for row in ROWS if key(row) == "proxy")  # type: ignore[arg-type]
    fields = {name: value for name, value in EVENTS["http"].items() if name != "host"}
    bare = Event(fields, {"product": "zeek", "service": "http"})
    assert matches(proxy, "cs-host", "203.0.113.7", bare)  # type: ignore[arg-type]
    assert matches(proxy, "c-uri", "http://203.0.113.7/a/b.php?x=1&y=2", bare)  # type: ignore[arg-type]
    assert matches(proxy, "cs-uri-query", None, Event({**fields, "uri": "/a"}, bare.logsource))  # type: ignore[arg-type]
