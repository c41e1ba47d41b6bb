"""``diff``: what a reviewer of a release reads."""

import json
from pathlib import Path

import pytest

from tests.rules.conftest import PACK_TOML, RULE, TEXT, write
from vigla_rules.cli import main


def built(root: Path, target: Path) -> Path:
    assert main(["compile", str(root), "-o", str(target)]) == 0
    return target


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("detections/c2/tor_gateway.yml", RULE.replace(".onion.example", ".onion.invalid"), "changed rule tor_gateway"),
        (
            "detections/c2/tor_gateway.yml",
            RULE.replace(".onion.example", ".onion.invalid"),
            'condition (-query endswith ".onion.example", +query endswith ".onion.invalid")',
        ),
        (
            "detections/c2/tor_gateway.yml",
            RULE.replace("condition: selection", "condition: not selection"),
            'condition (-query endswith ".onion.example", +not query endswith ".onion.example")',
        ),
        ("detections/c2/tor_gateway.yml", RULE.replace("A host asked", "A box asked"), "description"),
        ("detections/c2/tor_gateway.yml", RULE.replace("date: 2026-11-24", "date: 2026-11-25"), "date"),
        ("detections/c2/tor_gateway.yml", RULE.replace("level: high", "level: low"), 'level "high" → "low"'),
        ("detections/c2/tor_gateway.yml", RULE.replace("service: dns", "service: ssl"), "logsource"),
        (
            "detections/c2/more.yml",
            RULE.replace("0001\n", "0002\n").replace("tor_g", "other_g"),
            "added rule other_gateway",
        ),
        ("detections/c2/tor_gateway.yml", None, "removed rule tor_gateway"),
        (
            "texts/en/c2/tor_gateway.yml",
            TEXT.format(title="New", word="something"),
            "changed text (en) tor_gateway: title",
        ),
        ("texts/el/c2/tor_gateway.yml", None, "removed text (el) tor_gateway"),
        ("sources/fw.yml", "id: fw\nevents: []\n", "added source fw"),
        ("pack.toml", PACK_TOML + '[lists.users]\ntype = "user"\nel = "x"\nen = "x"\n', "added list users"),
        ("ecs.yml", "fields: [{field: query, ecs: dns.question.name, type: keyword}]\n", "changed table ecs.json"),
    ],
)
def test_a_difference(
    pack_dir: Path, tmp_path: Path, path: str, text: str | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    old = built(pack_dir, tmp_path / "a.vpk")
    if text is None:
        (pack_dir / path).unlink()
    else:
        write(pack_dir / path, text)
    new = built(pack_dir, tmp_path / "b.vpk")
    capsys.readouterr()
    assert main(["diff", str(old), str(new)]) == 1
    assert says in capsys.readouterr().out


def test_no_difference_and_a_comment_is_none(
    pack_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = built(pack_dir, tmp_path / "a.vpk")
    write(pack_dir / "detections/c2/tor_gateway.yml", RULE + "# said better\n")
    new = built(pack_dir, tmp_path / "b.vpk")
    capsys.readouterr()
    assert main(["diff", "--json", str(old), str(new)]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_json_says_what_changed(pack_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = built(pack_dir, tmp_path / "a.vpk")
    changed = RULE.replace("level: high", "level: low").replace(".onion.example", ".onion.invalid")
    write(pack_dir / "detections/c2/tor_gateway.yml", changed)
    new = built(pack_dir, tmp_path / "b.vpk")
    capsys.readouterr()
    assert main(["diff", "--json", str(old), str(new)]) == 1
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["what"], one["change"]) == ("rule", "changed")
    assert one["changes"] == [
        {
            "key": "condition",
            "old": ['query endswith ".onion.example"'],
            "new": ['query endswith ".onion.invalid"'],
        },
        {"key": "level", "old": "high", "new": "low"},
    ]


def test_what_is_no_pack_is_said(pack_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = built(pack_dir, tmp_path / "a.vpk")
    assert main(["diff", str(old), str(write(tmp_path / "x.vpk", "x"))]) == 1
    assert "x.vpk: no pack" in capsys.readouterr().err
