"""The alert document: composed ones validate, say what the golden ones say, and stay within their bounds."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.sensor.support.packs import DNS_RULE, RULES, dns_hit, pack_bytes, vpn_hit
from vigla_sensor.alert import Alert, ClockState, Composer, Identity, Pack
from vigla_sensor.alert.alert import with_sequence
from vigla_sensor.alert.bounds import MAX_BODY
from vigla_sensor.alert.hit import BadHit
from vigla_sensor.alert.seal import seal

CONTRACT = Path(__file__).parents[2] / "contract"
NOW = datetime(2026, 11, 23, 0, 14, 8, 120_000, tzinfo=UTC)
IDENTITY = Identity.of("kalamata-1", "", ("kalamata", "Δήμος Καλαμάτας"), "0.1.0", ("10.0.0.0/8",))


def composer(pack: bytes | None = None, clock: bool = True) -> Composer:
    state = (lambda: ClockState(True, 0.0)) if clock else None
    return Composer(Pack.read(pack or pack_bytes()), IDENTITY, lambda: NOW, state)


def document(alert: Alert) -> dict[str, Any]:
    return json.loads(with_sequence(alert.body, (1_793_491_200 << 20) + 42))


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    text = (CONTRACT / "alert.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text), format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("path", sorted((CONTRACT / "alerts").glob("*.json")), ids=lambda path: path.stem)
def test_golden_documents_validate(schema: jsonschema.Draft202012Validator, path: Path) -> None:
    schema.validate(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("golden", "hit"),
    [
        ("dns_match", dns_hit()),
        ("vpn_brute_force_composed", vpn_hit()),
    ],
)
def test_composes_the_golden_documents(golden: str, hit: bytes) -> None:
    expected = json.loads((CONTRACT / "alerts" / f"{golden}.json").read_text(encoding="utf-8"))
    found = document(composer().compose(hit))
    # A pack's hash says which bytes it was; here it changes with the Python that compressed them.
    found["vigla"]["pack"]["sha256"] = expected["vigla"]["pack"]["sha256"]
    assert found == expected


def test_an_average_keeps_its_decimals_and_says_how_it_was_reckoned(schema: jsonschema.Draft202012Validator) -> None:
    hit = json.loads(vpn_hit())
    hit["correlation"] |= {"type": "value_avg", "value": 2.6666666666666665, "estimate": "sketch", "count": 72_020}
    found = document(composer().compose(json.dumps(hit).encode()))
    schema.validate(found)
    told = found["vigla"]["correlation"]
    assert (told["value"], told["estimate"], told["count"]) == (2.6666666666666665, "sketch", 72_020)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("event", "kind"), "event"),
        (("event", "sequence"), 2**60),
        (("event", "id"), "not hexadecimal"),
        (("rule", "author"), []),
        (("rule", "surprise"), "x"),
        (("organization", "id"), "agios-nikolaos"),
        (("source", "ip"), "not an address"),
        (("@timestamp",), "2026-11-23"),
        (("vigla", "level"), "urgent"),
    ],
)
def test_schema_refuses(schema: jsonschema.Draft202012Validator, path: tuple[str, ...], value: object) -> None:
    found = document(composer().compose(dns_hit()))
    target = found
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    assert not schema.is_valid(found)


def test_entity_is_the_first_rule_field_that_is_present() -> None:
    with_field = document(composer().compose(dns_hit()))["vigla"]["entity"]
    without = document(composer().compose(dns_hit(**{"id.orig_h": None})))["vigla"]["entity"]
    assert with_field == {"field": "id.orig_h", "kind": "ip", "value": "10.0.0.5"}
    assert without == {"field": "query", "kind": "host", "value": "abc.onion.to"}


def test_entity_falls_back_to_the_inside_then_the_outside_then_the_sensor() -> None:
    rules = json.loads(json.dumps(RULES))
    rules["rules"][0]["fields"] = ["absent"]
    compose = composer(pack_bytes(rules)).compose
    inside = document(compose(dns_hit(**{"id.orig_h": "198.51.100.7", "id.resp_h": "10.1.1.1"})))
    outside = document(compose(dns_hit(**{"id.orig_h": "198.51.100.7"})))
    nobody = document(compose(dns_hit(**{"id.orig_h": None, "id.resp_h": None})))
    assert inside["vigla"]["entity"]["value"] == "10.1.1.1"
    assert outside["vigla"]["entity"] == {"field": "source.ip", "kind": "ip", "value": "198.51.100.7"}
    assert nobody["vigla"]["entity"] == {"field": "observer.name", "kind": "sensor", "value": "kalamata-1"}


@pytest.mark.parametrize(
    ("source", "destination", "way"),
    [
        ("10.0.0.5", "10.0.0.6", "internal"),
        ("10.0.0.5", "192.0.2.1", "outbound"),
        ("192.0.2.1", "10.0.0.5", "inbound"),
        ("192.0.2.1", "198.51.100.1", "external"),
    ],
)
def test_direction(source: str, destination: str, way: str) -> None:
    found = document(composer().compose(dns_hit(**{"id.orig_h": source, "id.resp_h": destination})))
    assert found["network"]["direction"] == way


def test_a_name_where_an_address_is_due_writes_no_address(schema: jsonschema.Draft202012Validator) -> None:
    found = document(composer().compose(dns_hit(**{"id.orig_h": "gateway", "id.orig_p": 1.5})))
    schema.validate(found)
    assert "source" not in found
    assert found["vigla"]["entity"] == {"field": "id.orig_h", "kind": "value", "value": "gateway"}


def test_evidence_is_cut_and_identity_kept(schema: jsonschema.Draft202012Validator) -> None:
    nested: Any = "deep"
    for _ in range(40):
        nested = {"n": nested}
    huge = {f"field{index}": "x" * 9000 for index in range(200)}
    alert = composer().compose(dns_hit(nested=nested, answers=["y" * 5000] * 500, **huge))
    found = document(alert)
    schema.validate(found)
    assert len(alert.body) <= MAX_BODY
    assert found["vigla"]["cut"] is True
    assert found["rule"]["uuid"] == DNS_RULE
    assert found["vigla"]["entity"]["value"] == "10.0.0.5"


def test_replay_says_nothing_about_the_clock() -> None:
    assert "clock" not in document(composer(clock=False).compose(dns_hit()))["vigla"]


def test_index_follows_the_event_and_the_floor_of_acceptance() -> None:
    late = Composer(Pack.read(pack_bytes()), IDENTITY, lambda: datetime(1970, 1, 1, tzinfo=UTC))
    assert late.compose(dns_hit()).index_name == "vigla-alerts-kalamata-odd"
    known = Composer(
        Pack.read(pack_bytes()), IDENTITY, lambda: datetime(1970, 1, 1, tzinfo=UTC), accepted_floor=lambda: NOW
    )
    assert known.compose(dns_hit()).index_name == "vigla-alerts-kalamata-2026"


@pytest.mark.parametrize("hit", [b"{", b"{}", b"[]", dns_hit().replace(DNS_RULE.encode(), b"another")])
def test_a_hit_that_is_not_of_this_pack_is_a_fault(hit: bytes) -> None:
    with pytest.raises(BadHit):
        composer().compose(hit)


def test_a_sealed_record_counts_what_it_folds(schema: jsonschema.Draft202012Validator) -> None:
    compose = composer().compose
    first = compose(dns_hit("01" * 16, ts=1_795_392_000_000_000_000))
    second = compose(dns_hit("02" * 16, ts=1_795_392_060_000_000_000))
    third = compose(dns_hit("03" * 16, ts=1_795_391_000_000_000_000))
    record = seal([seal([first, second], NOW), third], NOW)
    found = document(record)
    schema.validate(found)
    assert found["event"]["action"] == "folded"
    assert found["vigla"]["folded"]["count"] == 3
    assert found["vigla"]["folded"]["first"] < found["vigla"]["folded"]["last"]
    assert record.fold_key == first.fold_key
    assert record.event_id not in {first.event_id, second.event_id, third.event_id}
