"""A sensor in a process of its own, which a test may stop, starve of privileges, or kill.

Settings come as the first argument, `UID` as the second: the user it becomes, keeping what `CAPABILITIES` (the third, a
number) says and nothing else. It says `ready` once it watches, or `refused: ...`; when its input closes it stops and
prints hits and counters.
"""

import ctypes
import json
import os
import select
import sys

from tests.live.watching import Watching, everything
from vigla_sensor import engine

_PR_SET_KEEPCAPS, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _VERSION_3 = 8, 24, 38, 0x20080522


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def drop(user: int, capabilities: int) -> None:
    """Becomes `user`, with these capabilities (bits 0 to 31) and no way back."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    # Effective, permitted, inheritable; twice 32 bits.
    sets = (ctypes.c_uint32 * 6)(capabilities, capabilities, 0, 0, 0, 0)
    if libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), ctypes.byref(sets)) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def main() -> int:
    """Until the input closes."""
    settings, user, capabilities = sys.argv[1].encode(), int(sys.argv[2]), int(sys.argv[3])
    if user != 0:
        drop(user, capabilities)
    running = Watching(engine.Sensor(settings, everything()))
    try:
        running.sensor.start()
    except ValueError as error:
        print(f"refused: {error}", flush=True)
        return 1
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        running.poll()
    running.stop()
    print(json.dumps({"hits": running.hits, "stats": running.stats()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
