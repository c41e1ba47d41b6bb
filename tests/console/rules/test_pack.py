"""The pack as the console reads it: texts and metadata, and refused whole when a member was touched."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from vigla_console.rules.pack import BadPack, no_pack, parse_pack, read_pack

RULE = "6f1c3d52-8f0a-4f0e-9f43-0d6f6b6f3a10"
TEXT = {
    "title": "Τίτλος",
    "summary": "{src_ip}",
    "what": "w",
    "why": "y",
    "now": ["1"],
    "escalate": "e",
    "innocent": "i",
}
META = {
    "id": RULE,
    "name": "vpn_brute_force",
    "path": "correlations/vpn_brute_force.yml",
    "title": "VPN Brute Force",
    "author": "Vigla",
    "level": "medium",
    "fields": ["src_ip"],
}


def members(**changed: Any) -> dict[str, bytes]:
    documents = {
        "rules.json": {"rules": [], "correlations": [{**META, "timespan_ms": 300000, "group_by": ["src_ip"]}]},
        "texts.json": {"el": {RULE: TEXT}, "en": {RULE: {**TEXT, "title": "Title"}}},
        "ecs.json": {"fields": [{"field": "c-ip", "ecs": "source.ip"}, {"field": "hash", "related": "hash"}]},
        **changed,
    }
    found = {name: json.dumps(one).encode() for name, one in documents.items()}
    found["rules/correlations/vpn_brute_force.yml"] = b"title: VPN Brute Force\n"
    return found


def pack(files: Mapping[str, bytes], **manifest: Any) -> bytes:
    listed = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    head = {"format": 1, "version": "2026.11.0", "members": listed, **manifest}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in {**files, "manifest.json": json.dumps(head).encode()}.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_texts_and_metadata_are_read() -> None:
    book = parse_pack(pack(members()))
    assert book.version == "2026.11.0"
    assert book.ecs == {"c-ip": "source.ip"}
    info, text = book.rule(RULE), book.text(RULE, "el")
    assert info is not None
    assert text is not None
    assert (info.timespan_ms, info.author, info.source) == (300_000, "Vigla", "title: VPN Brute Force\n")
    assert (text.title, text.now) == ("Τίτλος", ("1",))
    assert book.text(RULE, "fr") is None
    assert book.rule("of an older pack") is None
    assert no_pack().rules() == {}


def touched(name: str) -> bytes:
    whole = members()
    listed = {key: hashlib.sha256(content).hexdigest() for key, content in whole.items()}
    return pack({**whole, name: whole[name] + b" "}, members=listed)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no zip", "no readable ZIP"),
        (touched("texts.json"), r"member texts\.json was altered"),
        (touched("rules/correlations/vpn_brute_force.yml"), "was altered"),
        (pack(members(), members={}), "is not in the manifest"),
        (pack(members(), members={"absent.json": "0" * 64}), r"member absent\.json is missing"),
        (pack(members(), format=2), "format 2"),
        (pack({k: v for k, v in members().items() if k != "texts.json"}), r"texts\.json is missing"),
        (pack({k: v for k, v in members().items() if k != "ecs.json"}), r"ecs\.json is missing"),
        (pack(members(**{"ecs.json": {"fields": [{"ecs": "source.ip"}]}})), r"ecs\.json"),
        (pack({**members(), "texts.json": b"{"}), "no JSON"),
        (pack(members(**{"texts.json": {"el": {RULE: {"title": "x"}}}})), f"rule {RULE}"),
        (pack(members(**{"rules.json": {"rules": [{"id": "x"}]}})), "rule x"),
    ],
)
def test_a_bad_pack_is_refused_whole(data: bytes, message: str) -> None:
    with pytest.raises(BadPack, match=message):
        parse_pack(data)


def test_every_cut_is_refused() -> None:
    whole = pack(members())
    for end in range(0, len(whole), 37):
        with pytest.raises(BadPack):
            parse_pack(whole[:end])


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(BadPack, match="vigla-rules compile"):
        read_pack(tmp_path / "none.vpk")
