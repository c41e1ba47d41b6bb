"""The generated files are current, and within what the stripped server and the pack's table hold. Needs no server."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from deploy.elasticsearch import generate

ROOT = Path(__file__).resolve().parents[2]
ABSENT = {"match_only_text", "wildcard", "constant_keyword"}
TYPES = {"keyword": {"keyword"}, "ip": {"ip"}, "long": {"long"}, "float": {"double"}, "boolean": {"boolean"}}


def _catalogue() -> dict[str, str]:
    document = json.loads((ROOT / "deploy/elasticsearch/fields.json").read_text(encoding="utf-8"))
    return {field["path"]: field["type"] for field in document["fields"]}


def test_generated_files_are_current() -> None:
    assert generate.main(["--check"]) == 0


def test_a_stale_file_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = ROOT / "deploy/elasticsearch/role-hub.json"
    monkeypatch.setattr(generate, "outputs", lambda: {path: {"other": True}})
    assert generate.main(["--check"]) == 1
    assert "role-hub.json" in capsys.readouterr().err


def test_only_types_of_the_server_core() -> None:
    assert not ABSENT & set(_catalogue().values())


def test_the_schema_is_a_schema() -> None:
    text = (ROOT / "tests/contract/alert.schema.json").read_text(encoding="utf-8")
    jsonschema.Draft202012Validator.check_schema(json.loads(text))


def test_every_row_of_the_packs_table_has_a_field_of_its_type() -> None:
    catalogue = _catalogue()
    table = yaml.safe_load((ROOT / "rules/pack/ecs.yml").read_text(encoding="utf-8"))
    for row in table["fields"]:
        assert row["ecs"] in catalogue, f"{row['ecs']} ({row['field']}) is not in deploy/elasticsearch/fields.json"
        assert catalogue[row["ecs"]] in TYPES[row.get("type", "keyword")], row["ecs"]
