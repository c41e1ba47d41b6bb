"""The server's files: fetched by Maven, checked by SHA-256, unpacked, the test-only analysis plugin put in them."""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.elasticsearch.errors import ProvisionError
from tests.elasticsearch.jdk import Jdk

ARTIFACT = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"
"""Genuine but stripped: transport-netty4, x-pack-core and x-pack-security, basic license."""

SHA256 = {
    "9.5.3": "bec49f3b8d00e75c8d1cec85c35298635ec9fbd3ae80ef5aeb6bc05abdb3db2d",
    "8.19.16": "c3d95992e27741b33a8057118379cda8b17cfda9e46ff4ec25e3f5b94fc22b52",
}
DEFAULT_VERSION = "9.5.3"

_PLUGIN = Path(__file__).parent / "analysis_shim" / "AnalysisShim.java"
_DESCRIPTOR = """name=analysis-shim
description=Analysis that the .security index names and the stripped distribution lacks; for tests only
version=1
classname=vigla.test.AnalysisShim
java.version=21
elasticsearch.version={version}
"""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One version below the cache folder."""

    cache: Path
    version: str

    @property
    def home(self) -> Path:
        return self.cache / f"elasticsearch-{self.version}"

    def provide(self, jdk: Jdk) -> Path:
        """The server's home, ready to start. Raises `ProvisionError`."""
        ready = self.home / ".ready"
        wanted = hashlib.sha256(_PLUGIN.read_bytes() + self.version.encode()).hexdigest()
        if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
            return self.home
        shutil.rmtree(self.home, ignore_errors=True)
        _run(["unzip", "-q", "-o", str(self._archive()), "-d", str(self.cache)], "unzip (Debian package unzip)")
        self._install_plugin(jdk)
        ready.write_text(wanted, encoding="utf-8")
        return self.home

    def _archive(self) -> Path:
        if self.version not in SHA256:
            raise ProvisionError(f"version {self.version} is not pinned; pinned are {', '.join(SHA256)}")
        archive = self.cache / f"elasticsearch-{self.version}.zip"
        if not archive.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            artifact = ARTIFACT.format(version=self.version)
            _run(
                ["mvn", "-q", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={self.cache}"],
                "mvn (Debian package maven)",
                cwd=self.cache,
            )
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != SHA256[self.version]:
            raise ProvisionError(f"{archive}: SHA-256 {found} is not the pinned one; delete the file and try again")
        return archive

    def _install_plugin(self, jdk: Jdk) -> None:
        plugin, classes = self.home / "plugins" / "analysis-shim", self.home / "shim-classes"
        plugin.mkdir(parents=True)
        classes.mkdir()
        libraries = f"{self.home}/lib/*"
        _run([str(jdk.javac), "--release", "21", "-cp", libraries, "-d", str(classes), str(_PLUGIN)], "javac")
        _run([str(jdk.jar), "--create", "--file", str(plugin / "analysis-shim.jar"), "-C", str(classes), "."], "jar")
        shutil.rmtree(classes)
        descriptor = _DESCRIPTOR.format(version=self.version)
        (plugin / "plugin-descriptor.properties").write_text(descriptor, encoding="utf-8")


def _run(command: list[str], tool: str, cwd: Path | None = None) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=900)
    except FileNotFoundError as error:
        raise ProvisionError(f"{tool} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ProvisionError(f"{tool} did not end within 15 minutes") from error
    if done.returncode:
        raise ProvisionError(f"{tool} failed ({done.returncode}): {(done.stderr or done.stdout).strip()[-2000:]}")
