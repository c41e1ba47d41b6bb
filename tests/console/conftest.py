"""One hub per test, in a folder of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.build import House, build_house, empty_hub


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated hub without anybody in it, to copy."""
    return empty_hub(tmp_path_factory.mktemp("empty") / "hub")


@pytest.fixture
def house(tmp_path: Path, empty: Path) -> Iterator[House]:
    made = build_house(Path(shutil.copytree(empty, tmp_path / "hub")))
    yield made
    made.hub.close()
