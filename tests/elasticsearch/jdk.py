"""The JDK for server and plugin: at least 21, with `javac` and `jdk.incubator.vector`, the first under /usr/lib/jvm."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.elasticsearch.errors import ProvisionError

_MINIMUM = 21


@dataclass(frozen=True, slots=True)
class Jdk:
    """`home` becomes `ES_JAVA_HOME`."""

    home: Path

    @property
    def javac(self) -> Path:
        return self.home / "bin" / "javac"

    @property
    def jar(self) -> Path:
        return self.home / "bin" / "jar"


def find(folder: Path = Path("/usr/lib/jvm")) -> Jdk:
    """Raises `ProvisionError` where there is none."""
    for home in sorted(folder.glob("*")) if folder.is_dir() else ():
        if home.is_symlink() or not (home / "bin" / "javac").exists():
            continue
        release = home / "release"
        text = release.read_text(encoding="utf-8") if release.exists() else ""
        version = re.search(r'JAVA_VERSION="(\d+)', text)
        if version and int(version[1]) >= _MINIMUM and _has_vector(home):
            return Jdk(home)
    raise ProvisionError(
        f"no JDK of {_MINIMUM} or later with jdk.incubator.vector under {folder}; install one, such as Temurin 25"
    )


def _has_vector(home: Path) -> bool:
    done = subprocess.run([str(home / "bin" / "java"), "--list-modules"], capture_output=True, text=True, timeout=60)
    return "jdk.incubator.vector" in done.stdout
