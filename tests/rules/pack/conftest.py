"""The compiled pack, once for all tests of this folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rules.pack.reading import PACK


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pack") / "vigla.vpk"
    command = [sys.executable, "-m", "vigla_rules", "compile", str(PACK), "-o", str(path), "--strict"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return path
