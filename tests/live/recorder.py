"""A second opinion on what arrived: frames with the kernel's own times, as a capture file.

Asking for time stamps makes the kernel take one for each packet as it arrives; every ring then has the same one.
"""

import socket
import struct
import threading
from pathlib import Path
from types import TracebackType

from tests.live.network import ETH_P_ALL, SO_TIMESTAMPNS

_SOL_PACKET, _PACKET_AUXDATA, _PACKET_IGNORE_OUTGOING = 263, 8, 23
_VLAN_VALID, _TPID_VALID = 1 << 4, 1 << 6
_AUXDATA = struct.Struct("=IIIHHHH")
_QUIET_SECONDS = 0.2


class Recorder:
    """Records an interface from its making to its end (a `with` block), in the order of arrival."""

    def __init__(self, name: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        self._socket.bind((name, ETH_P_ALL))
        self._socket.settimeout(_QUIET_SECONDS)
        self._stopping = threading.Event()
        self.packets: list[tuple[int, bytes]] = []
        self._thread = threading.Thread(target=self._run, name=f"record-{name}")

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                data, notes, _, _ = self._socket.recvmsg(1 << 17, 512)
            except TimeoutError:
                if self._stopping.is_set():
                    return
                continue
            stamp, tag = 0, b""
            for level, kind, value in notes:
                if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                    seconds, nanos = struct.unpack("=qq", value[:16])
                    stamp = seconds * 1_000_000_000 + nanos
                elif (level, kind) == (_SOL_PACKET, _PACKET_AUXDATA):
                    status, _, _, _, _, tci, tpid = _AUXDATA.unpack(value[: _AUXDATA.size])
                    if status & _VLAN_VALID:
                        tag = struct.pack("!HH", tpid if status & _TPID_VALID else 0x8100, tci)
            self.packets.append((stamp, data[:12] + tag + data[12:]))


def write(path: Path, packets: list[tuple[int, bytes]]) -> None:
    """As pcap with nanoseconds (Ethernet)."""
    with path.open("wb") as out:
        out.write(struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1))
        for stamp, data in packets:
            seconds, nanos = divmod(stamp, 1_000_000_000)
            out.write(struct.pack("=IIII", seconds, nanos, len(data), len(data)) + data)
