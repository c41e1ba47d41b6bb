"""What `check` lets a rule name is what the core produces."""

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import vigla_native
from vigla_rules.cli import main

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_is_the_cores_own() -> None:
    table = tomllib.loads(files("vigla_rules").joinpath("data/fields.toml").read_text(encoding="utf-8"))
    core = json.loads(vigla_native.fields())
    assert {name: table[name] for name in core} == core


def test_the_page_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields", str(ROOT / "rules" / "pack")]) == 0
    assert (ROOT / "docs" / "fields.md").read_text(encoding="utf-8") == capsys.readouterr().out


def test_what_is_no_pack_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields", str(tmp_path)]) == 2
    assert "no pack directory" in capsys.readouterr().err
