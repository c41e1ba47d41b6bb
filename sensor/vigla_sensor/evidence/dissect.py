"""Dissects a released capture with pyshark in a child process of its own, bounded in time, memory and output.

tshark can be held for minutes by one reply, so the child's whole process group is killed at the deadline, and its JSON
dissector stays off.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MEMORY = 1 << 30  # bytes of address space of the child and of tshark each


class DissectionError(Exception):
    """The capture could not be dissected; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Dissected:
    """One packet: its number, its protocols from the outside in, and a line to read."""

    number: int
    layers: tuple[str, ...]
    summary: Mapping[str, str]


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def dissect(capture: Path, *, packets: int = 1000, timeout: float = 60.0) -> Sequence[Dissected]:
    """The first ``packets`` packets of ``capture``; raises :class:`DissectionError` after ``timeout`` seconds."""
    if not capture.is_file():
        raise DissectionError(f"{capture}: no such capture")
    command = [sys.executable, "-m", __name__, str(capture), str(packets)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as child:
        try:
            out, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as expired:
            raise DissectionError(
                f"{capture}: no end within {timeout:.0f} s; dissect fewer packets or a shorter cut"
            ) from expired
        finally:
            with contextlib.suppress(ProcessLookupError):  # tshark is a grandchild: the group goes, not the child alone
                os.killpg(child.pid, signal.SIGKILL)
    if child.returncode not in (0, -signal.SIGKILL) or not out:
        reason = err.decode(errors="replace").strip().splitlines()
        raise DissectionError(f"{capture}: {reason[-1] if reason else 'nothing was dissected; is tshark installed?'}")
    return [Dissected(d["number"], tuple(d["layers"]), d["summary"]) for d in map(json.loads, out.splitlines())]


def _child(capture: str, packets: int) -> None:
    import pyshark  # costs a second: only the child pays for it

    _bounded()

    fields = {
        "ip": ("src", "dst"),
        "ipv6": ("src", "dst"),
        "tcp": ("srcport", "dstport", "flags"),
        "udp": ("srcport", "dstport"),
    }
    with pyshark.FileCapture(
        capture, keep_packets=False, custom_parameters=["-n", "--disable-protocol", "json"]
    ) as frames:
        for number, packet in enumerate(frames, 1):
            if number > packets:
                break
            names = [layer.layer_name for layer in packet.layers]
            summary = {
                f"{layer}.{name}": str(packet[layer].get_field(name))
                for layer, wanted in fields.items()
                if layer in names
                for name in wanted
                if packet[layer].get_field(name) is not None
            }
            print(json.dumps({"number": number, "layers": names, "summary": summary}), flush=True)


if __name__ == "__main__":
    _child(sys.argv[1], int(sys.argv[2]))
