"""``pack.lock``: changed content gets a new version and a new date, a removed rule stays with its reason."""

import json
from pathlib import Path

import pytest

from tests.rules.conftest import RULE, write
from vigla_rules.cli import main
from vigla_rules.compiling import compile_trees
from vigla_rules.layout import read_tree

ID = "00000000-0000-4000-8000-000000000001"


def lock(root: Path) -> dict[str, dict[str, dict[str, object]]]:
    return json.loads((root / "pack.lock").read_text(encoding="utf-8"))


def test_a_change_needs_a_new_date_and_gets_a_new_version(pack_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pack_dir / "detections/c2/tor_gateway.yml"
    assert main(["lock", str(pack_dir)]) == 0
    assert lock(pack_dir)["rules"][ID]["version"] == 1
    write(path, RULE + "# a comment is no change\n")
    assert main(["check", "-q", str(pack_dir)]) == 0
    write(path, RULE.replace("level: high", "level: medium"))
    assert main(["check", "-q", str(pack_dir)]) == 1
    assert "changed since it was locked" in capsys.readouterr().out
    assert main(["lock", str(pack_dir)]) == 1
    assert "`modified` is not" in capsys.readouterr().err
    assert lock(pack_dir)["rules"][ID]["version"] == 1, "nothing was written"
    write(path, RULE.replace("level: high", "level: medium\nmodified: 2026-11-25"))
    assert main(["lock", str(pack_dir)]) == 0
    assert lock(pack_dir)["rules"][ID]["version"] == 2
    compiled = compile_trees([read_tree(pack_dir)], (), lambda _d, _t: None)
    assert b'"version":2' in compiled.data or compiled.linked.rules[0].meta.modified == "2026-11-25"


def test_a_removed_rule_needs_a_reason_and_its_id_never_returns(
    pack_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pack_dir / "detections/c2/tor_gateway.yml"
    assert main(["lock", str(pack_dir)]) == 0
    write(pack_dir / "detections/c2/other.yml", RULE.replace(ID, ID[:-1] + "2").replace("tor_gateway", "other"))
    path.unlink()
    assert main(["lock", str(pack_dir)]) == 1
    assert "say why with --reason" in capsys.readouterr().err
    assert main(["lock", str(pack_dir), "--reason", "the gateway is gone"]) == 0
    assert lock(pack_dir)["removed"][ID]["reason"] == "the gateway is gone"
    write(path, RULE)
    assert main(["lock", str(pack_dir)]) == 1
    assert "belonged to a removed rule" in capsys.readouterr().err


def test_nothing_is_locked_while_a_rule_is_refused(pack_dir: Path) -> None:
    write(pack_dir / "detections/c2/tor_gateway.yml", RULE.replace("endswith", "endwith"))
    assert main(["lock", str(pack_dir)]) == 1
    assert not (pack_dir / "pack.lock").exists()


def test_only_pack_directories_have_a_lock(tmp_path: Path) -> None:
    assert main(["lock", str(tmp_path)]) == 2
