"""One running server: its folder, its process, how it starts, becomes green and ends (delivery.md 8)."""

import base64
import json
import os
import pwd
import secrets
import shutil
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.elasticsearch import certificates
from tests.elasticsearch.errors import ProvisionError
from tests.elasticsearch.jdk import Jdk

USER = "vigla-es"
"""Where run as root: the server refuses to be root."""

START_SECONDS = 180
_YML = """cluster.name: vigla-test
node.name: node-1
path.data: {folder}/data
path.logs: {folder}/logs
discovery.type: single-node
network.host: 127.0.0.1
http.port: {port}
transport.port: 0
node.portsfile: true
node.store.allow_mmap: false
cluster.info.update.interval: 10s
cluster.routing.allocation.disk.threshold_enabled: false
xpack.security.autoconfiguration.enabled: false
xpack.security.enabled: true
xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.key: {folder}/config/node.key
xpack.security.http.ssl.certificate: {folder}/config/node.pem
xpack.security.http.ssl.certificate_authorities: ["{folder}/config/ca.pem"]
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where it listens and how to get in. `password` is the superuser `elastic`'s, made for this run."""

    version: str
    home: str
    java_home: str
    folder: str
    url: str
    password: str
    pid: int

    @property
    def ca_file(self) -> Path:
        return Path(self.folder) / "config" / "ca.pem"

    @property
    def record(self) -> Path:
        return Path(self.folder) / "server.json"

    def alive(self) -> bool:
        """Whether its process runs and is a server's."""
        try:
            return b"elasticsearch" in Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except OSError:
            return False

    def request(self, method: str, path: str, body: Any = None, timeout: float = 30.0) -> tuple[int, Any]:
        """One request as the superuser; status and parsed answer. Raises `OSError` where nothing answers."""
        token = base64.b64encode(f"elastic:{self.password}".encode()).decode()
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, method=method)  # noqa: S310
        request.add_header("Authorization", f"Basic {token}")
        request.add_header("Content-Type", "application/json")
        context = ssl.create_default_context(cafile=str(self.ca_file))
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=context) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                text = error.read()
            try:
                return error.code, json.loads(text or b"null")
            except ValueError:
                return error.code, text.decode(errors="replace")

    def kill(self) -> None:
        """SIGKILL: the end that nothing is told of."""
        _signal(self.pid, signal.SIGKILL)
        _gone(self, 20)

    def stop(self) -> None:
        """Ends the process and removes its folder."""
        if self.alive():
            _signal(self.pid, signal.SIGTERM)
            if not _gone(self, 40):
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def read(folder: Path) -> Server | None:
    """The server that was started in a folder, if its process still runs."""
    try:
        server = Server(**json.loads((folder / "server.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return server if server.alive() else None


def start(home: Path, version: str, folder: Path, jdk: Jdk, say: Callable[[str], None] = lambda _: None) -> Server:
    """Starts a new server in an empty folder and waits until it is green. Raises `ProvisionError`."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("data", "logs"):
        (folder / name).mkdir(parents=True)
    shutil.copytree(home / "config", folder / "config")
    certificates.write(folder / "config")
    (folder / "config" / "elasticsearch.yml").write_text(_YML.format(folder=folder, port=0), encoding="utf-8")
    password = secrets.token_urlsafe(24)
    user = _user()
    _own(folder, user)
    environment = _environment(folder, jdk)
    keystore = [str(home / "bin" / "elasticsearch-keystore")]
    _run([*keystore, "create", "-s"], environment, user)
    _run([*keystore, "add", "-xf", "bootstrap.password"], environment, user, password)
    server = Server(version, str(home), str(jdk.home), str(folder), "", password, 0)
    return launch(server, say)


def launch(server: Server, say: Callable[[str], None] = lambda _: None) -> Server:
    """Starts the process over an existing folder (again, after a kill) and waits until it is green.

    A server that was up keeps its port, so that clients find it again.
    """
    folder, user = Path(server.folder), _user()
    ports = folder / "logs" / "http.ports"
    if server.url:
        port = server.url.rpartition(":")[2]
        (folder / "config" / "elasticsearch.yml").write_text(_YML.format(folder=folder, port=port), encoding="utf-8")
    ports.unlink(missing_ok=True)
    (folder / "es.pid").unlink(missing_ok=True)
    say(f"starting Elasticsearch {server.version}")
    command = [f"{server.home}/bin/elasticsearch", "-d", "-p", str(folder / "es.pid")]
    _run(command, _environment(folder, Jdk(Path(server.java_home))), user)
    deadline = time.monotonic() + START_SECONDS
    port = _await(lambda: _port(ports), deadline, folder)
    pid = _await(lambda: _number(folder / "es.pid"), deadline, folder)
    started = Server(**{**asdict(server), "url": f"https://127.0.0.1:{port}", "pid": pid})
    _await(lambda: _green(started), deadline, folder)
    started.record.write_text(json.dumps(asdict(started)), encoding="utf-8")
    started.record.chmod(0o600)
    say(f"Elasticsearch {server.version} is green at {started.url}")
    return started


def _environment(folder: Path, jdk: Jdk) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
    return {
        **kept,
        "ES_JAVA_HOME": str(jdk.home),
        "ES_PATH_CONF": str(folder / "config"),
        "ES_JAVA_OPTS": "-Xms512m -Xmx512m",
        "HOME": str(folder),
    }


def _user() -> str | None:
    """The account to run as; None: our own. Made where we are root and it is not there."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(USER)
    except KeyError:
        done = subprocess.run(["useradd", "-r", "-M", "-s", "/usr/sbin/nologin", USER], capture_output=True, text=True)
        if done.returncode not in (0, 9):  # 9: somebody else made it meanwhile
            raise ProvisionError(f"useradd {USER} failed: {done.stderr.strip()}") from None
    return USER


def _own(folder: Path, user: str | None) -> None:
    if user is None:
        return
    entry = pwd.getpwnam(user)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _run(command: list[str], environment: dict[str, str], user: str | None, text: str = "") -> None:
    done = subprocess.run(
        command, env=environment, user=user, group=user, input=text, capture_output=True, text=True, cwd="/"
    )
    if done.returncode:
        raise ProvisionError(f"{command[0]} failed ({done.returncode}): {(done.stderr or done.stdout).strip()[-2000:]}")


def _await(ready: Callable[[], Any], deadline: float, folder: Path) -> Any:
    while True:
        found = ready()
        if found:
            return found
        if time.monotonic() > deadline:
            log = folder / "logs" / "vigla-test.log"
            tail = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else "no log was written"
            raise ProvisionError(f"Elasticsearch was not up within {START_SECONDS} s; the end of {log}:\n{tail}")
        time.sleep(0.25)


def _port(path: Path) -> int | None:
    if not path.exists():
        return None
    lines = [line for line in path.read_text(encoding="utf-8").split() if "." in line]
    return int(lines[0].rpartition(":")[2]) if lines else None


def _number(path: Path) -> int | None:
    text = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    return int(text) if text.isdigit() else None


def _green(server: Server) -> bool:
    """A node answers 401 or 503 for its first second: not yet, not no."""
    try:
        status, health = server.request("GET", "/_cluster/health?wait_for_status=green&timeout=1s", timeout=5)
    except OSError:
        return False
    return status == 200 and health["status"] == "green"


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _gone(server: Server, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while server.alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
