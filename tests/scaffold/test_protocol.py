"""`make protocol`: what it writes compiles, passes its tests and stands in every table; a refusal writes nothing."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCAFFOLD = ROOT / "sensor" / "native" / "scaffold" / "protocol.py"
CORE = Path("sensor/native/core")
FIELDS = Path("rules/vigla_rules/data/fields.toml")
COPIED = ("sensor/native", "rules/vigla_rules", "rules/pack/ecs.yml")


def begin(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(SCAFFOLD), "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def copied(folder: Path) -> Path:
    """A copy of what a protocol touches."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            shutil.copyfile(source, target)
        else:
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("target", "__pycache__"))
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copied(tmp_path)


@pytest.fixture
def compiled() -> Path:
    """Always in the same place: other places would be compiled anew, and fill the disk."""
    folder = ROOT / ".cache" / "scaffold"
    shutil.rmtree(folder, ignore_errors=True)
    return copied(folder)


def state(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def cargo(checkout: Path, *arguments: str) -> str:
    """In the copy, beside the build of this checkout: other crates are compiled once."""
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "sensor" / "native" / "target"))
    done = subprocess.run(
        ["cargo", "--quiet", *arguments],
        cwd=checkout / "sensor" / "native",
        env={**os.environ, "CARGO_TARGET_DIR": target},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_protocol_stands_in_every_table(checkout: Path) -> None:
    before = state(checkout)
    done = begin(checkout, "finger", "--ports", "79,8079")
    assert done.returncode == 0, done.stderr
    assert "Still yours" in done.stdout
    changed = {path.relative_to(checkout) for path, data in state(checkout).items() if before.get(path) != data}
    parts = {CORE / "src/proto/finger" / f"{part}.rs" for part in ("mod", "wire", "record", "tests")}
    assert changed == parts | {CORE / "src/proto/mod.rs", FIELDS, Path("rules/pack/ecs.yml")}
    tables = (checkout / CORE / "src/proto/mod.rs").read_text(encoding="utf-8")
    assert tables.index("mod dns;") < tables.index("mod finger;") < tables.index("mod http;")
    assert "finger::record::Finger::schema()," in tables
    assert "ports: &[79, 8079]," in tables
    fields = tomllib.loads((checkout / FIELDS).read_text(encoding="utf-8"))
    assert fields["zeek"]["finger"] == ["client", "server"]
    assert list(fields["zeek"]) == sorted(fields["zeek"])
    for part in parts:
        text = (checkout / part).read_text(encoding="utf-8")
        assert not {"NAME", "Title", "UPPER", "TRANSPORT", "CASES"} & set(text.replace("::", " ").split())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Finger", "small letters"),
        ("a", "2 to 16"),
        ("match", "word of Rust"),
        ("dns", "there is one already"),
        ("../x", "small letters"),
    ],
)
def test_a_refusal_writes_nothing(checkout: Path, name: str, reason: str) -> None:
    before = state(checkout)
    done = begin(checkout, name)
    assert (done.returncode, reason in done.stderr) == (2, True), done.stderr
    assert state(checkout) == before


def test_a_table_that_was_rewritten_is_named(checkout: Path) -> None:
    path = checkout / CORE / "src/proto/mod.rs"
    path.write_text(path.read_text(encoding="utf-8").replace("pub fn kinds()", "pub fn all_kinds()"), encoding="utf-8")
    before = state(checkout)
    done = begin(checkout, "finger")
    assert (done.returncode, "must follow" in done.stderr) == (2, True)
    assert state(checkout) == before


@pytest.mark.cargo
def test_what_is_begun_compiles_passes_its_tests_and_gives_its_fields(compiled: Path) -> None:
    assert begin(compiled, "finger", "--ports", "79").returncode == 0
    assert begin(compiled, "zz104", "--over", "udp").returncode == 0
    (compiled / CORE / "examples").mkdir(exist_ok=True)
    (compiled / CORE / "examples" / "fields.rs").write_text(
        "//! Prints the core's field tables.\nuse std::io::Write;\nfn main() {\n    let _ = std::io::stdout()"
        ".write_all(&vigla_core::pipeline::explain::fields());\n}\n",
        encoding="utf-8",
    )
    cargo(compiled, "fmt")  # as `make protocol` does: names differ in length
    cargo(compiled, "clippy", "-p", "vigla-core", "--lib", "--", "-D", "warnings")  # all that `check` finds, and more
    assert "0 failed" in cargo(compiled, "test", "-p", "vigla-core", "--lib", "proto::")
    core = json.loads(cargo(compiled, "run", "-p", "vigla-core", "--example", "fields"))
    table = tomllib.loads((compiled / FIELDS).read_text(encoding="utf-8"))
    assert {name: table[name] for name in core} == core
    assert core["zeek"]["zz104"] == ["client", "server"]
