"""A pack that the native core must refuse whole, saying which member and why."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rules.test_pack import rewritten
from tests.sigma.packs import compiled, rule

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "good.vpk"
    detection = {"s": {"f": "x", "g|expand": "%users%"}, "condition": "s"}
    path.write_bytes(compiled([rule(detection)], lists=["users"]).data)
    return path


def changed(pack: Path, member: str, change: Change) -> bytes:
    """The pack with one member changed and its hash entered, as a faulty compiler would write it."""
    with zipfile.ZipFile(pack) as archive:
        content = json.loads(archive.read(member))
        manifest = json.loads(archive.read("manifest.json"))
    change(content)
    if member == "manifest.json":
        return rewritten(pack, pack.with_name("bad.vpk"), {member: json.dumps(content).encode()}).read_bytes()
    data = json.dumps(content).encode()
    manifest["members"][member] = hashlib.sha256(data).hexdigest()
    members = {member: data, "manifest.json": json.dumps(manifest).encode()}
    return rewritten(pack, pack.with_name("bad.vpk"), members).read_bytes()


@pytest.mark.parametrize(
    ("member", "change", "says"),
    [
        ("rules.json", lambda r: r["predicates"][0].update(op="resembles"), "resembles"),
        ("rules.json", lambda r: r["predicates"][0].update(field=99), "99"),
        ("rules.json", lambda r: r["nodes"].append({"p": 99}), "99"),
        ("rules.json", lambda r: r["nodes"].append({"and": [0, 99]}), "99"),
        ("rules.json", lambda r: r["rules"][0].update(condition=99), "99"),
        ("rules.json", lambda r: r.pop("nodes"), "nodes"),
        ("manifest.json", lambda m: m.update(lists={}), "users"),
        ("manifest.json", lambda m: m.update(format=2), "format"),
        ("manifest.json", lambda m: m["members"].pop("rules.json"), "rules.json"),
        ("manifest.json", lambda m: m["members"].update({"rules.json": "0" * 64}), "rules.json"),
    ],
)
def test_refused(pack: Path, member: str, change: Change, says: str) -> None:
    import vigla_native

    with pytest.raises(vigla_native.PackError) as caught:
        vigla_native.pack_info(changed(pack, member, change))
    assert says in str(caught.value)


def test_what_is_no_zip_is_refused_and_the_good_pack_is_not(pack: Path) -> None:
    import vigla_native

    with pytest.raises(vigla_native.PackError):
        vigla_native.pack_info(b"no zip")
    info = json.loads(vigla_native.pack_info(pack.read_bytes()))
    assert info
