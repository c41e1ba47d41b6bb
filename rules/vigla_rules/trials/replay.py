"""The seam to the sensor: captures and log lines in, alert documents out."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Alert = Mapping[str, object]
TIMEOUT_SECONDS = 120.0


class ReplayError(RuntimeError):
    """The sensor could not run the input: its own words."""


@dataclass(frozen=True, slots=True)
class Input:
    """One file and what the municipality's configuration says beside it.

    ``source`` pins a log definition, ``logsource`` (``product[/service]``) makes the file JSON lines.
    """

    path: Path
    source: str | None = None
    year: int | None = None
    zone: str | None = None
    logsource: str | None = None
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    local_networks: Sequence[str] | None = None


class Replay(Protocol):
    """Runs one input through the real core."""

    def alerts(self, pack: Path, given: Input) -> Sequence[Alert]:
        """Alert documents in the order they came; raises ``ReplayError``."""
        ...


@dataclass(frozen=True, slots=True)
class SensorReplay:
    """``vigla-sensor replay`` as a process of its own: ``vigla_rules`` never imports the sensor."""

    command: tuple[str, ...]
    folder: Path

    def alerts(self, pack: Path, given: Input) -> Sequence[Alert]:
        """See ``Replay``."""
        config = self.folder / f"{pack.stem}-{given.path.stem}.toml"
        config.write_text(configuration(given), encoding="utf-8")
        logsource = ["--logsource", given.logsource] if given.logsource else []
        arguments = ["replay", str(given.path), "--pack", str(pack), "--config", str(config), "--out", "-", *logsource]
        try:
            done = subprocess.run(
                [*self.command, *arguments], capture_output=True, timeout=TIMEOUT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise ReplayError(f"the sensor did not end within {TIMEOUT_SECONDS:.0f} s") from None
        if done.returncode:
            raise ReplayError(
                done.stderr.decode(errors="replace").strip() or f"the sensor ended with {done.returncode}"
            )
        return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def find_sensor() -> tuple[str, ...] | None:
    """The sensor beside this interpreter, on the path, or as a module of this interpreter."""
    beside = shutil.which("vigla-sensor", path=str(Path(sys.executable).parent))
    if found := beside or shutil.which("vigla-sensor"):
        return (found,)
    spec = importlib.util.find_spec("vigla_sensor")  # looks, and imports nothing
    folders = list(spec.submodule_search_locations or []) if spec else []
    if any((Path(folder) / "__main__.py").is_file() for folder in folders):
        return (sys.executable, "-m", "vigla_sensor")
    return None


def configuration(given: Input) -> str:
    """The sensor's TOML for one input: no sink, so that alerts go to the output."""
    lines = ["[sensor]", 'id = "rules-test"']
    if given.local_networks is not None:
        lines.append(f"local_networks = {_toml(list(given.local_networks))}")
    lines += ["", "[sensor.organization]", 'id = "rules_test"', 'name = "Rules"', ""]
    if given.source is not None:
        lines += ["[[files]]", f"path = {_toml(str(given.path.resolve()))}", f"source = {_toml(given.source)}"]
        lines += [f"year = {given.year}"] if given.year is not None else []
        lines += [f"zone = {_toml(given.zone)}"] if given.zone is not None else []
        lines.append("")
    lines += ["[lists]", *(f"{_toml(name)} = {_toml(list(values))}" for name, values in given.lists.items()), ""]
    return "\n".join(lines)


def _toml(value: str | list[str]) -> str:
    """A TOML basic string or array: JSON's escapes are among TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
