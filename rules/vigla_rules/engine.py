"""The native core as the rule author's tools use it: the only module of this package that imports ``vigla_native``.

The core is an optional companion: rules compile without it, and a tool that needs it says so.
"""

import json
import os
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path


class EngineError(RuntimeError):
    """The core is not installed, or refuses what it was given: what, and what to do."""


@dataclass(frozen=True, slots=True)
class RuleCost:
    """What a rule costs the core.

    ``always``: no witness, it is evaluated for every event of its log source. ``share``: expected share of events for
    which it is a candidate. ``predicates``: different questions that its condition asks at most.
    """

    rule: str
    always: bool
    needles: int
    share: float
    predicates: int


@dataclass(frozen=True, slots=True)
class Matched:
    """What matching a file gave: the core's counters, and matches by rule id."""

    counters: dict[str, int]
    matches: Counter[str]


def index_report(pack: bytes) -> list[RuleCost]:
    """The cost of each rule, in the pack's order; raises ``EngineError``."""
    try:
        import vigla_native
    except ImportError:
        raise EngineError("vigla_native is not installed; install the sensor's core beside vigla-rules") from None
    try:
        report = json.loads(vigla_native.index_report(pack))
    except vigla_native.PackError as error:
        raise EngineError(f"the core refuses the pack: {error}") from None
    return [
        RuleCost(row["id"], row["always"], row["needles"], row["share"], row["predicates"]) for row in report["rules"]
    ]


def match_file(pack: bytes, path: Path, logsource: dict[str, str]) -> Matched:
    """Matches the JSON lines of a file; raises ``EngineError``."""
    try:
        import vigla_native
    except ImportError:
        raise EngineError("vigla_native is not installed; install the sensor's core beside vigla-rules") from None
    with tempfile.TemporaryFile() as out:
        try:
            counters = vigla_native.match_lines(pack, str(path), json.dumps(logsource).encode(), out.fileno())
        except (vigla_native.PackError, vigla_native.InputError, vigla_native.SettingsError) as error:
            raise EngineError(str(error)) from None
        out.seek(0, os.SEEK_SET)
        matches = Counter(rule for line in out for rule in json.loads(line)["rules"])
    return Matched(dict(counters), matches)
