"""Whether this box's clock is synchronized, asked of the kernel (`adjtimex(2)`), which every time daemon tells."""

import ctypes

_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000
_TIME_ERROR = 5


class _Timex(ctypes.Structure):
    """`struct timex`; the tail is reserved."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("rest", ctypes.c_char * 256),
    )


def kernel_clock() -> tuple[bool, float]:
    """(synchronized, offset in milliseconds). Where the kernel cannot be asked: not synchronized, offset 0."""
    state = _Timex()
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
    except (OSError, AttributeError):
        return False, 0.0
    if answer in (-1, _TIME_ERROR) or state.status & _STA_UNSYNC:
        return False, 0.0
    return True, state.offset / (1e6 if state.status & _STA_NANO else 1e3)
