"""An alert as the console holds it: the document, and the few members every store keys by. Its tenant is never read
from the document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from vigla_console.tenants.models import TenantId


class BadAlert(ValueError):
    """The document lacks what a store needs to key it."""


@dataclass(frozen=True, slots=True)
class Alert:
    """``body`` is the ECS document as it arrived, `organization.*` stamped; treat it as read-only."""

    tenant: TenantId
    event_id: str
    timestamp: datetime  # UTC, whole milliseconds
    body: Mapping[str, Any]

    def value(self, name: str) -> Any:
        """The value at a dotted ECS path, or None; also finds keys that are dotted themselves."""
        return dotted(self.body, name)

    def values(self, name: str) -> list[str | int]:
        """The scalar values at a path: missing, null and [] are all none."""
        found = self.value(name)
        several = found if isinstance(found, list) else [found]
        return [v for v in several if isinstance(v, str | int) and not isinstance(v, bool)]

    def text(self, name: str) -> str:
        """The first text at a path, else empty."""
        return next((v for v in self.values(name) if isinstance(v, str)), "")

    @staticmethod
    def of(tenant: TenantId, body: Mapping[str, Any]) -> "Alert":
        """Raises ``BadAlert`` saying which field is wrong."""
        event_id = dotted(body, "event.id")
        if not isinstance(event_id, str) or not 1 <= len(event_id) <= 512:
            raise BadAlert("event.id must be 1 to 512 characters of text")
        return Alert(tenant, event_id, parse_time(dotted(body, "@timestamp"), "@timestamp"), body)


def dotted(body: Mapping[str, Any], name: str) -> Any:
    """The value at a dotted path; keys that hold dots themselves are found too."""
    if name in body:
        return body[name]
    head, _, rest = name.partition(".")
    while rest:
        inner = body.get(head)
        if isinstance(inner, Mapping):
            found = dotted(inner, rest)
            if found is not None:
                return found
        more, _, rest = rest.partition(".")
        head = f"{head}.{more}"
    return None


def parse_time(value: Any, name: str) -> datetime:
    """RFC 3339 with a zone, cut to milliseconds; raises ``BadAlert`` naming the field."""
    if not isinstance(value, str):
        raise BadAlert(f"{name} must be an RFC 3339 time")
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise BadAlert(f"{name}: {value[:40]!r} is no RFC 3339 time") from None
    if instant.tzinfo is None:
        raise BadAlert(f"{name}: {value[:40]!r} has no zone")
    instant = instant.astimezone(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def millis(instant: datetime) -> int:
    """Milliseconds since 1970, rounded down: the precision both stores share."""
    return (int(instant.timestamp()) * 1_000_000 + instant.microsecond) // 1000


def instant_of(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)


class PutStatus(StrEnum):
    """What became of one alert."""

    CREATED = "created"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"  # the id is taken by other content; the first wins
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class PutResult:
    status: PutStatus
    type: str = ""
    detail: str = ""
    retry: bool = False


@dataclass(frozen=True, slots=True)
class PageRequest:
    """``after`` is the signed cursor of the page before; ``size`` at most 500."""

    size: int = 50
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first, ties by event id. ``total`` is capped at 10,000; ``partial`` says that some store part did not
    answer.
    """

    alerts: Sequence[Alert]
    cursor: str | None
    total: int
    total_is_exact: bool
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Bucket:
    value: str | int
    alerts: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Alerts (not values) per value, most first, ties by value ascending; ``error`` bounds how far a count may be
    off.
    """

    by_field: Mapping[str, Sequence[Bucket]]
    error: int = 0
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Histogram:
    """``counts[value][i]`` alerts with ``edges[i] <= @timestamp < edges[i + 1]``; without `by` the one key is ""."""

    edges: Sequence[datetime]
    counts: Mapping[str | int, Sequence[int]]
    partial: bool = False


@dataclass(frozen=True, slots=True)
class ArrivalCursor:
    """Where a reader of arrivals stands: opaque to all but the store that made it; "" is the beginning."""

    value: str = ""


@dataclass(frozen=True, slots=True)
class Arrivals:
    alerts: Sequence[Alert]
    cursor: ArrivalCursor
    more: bool


@dataclass(frozen=True, slots=True)
class Deleted:
    """``kept_until``: what is older may still lie on disk until then, though no read shows it."""

    count: int
    kept_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """``status`` is green, yellow or red; ``detail`` says why in words for the operator."""

    status: str
    detail: str
    alerts: int
