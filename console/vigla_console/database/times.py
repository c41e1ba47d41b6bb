"""Instants in columns: whole milliseconds UTC."""

from datetime import UTC, datetime


def to_column(instant: datetime) -> int:
    return int(instant.replace(microsecond=0).timestamp()) * 1000 + instant.microsecond // 1000


def from_column(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)


def maybe_to(instant: datetime | None) -> int | None:
    return None if instant is None else to_column(instant)


def maybe_from(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_column(milliseconds)
