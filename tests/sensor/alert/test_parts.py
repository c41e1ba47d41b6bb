"""The alert's parts: pack, buckets, tags, words."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.sensor.support.packs import RULES, pack_bytes, zip_bytes
from vigla_sensor.alert import Pack, PackFault, index_name
from vigla_sensor.alert.attack import threat
from vigla_sensor.alert.folding import fold, texts

CONTRACT = Path(__file__).parents[2] / "contract"


def cases(name: str) -> list[dict[str, str]]:
    return json.loads((CONTRACT / name).read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", cases("bucket.json"), ids=lambda case: case["timestamp"])
def test_bucket(case: dict[str, str]) -> None:
    moments = (datetime.fromisoformat(case[name]) for name in ("timestamp", "accepted"))
    assert index_name(case["tenant"], *moments) == case["index"]


@pytest.mark.parametrize("case", cases("fold.json"), ids=lambda case: case["text"][:20])
def test_fold(case: dict[str, str]) -> None:
    assert fold(case["text"]) == case["folded"]


def test_texts_finds_values_and_no_names() -> None:
    assert list(texts({"a": ["x", {"b": 3}], "c": True, "d": None})) == ["x", "3"]


def test_pack_metadata() -> None:
    pack = Pack.read(pack_bytes())
    assert {rule.title: rule.severity for rule in pack.rules.values()} == {
        "DNS Query for a Tor Gateway": 70,
        "VPN Brute Force": 50,
    }
    assert [rule.authors for rule in pack.rules.values()] == [("Vigla", "Somebody Else"), ("Vigla",)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"not a zip", "not a readable pack"),
        (zip_bytes({"other": b""}), "manifest.json: member is missing"),
        (zip_bytes({"manifest.json": b"[]"}), "manifest.json: must be an object"),
        (pack_bytes(format=2), "format 2 is not 1"),
        (pack_bytes(members={}), "rules.json: SHA-256"),
        (pack_bytes(members=None), "`members` is missing"),
        (pack_bytes({**RULES, "rules": [{"id": "x"}]}), "no id or title"),
        (pack_bytes({**RULES, "rules": [{"id": "x", "title": "t", "level": "urgent"}]}), "unknown level 'urgent'"),
        (pack_bytes()[:-40], "not a readable pack"),
    ],
)
def test_a_bad_pack_is_refused_whole(data: bytes, says: str) -> None:
    with pytest.raises(PackFault, match=says):
        Pack.read(data)


def test_an_author_that_is_missing_is_said() -> None:
    rules = {**RULES, "rules": [{**RULES["rules"][0], "author": None}]}
    assert next(iter(Pack.read(pack_bytes(rules)).rules.values())).authors == ("not stated",)


def test_threat_from_tags() -> None:
    assert threat(("attack.credential-access", "attack.t1110.003", "attack.t1110", "car.2013-07-002")) == {
        "tactic": {"id": ["TA0006"], "name": ["Credential Access"]},
        "technique": {"id": ["T1110"], "subtechnique": {"id": ["T1110.003"]}},
    }
    assert threat(("attack.command_and_control",))["tactic"]["id"] == ["TA0011"]
    assert threat(("attack.g0016", "tlp.clear", "attack.")) == {}
