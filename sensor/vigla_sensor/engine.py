"""The native core: the only module that imports ``vigla_native`` (docs/native-boundary.md).

Bytes and paths go in, JSON comes out; `detector` says what the Python side needs of it, ``run.wiring`` writes the
settings, ``alert.hit`` reads the hits. Nothing here decides anything.
"""

from vigla_native import (
    Batch,
    InputError,
    PackError,
    Replay,
    Sensor,
    SettingsError,
    events,
    explain,
<<<<<<< HEAD
    index_report,
=======
    interfaces,
>>>>>>> e8bc1fc (Watch interfaces live: AF_PACKET rings, fan-out by address pair, counted drops)
    match_lines,
    pack_info,
    sources_explain,
)

__all__ = [
    "Batch",
    "InputError",
    "PackError",
    "Replay",
    "Sensor",
    "SettingsError",
    "events",
    "explain",
<<<<<<< HEAD
    "index_report",
=======
    "interfaces",
>>>>>>> e8bc1fc (Watch interfaces live: AF_PACKET rings, fan-out by address pair, counted drops)
    "match_lines",
    "pack_info",
    "sources_explain",
]
