"""Starts `tests.live.child` and talks with it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CAP_NET_RAW = 1 << 13
NOBODY = 65534


@dataclass(slots=True)
class Apart:
    """The process, and the first line that it said."""

    process: "subprocess.Popen[str]"
    said: str

    def pause(self) -> None:
        """All its threads stand still."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After `pause`."""
        self.process.send_signal(signal.SIGCONT)

    def finish(self) -> dict[str, Any]:
        """Stops it; its hits and counters."""
        out, _ = self.process.communicate(timeout=60)
        found: dict[str, Any] = json.loads(out)
        return found


@contextmanager
def apart(settings: bytes, user: int = 0, capabilities: int = 0) -> Iterator[Apart]:
    """A sensor in a process of its own, in the calling thread's network namespace."""
    command = [sys.executable, "-m", "tests.live.child", settings.decode(), str(user), str(capabilities)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        try:
            yield Apart(process, process.stdout.readline().strip())
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
