"""Events, hits, and what a value is to a rule (sigma.md 1.2): what both halves of the reference share."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Json = dict[str, Any]
Value = object
NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?", re.ASCII)
ORDERS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "eq": lambda a, b: a == b, "neq": lambda a, b: a != b, "lt": lambda a, b: a < b, "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b, "gte": lambda a, b: a >= b,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """An event as rules see it. ``ts`` in nanoseconds; ``header`` are names that the body hides (Windows)."""

    fields: Mapping[str, Value]
    logsource: Mapping[str, str | None] = field(default_factory=dict)
    ts: int = 0
    header: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule or correlation that holds; ``order`` is the place of its (last) event among equal times."""

    rule: str
    ts: int
    order: int
    event: Event
    quiet: bool = False
    value: Fraction = Fraction(1)
    group: tuple[tuple[str, str], ...] = ()


def elements(value: Value) -> list[Value]:
    """A list's elements, a scalar alone."""
    return [inner for member in value for inner in elements(member)] if isinstance(value, list) else [value]


def text(value: Value) -> str | None:
    """The text a rule compares with; null has none."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def number(value: Value) -> Fraction | None:
    """A number, or a string that is wholly one decimal number."""
    if isinstance(value, bool) or value is None:
        return None
    return Fraction(str(value)) if isinstance(value, int | float) or NUMBER.fullmatch(str(value)) else None
