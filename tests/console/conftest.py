"""One hub per test, in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.build import House, build_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = build_house(tmp_path / "hub")
    yield made
    made.hub.close()
