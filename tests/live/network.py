"""Network namespaces of the tests' own: veth pairs, one end a mirror port, the other the switch that feeds it."""

import contextlib
import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNET = 0x40000000
SO_TIMESTAMPNS = 35
ETH_P_ALL = 3
_OWN = "/proc/thread-self/ns/net"


class NoNamespace(RuntimeError):
    """This user or system makes no network namespaces."""


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise NoNamespace(f"{what}: {os.strerror(number)}; run as root, or where CAP_SYS_ADMIN is given")


def ip(*arguments: str) -> None:
    """`ip` in the namespace of the calling thread."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@dataclass(slots=True)
class Network:
    """Pairs of interfaces: what is sent to `wire(name)` arrives at `name`."""

    names: tuple[str, ...]

    def pair(self, name: str, mtu: int = 1500) -> None:
        """Makes an interface and its wire, both up and silent."""
        wire = self.wire(name)
        ip("link", "add", name, "mtu", str(mtu), "type", "veth", "peer", "name", wire, "mtu", str(mtu))
        for end in (wire, name):
            ip("link", "set", end, "addrgenmode", "none")
            ip("link", "set", end, "up")

    def remove(self, name: str) -> None:
        """The interface vanishes, with its wire."""
        ip("link", "del", name)

    def state(self, name: str, state: str) -> None:
        """`up` or `down`."""
        ip("link", "set", name, state)

    @staticmethod
    def wire(name: str) -> str:
        """The other end."""
        return f"{name}-w"

    def send(self, name: str, frames: Sequence[bytes]) -> None:
        """All frames, in order, as they are."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as out:
            out.bind((self.wire(name), 0))
            for frame in frames:
                out.send(frame)


@contextlib.contextmanager
def namespace(*names: str) -> Iterator[Network]:
    """Moves the calling thread, and what it starts, into a fresh namespace with these interfaces; back at the end.

    Raises `NoNamespace` where that is not permitted.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(libc.unshare(CLONE_NEWNET), "a network namespace cannot be made")
        try:
            for which in ("all", "default"):
                # Without neighbor discovery nothing is on the wire but what a test sends.
                Path(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6").write_text("1", encoding="ascii")
            network = Network(names)
            for name in names:
                network.pair(name)
            yield network
        finally:
            _checked(libc.setns(before, CLONE_NEWNET), "the namespace of before cannot be entered again")
    finally:
        os.close(before)
