"""A real hub process with TLS: what it answered is there after `kill -9`, and it ends well when asked to."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.console.build import document, ndjson
from tests.elasticsearch import certificates
from vigla_console.cli import main

START_SECONDS = 120


@dataclass
class Served:
    """``config`` of a hub on a free port with its own certificate."""

    config: Path
    port: int
    trust: ssl.SSLContext
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "vigla_console", "serve", "--config", str(self.config)]
        log = self.config.with_suffix(".log").open("ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                self.ask("/health")
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.2)
            else:
                return
        pytest.fail(f"the hub did not start:\n{self.config.with_suffix('.log').read_text()}")

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> Any:
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", body, headers)
        with urllib.request.urlopen(request, timeout=30, context=self.trust) as answer:  # noqa: S310
            return answer.headers, json.loads(answer.read())

    def end(self, sign: int) -> int:
        assert self.process is not None
        os.kill(self.process.pid, sign)
        return self.process.wait(60)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    certificates.write(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "console.toml"
    config.write_text(
        f"""[server]
port = {port}
public_url = "https://127.0.0.1:{port}"
tls_certificate = "{tmp_path / "node.pem"}"
tls_key = "{tmp_path / "node.key"}"
[storage]
directory = "{tmp_path / "data"}"
"""
    )
    assert main(["migrate", "--config", str(config)]) == 0
    made = Served(config, port, ssl.create_default_context(cafile=str(tmp_path / "ca.pem")))
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def test_what_was_answered_survives_kill_9(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sensor", "add", "kalamata-1", "--tenant", "kalamata", "--config", str(served.config)]) == 0
    bearer = {"Authorization": f"Bearer {capsys.readouterr().out.split()[-1]}"}
    body = ndjson(document(1, at=datetime.now(UTC).replace(microsecond=0)))
    served.start()
    headers, answer = served.ask("/ingest/v1/alerts", body, **bearer)
    assert [item["result"] for item in answer["items"]] == ["created"]
    assert headers["strict-transport-security"]
    served.end(signal.SIGKILL)
    served.start()
    _, answer = served.ask("/ingest/v1/alerts", body, **bearer)
    assert [item["result"] for item in answer["items"]] == ["duplicate"]
    assert served.ask("/health")[1] == {"status": "green", "aggregation_failures": 0}
    assert served.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    assert main(["verify-audit", "--config", str(served.config)]) == 0
