"""The pack's file: the same bytes for the same input, and refused when a byte of it was altered."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.sigma.packs import compiled, rule
from vigla_rules.vpk import PackError, read_pack

WINDOWS = rule({"s": {"Image|endswith": "\\cmd.exe"}, "f": {"User": "x"}, "condition": "s and not f"})
WINDOWS["logsource"] = {"product": "windows", "category": "process_creation"}


def rewritten(source: Path, target: Path, change: dict[str, bytes | None]) -> Path:
    """A copy of a pack with members replaced, added or (``None``) left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in sorted({*old.namelist(), *change}):
            data = change[name] if name in change else old.read(name)
            if data is not None:
                new.writestr(name, data)
    return target


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "good.vpk"
    path.write_bytes(compiled([WINDOWS]).data)
    return path


def test_a_pack_reads_back(pack: Path) -> None:
    found = read_pack(pack)
    assert found.manifest["counts"] == {"rules": 1, "correlations": 0, "filters": 0, "files": 1, "refused": 0}
    assert sorted(found.members) == [
        "canary.json", "ecs.json", "rules.json", "rules/rule_1.yml", "sources.json", "texts.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rules.json": b'{"rules": []}'}, "member rules.json was altered"),
        ({"rules/rule_1.yml": b"title: another"}, "member rules/rule_1.yml was altered"),
        ({"texts.json": None}, "member texts.json is missing"),
        ({"extra.json": b"{}"}, "member extra.json is not in manifest.json"),
        ({"manifest.json": None}, "member manifest.json is missing"),
        ({"manifest.json": b"{"}, "member manifest.json is no JSON"),
        ({"manifest.json": b"[]"}, "member manifest.json is no JSON object"),
        ({"manifest.json": b'{"format": 2}'}, "format 2, this version reads 1"),
        ({"manifest.json": b'{"format": 1}'}, "lists no members"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_altered_pack_is_refused_whole(pack: Path, tmp_path: Path, change: dict, reason: str) -> None:  # type: ignore[type-arg]
    bad = rewritten(pack, tmp_path / "bad.vpk", change)
    with pytest.raises(PackError, match=r"bad\.vpk") as caught:
        read_pack(bad)
    assert reason in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no zip at all" * 100])
def test_what_is_no_zip_is_no_pack(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.vpk"
    path.write_bytes(data)
    with pytest.raises(PackError, match="no pack"):
        read_pack(path)


def test_a_pack_cut_anywhere_is_refused(pack: Path, tmp_path: Path) -> None:
    data = pack.read_bytes()
    cut = tmp_path / "cut.vpk"
    for end in range(0, len(data), 97):
        cut.write_bytes(data[:end])
        with pytest.raises(PackError):
            read_pack(cut)


PROGRAM = """
import sys
from tests.rules.test_pack import WINDOWS
from tests.sigma.packs import compiled, rule
more = [rule({"s": {"f": [f"v{n}", f"w{n}"]}, "condition": "s"}, n) for n in range(2, 40)]
sys.stdout.buffer.write(compiled([WINDOWS, *more], pipelines=("sysmon", "windows-logsource")).data)
"""


def test_the_same_input_gives_the_same_bytes() -> None:
    made = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1]


def test_pipeline_conditions_become_gates_and_their_names_never_leak() -> None:
    built = compiled([WINDOWS], pipelines=("sysmon", "windows-logsource"))
    assert not built.refused
    members = zipfile.ZipFile(_file(built.data))
    whole = b"".join(members.read(name) for name in members.namelist())
    assert b"_cond_" not in whole
    assert b"_filt_" not in whole
    rules = json.loads(members.read("rules.json"))
    assert rules["rules"][0]["logsource"] == {"product": "windows", "category": None, "service": None}
    assert list(rules["rules"][0]["selections"]) == ["s", "f"]
    gated = {
        rules["fields"][test["field"]]: test["value"]
        for gate in rules["rules"][0]["gates"]
        for test in [rules["predicates"][rules["nodes"][gate]["p"]]]
    }
    assert gated == {"EventID": "1", "Channel": "Microsoft-Windows-Sysmon/Operational"}


def test_predicates_and_nodes_are_shared_and_children_come_first() -> None:
    same = [rule({"s": {"f|contains": "x", "g": n}, "condition": "s"}, n) for n in range(1, 4)]
    rules = json.loads(zipfile.ZipFile(_file(compiled(same).data)).read("rules.json"))
    assert len([test for test in rules["predicates"] if test["op"] == "contains"]) == 1
    assert len({json.dumps(node, sort_keys=True) for node in rules["nodes"]}) == len(rules["nodes"])
    for at, node in enumerate(rules["nodes"]):
        for kind, content in node.items():
            if kind != "p":
                assert all(child < at for child in (content if isinstance(content, list) else [content]))
    assert rules["fields"] == sorted(rules["fields"])


def _file(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)
