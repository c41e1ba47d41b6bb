"""What sensors send: taken once, judged line by line, refused whole when it is too much, never for another
municipality.
"""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.console.build import House, build_house, document, event_id, ndjson
from vigla_console.alerts.interfaces import StoreUnavailable
from vigla_console.alerts.models import PageRequest
from vigla_console.alerts.query import AlertQuery
from vigla_console.ingest.unpack import Damaged, Limits, TooLarge, UnknownEncoding, unpack
from vigla_console.scope import Scope
from vigla_console.sensors.storage import SensorRegistry
from vigla_console.tenants.models import Binding, Role, TenantId

KALAMATA = TenantId("kalamata")


def results(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["result"] for item in answer.json()["items"]]


def stored(house: House) -> int:
    return house.hub.alerts(house.everyone()).search(AlertQuery(), PageRequest(500)).total


def counters(house: House, sensor: str = "kalamata-1") -> dict[str, int]:
    return dict(house.hub.sensors(house.everyone()).sensor(sensor).counters or {})


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("", bytes), ("identity", bytes), ("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)],
)
def test_every_encoding_is_taken(house: House, encoding: str, pack: Any) -> None:
    answer = house.send(pack(ndjson(document(1), document(2))), **({"content-encoding": encoding} if encoding else {}))
    assert results(answer) == ["created", "created"]
    assert [item["id"] for item in answer.json()["items"]] == [event_id(1), event_id(2)]
    assert stored(house) == 2


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
def test_what_a_sender_calls_its_body_does_not_matter(house: House, kind: str) -> None:
    assert results(house.send(ndjson(document(1)), **{"content-type": kind})) == ["created"]


def test_sending_again_changes_nothing(house: House) -> None:
    body = ndjson(document(1), document(2))
    assert results(house.send(body)) == ["created", "created"]
    assert results(house.send(body)) == ["duplicate", "duplicate"]
    assert stored(house) == 2
    assert counters(house) == {"created": 2, "duplicate": 2}


def test_the_same_id_with_other_content_is_counted_and_kept_aside(house: House) -> None:
    house.send(ndjson(document(1)))
    assert results(house.send(ndjson(document(1, rule="other")))) == ["duplicate"]
    assert counters(house) == {"created": 1, "conflict": 1}
    assert SensorRegistry(house.hub.database, house.clock).conflicts(KALAMATA) == 1
    kept = house.hub.alerts(house.everyone()).get(event_id(1))
    assert kept is not None
    assert kept.text("rule.uuid") == "brute", "the first wins"


def test_each_line_is_judged_alone(house: House) -> None:
    bad: list[dict[str, Any]] = [
        document(2, fields={"event.severity": 55}),
        document(3, fields={"@timestamp": "yesterday"}),
        document(4, fields={"rule.author": []}),
        document(5, fields={"vigla.schema": 99}),
        document(6, fields={"source.ip": "not an address"}),
        document(7, fields={"event.id": "G" * 32}),
    ]
    body = ndjson(document(1), *bad) + b"[]\n{\n" + b"[" * 60_000 + b"\n" + ndjson(document(8))
    answer = house.send(body)
    assert results(answer) == ["created", *["rejected"] * 9, "created"]
    reasons = [item["reason"] for item in answer.json()["items"] if "reason" in item]
    assert {(reason["type"], reason["retry"]) for reason in reasons} == {("schema", False)}
    assert "event.severity must be 10, 30, 50, 70, 90" in reasons[0]["detail"]
    assert "rule.author" in reasons[2]["detail"]
    assert counters(house) == {"created": 2, "rejected_schema": 9}


def test_unknown_fields_stay_in_the_body(house: House) -> None:
    house.take(document(1, fields={"vigla.of_next_year": {"x": 1}}))
    kept = house.hub.alerts(house.everyone()).get(event_id(1))
    assert kept is not None
    assert kept.value("vigla.of_next_year") == {"x": 1}


def test_a_line_over_the_limit_is_rejected_alone(house: House) -> None:
    answer = house.send(ndjson(document(1, fields={"vigla.event": {"x": "y" * 262_144}}), document(2)))
    assert results(answer) == ["rejected", "created"]
    assert answer.json()["items"][0]["reason"]["type"] == "too_large"


def test_a_claim_of_another_municipality_is_refused_counted_and_written_down(house: House) -> None:
    answer = house.send(ndjson(document(1, tenant="mytilini"), document(2)))
    assert results(answer) == ["rejected", "created"]
    reason = answer.json()["items"][0]["reason"]
    assert (reason["type"], reason["retry"]) == ("tenant_mismatch", False)
    assert counters(house)["rejected_tenant_mismatch"] == 1
    assert house.hub.alerts(Scope.of_job("test", TenantId("mytilini"))).search(AlertQuery(), PageRequest()).total == 0
    officer = house.user("officer", Binding(Role.OFFICER, KALAMATA))
    entries = house.hub.audit(house.scope(officer)).entries(KALAMATA)
    assert "ingest.tenant_mismatch" in [entry.act for entry in entries]


