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
    index_report,
    interfaces,
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
    "index_report",
    "interfaces",
    "match_lines",
    "pack_info",
    "sources_explain",
]
