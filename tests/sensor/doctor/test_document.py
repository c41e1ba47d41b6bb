"""The examples of docs/doctor.md are what the command prints.

`python -m tests.sensor.doctor.test_document` writes them anew.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.sensor.doctor.traffic import town, without, write

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "doctor.md"
NAME = "mirror.pcap"
_EXAMPLE = re.compile(r"```console\n\$ vigla-sensor doctor ([^\n]*)\n(.*?)```\n", re.DOTALL)


def example(folder: Path) -> Path:
    """A mirror with one direction of VLAN 20, whose name server lies elsewhere, on a box whose clock is 40 s late."""
    frames = town(40, vlans=(10, 20), ahead=-40.0)
    gone = without(
        frames, lambda frame: bool(frame.sender) and frame.vlan == 20 and not frame.sender.startswith("10.20.")
    )
    kept = without(gone, lambda frame: b"www\x07example" in frame.data)
    return write(folder / NAME, kept)


def printed(arguments: str, folder: Path) -> str:
    """What the command says, run in the folder of the capture."""
    command = [sys.executable, "-m", "vigla_sensor", "doctor", *arguments.split()]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.stdout


@pytest.mark.parametrize("number", [0, 1])
def test_examples_are_real(number: int, tmp_path: Path) -> None:
    example(tmp_path)
    arguments, shown = _EXAMPLE.findall(DOCUMENT.read_text(encoding="utf-8"))[number]
    assert printed(arguments, tmp_path) == shown


def renew() -> None:
    """Writes the examples anew."""
    with tempfile.TemporaryDirectory() as folder:
        example(Path(folder))

        def anew(found: re.Match[str]) -> str:
            return f"```console\n$ vigla-sensor doctor {found[1]}\n{printed(found[1], Path(folder))}```\n"

        DOCUMENT.write_text(_EXAMPLE.sub(anew, DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    renew()