def test_the_municipality_is_stamped_from_the_credential(house: House) -> None:
    unclaimed = document(1)
    del unclaimed["organization"]
    house.take(unclaimed, document(2))
    for one in (1, 2):
        kept = house.hub.alerts(house.everyone()).get(event_id(one))
        assert kept is not None
        assert kept.value("organization") == {"id": "kalamata", "name": "Δήμος Καλαμάτας"}


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (ndjson(document(1))[:-20], "", 400),
        (gzip.compress(ndjson(document(1)))[:-9], "gzip", 400),
        (gzip.compress(ndjson(document(1))) + b"more", "gzip", 400),
        (b"no gzip at all\n", "gzip", 400),
        (zstandard.ZstdCompressor().compress(ndjson(document(1)))[:-5], "zstd", 400),
        (b"no zstd at all\n", "zstd", 400),
        (ndjson(document(1)), "br", 415),
        (b"{}\n" * 501, "", 413),
        (b"x" * 1_000_001, "", 413),
        (gzip.compress(b"\n" * 9_000_000), "gzip", 413),
        (zstandard.ZstdCompressor().compress(b"\n" * 9_000_000), "zstd", 413),
    ],
)
def test_a_bad_body_is_refused_whole(house: House, body: bytes, encoding: str, status: int) -> None:
    answer = house.send(body, **({"content-encoding": encoding} if encoding else {}))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"]
    assert stored(house) == 0


def test_a_bomb_stops_at_the_limit() -> None:
    """A gigabyte in a megabyte: no more than the limit and one piece is ever unpacked."""
    limits = Limits(unpacked_bytes=1_000_000)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(300)) + packer.flush()
    zstd_bomb = zstandard.ZstdCompressor(level=19).compress(b"\0" * 300_000_000)
    for body, encoding in ((bomb, "gzip"), (zstd_bomb, "zstd")):
        with pytest.raises(TooLarge, match="1000000"):
            unpack(body, encoding, limits)


def test_a_window_of_gigabytes_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = packer.compress(b"x" * 100_000) + packer.flush()
    with pytest.raises(Damaged, match="window"):
        unpack(body, "zstd", Limits())


def test_an_empty_body_is_an_empty_answer() -> None:
    assert unpack(b"", "", Limits()) == []
    assert unpack(b"\n\n", "", Limits()) == []
    with pytest.raises(UnknownEncoding):
        unpack(b"", "deflate", Limits())


def test_without_a_known_credential_nothing_is_read(house: House) -> None:
    client = house.client()
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {house.sensor()}"}):
        answer = client.post("/ingest/v1/alerts", content=ndjson(document(1)), headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert stored(house) == 0


def test_a_session_is_no_credential_and_a_credential_no_session(house: House) -> None:
    assert house.officer().client.post("/ingest/v1/alerts", content=ndjson(document(1))).status_code == 401
    bearer = {"authorization": f"Bearer {house.sensor()}"}
    assert house.client().get("/api/v1/groups", headers=bearer).status_code == 401


def test_a_rotated_credential_ends_at_once_and_quarantine_refuses(house: House) -> None:
    old = house.sensor()
    registry = SensorRegistry(house.hub.database, house.clock)
    house.credentials["kalamata"] = registry.rotate("kalamata-1")
    client = house.client()
    refused = client.post("/ingest/v1/alerts", content=b"", headers={"authorization": f"Bearer {old}"})
    assert refused.status_code == 401
    assert house.send(b"").status_code == 200
    registry.quarantine("kalamata-1", on=True)
    assert house.send(ndjson(document(1))).status_code == 403
    registry.quarantine("kalamata-1", on=False)
    assert house.send(ndjson(document(1))).status_code == 200


def test_credentials_are_not_in_the_database(house: House) -> None:
    credential = house.sensor()
    folder = house.settings.storage.directory
    assert all(credential.encode() not in path.read_bytes() for path in folder.iterdir())


def test_when_the_store_is_down_nothing_is_answered_as_taken(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    body = ndjson(document(1))
    house.sensor()

    def full(*_: object) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr("vigla_console.alerts.sqlite.SqliteAlertStore.put", full)
    answer = house.send(body)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    monkeypatch.undo()
    assert results(house.send(body)) == ["created"]


def test_what_was_answered_is_there_after_a_restart(house: House) -> None:
    house.send(ndjson(document(1)))
    house.hub.close()
    again = build_house(house.settings.storage.directory, house.clock)
    again.credentials = house.credentials
    assert results(again.send(ndjson(document(1)))) == ["duplicate"]
    assert again.settle() == 1, "aggregated once, from where the cursor stood"
    assert again.settle() == 0
    again.hub.close()


def test_a_heartbeat_is_kept_and_bounded(house: House) -> None:
    bearer = {"authorization": f"Bearer {house.sensor()}"}
    client = house.client()
    answer = client.post("/ingest/v1/heartbeat", json={"version": "0.1.0", "pending": 3}, headers=bearer)
    assert answer.json() == {"jobs": [], "overlay": None}
    sensor = house.hub.sensors(house.everyone()).sensor("kalamata-1")
    assert sensor.version == "0.1.0"
    assert sensor.heartbeat == {"version": "0.1.0", "pending": 3}
    assert sensor.state(house.clock.now()) == "live"
    house.clock.advance(minutes=4)
    assert sensor.state(house.clock.now()) == "silent"
    assert client.post("/ingest/v1/heartbeat", content=b"[]", headers=bearer).status_code == 400
    assert client.post("/ingest/v1/heartbeat", content=b"[" * 70_000, headers=bearer).status_code == 413
    assert client.post("/ingest/v1/heartbeat", content=b"{}").status_code == 401


def test_the_conflict_bin_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigla_console.sensors.storage.MOST_CONFLICTS", 3)
    house.send(ndjson(document(1)))
    for n in range(5):
        house.send(ndjson(document(1, rule=f"other{n}")))
    assert SensorRegistry(house.hub.database, house.clock).conflicts(KALAMATA) == 3
    assert counters(house)["conflict"] == 5


def test_the_contract_samples_are_taken(house: House) -> None:
    folder = Path(__file__).parents[2] / "contract" / "alerts"
    samples = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    assert samples
    for sample in samples:
        answer = house.send(ndjson(sample), sample["organization"]["id"])
        assert results(answer) == ["created"], answer.text
