"""The hit: what the native core hands over for one match (`docs/native-boundary.md`)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadHit(ValueError):
    """The core and this version do not speak the same language: a fault of the build, never of traffic."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One match, correlation or correlation summary. `ts` is nanoseconds since 1970."""

    kind: str
    event_id: str
    rule: str
    ts: int
    logsource: Mapping[str, str | None]
    event: Mapping[str, Any]
    matched: Sequence[Mapping[str, Any]]
    correlation: Mapping[str, Any] | None

    @classmethod
    def read(cls, data: bytes) -> "Hit":
        """Raises `BadHit` if something is missing."""
        try:
            document = json.loads(data)
            return cls(
                kind=document["kind"],
                event_id=document["event_id"],
                rule=document["rule"],
                ts=int(document["ts"]),
                logsource=document["logsource"],
                event=document["event"],
                matched=document.get("matched") or [],
                correlation=document.get("correlation"),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BadHit(
                f"a hit of the core cannot be read ({error!r}): vigla-native and vigla-sensor differ in version"
            ) from error


def instant(nanoseconds: int) -> datetime:
    """Nanoseconds since 1970 (64 bits: years 1677 to 2262) as a time, cut to milliseconds, the stores' precision."""
    return _EPOCH + timedelta(milliseconds=nanoseconds // 1_000_000)


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with three decimals, e.g. `2026-11-23T00:14:07.000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
