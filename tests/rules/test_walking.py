"""What stands in a directory of rules and is none: each is named, nothing is followed out, the others compile."""

import os
from pathlib import Path

import pytest

from tests.rules.conftest import RULE, write
from vigla_rules.cli import main
from vigla_rules.compiling import Compiled, compile_trees
from vigla_rules.layout import read_tree


def built(root: Path) -> Compiled:
    return compile_trees([read_tree(root)], (), lambda _d, _t: None)


def rule(number: int) -> str:
    return RULE.replace("0001\n", f"{number:04d}\n").replace("tor_gateway", f"rule_{number}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "rules/good.yml", RULE)
    return tmp_path / "rules"


def test_a_directory_named_like_a_rule_is_named_and_entered(root: Path) -> None:
    write(root / "x.yml/inner.yml", rule(2))
    found = built(root)
    assert [(one.path, one.code) for one in found.refused] == [(str(root / "x.yml"), "yaml")]
    assert "a directory, named like a rule" in found.refused[0].reason
    assert len(found.linked.rules) == 2


def test_a_link_out_of_the_tree_is_refused_and_one_inside_is_read(root: Path, tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.yml", rule(2))
    (root / "out.yml").symlink_to(secret)
    write(root / "deep/real.txt", rule(3))
    (root / "inside.yml").symlink_to(root / "deep/real.txt")
    (root / "folder").symlink_to(tmp_path)
    found = built(root)
    assert [(Path(one.path).name, one.code) for one in found.refused] == [("out.yml", "yaml")]
    assert "leads out of the directory" in found.refused[0].reason
    assert len(found.linked.rules) == 2
    assert b"rule_2" not in found.data


def test_what_is_no_file_or_cannot_be_read(root: Path) -> None:
    os.mkfifo(root / "pipe.yml")
    (root / "gone.yml").symlink_to(root / "nowhere")
    (root / "loop.yml").symlink_to(root / "loop.yml")
    found = built(root)
    assert {Path(one.path).name for one in found.refused} == {"pipe.yml", "gone.yml", "loop.yml"}
    assert len(found.linked.rules) == 1


def test_ten_megabytes_are_refused_unread(root: Path) -> None:
    with (root / "huge.yml").open("wb") as file:
        file.truncate(10 << 20)
    found = built(root)
    assert [(one.code, one.line) for one in found.refused] == [("too-large", 1)]
    assert "10485760 bytes, at most 1048576" in found.refused[0].reason
    assert len(found.data) < 100_000


def test_a_name_that_is_no_text(root: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (Path(os.fsdecode(os.fsencode(root) + b"/bad\xff.yml"))).write_text(rule(2), encoding="utf-8")
    assert main(["compile", str(root), "-o", str(root.parent / "p.vpk")]) == 0
    assert b"the file's name is not UTF-8; rename it" in capsysbinary.readouterr().err


def test_one_file_may_be_named(root: Path) -> None:
    write(root / "other.yml", rule(2))
    found = built(root / "good.yml")
    assert [one.meta.path for one in found.linked.rules] == ["good.yml"]


def test_the_order_is_that_of_the_parts(root: Path) -> None:
    for at, name in enumerate(("b/a.yml", "b.yml", "a-b/x.yml", "a/x.yml"), start=2):
        write(root / name, rule(at))
    names = [one.meta.path for one in built(root).linked.rules]
    assert names == ["a/x.yml", "a-b/x.yml", "b/a.yml", "b.yml", "good.yml"]
