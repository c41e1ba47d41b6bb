"""The project's own pack, compiled once for a test run."""

from pathlib import Path

import pytest

from vigla_rules.cli import main as vigla_rules

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def vigla_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`rules/pack` compiled to a `.vpk`."""
    path = tmp_path_factory.mktemp("pack") / "vigla.vpk"
    assert vigla_rules(["compile", str(ROOT / "rules" / "pack"), "-o", str(path)]) == 0
    return path
