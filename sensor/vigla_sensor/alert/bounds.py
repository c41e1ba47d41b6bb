"""Keeps a body within 256 KiB and its nesting within 16: evidence is cut first, identity and rule never."""

from typing import Any

MAX_BODY = 256 * 1024
"""Bytes of an alert's JSON (delivery.md 1): what every sink takes."""

MAX_DEPTH = 16
_STEPS = ((8192, 512), (1024, 64), (128, 16))
"""Longest text and most items of a list or object, from generous to bare."""


def cut(value: Any, text: int = 32 * 1024, items: int = 4096, depth: int = MAX_DEPTH) -> Any:
    """The value with long texts, long lists and deep nesting cut; nesting becomes its text."""
    if isinstance(value, str):
        return value if len(value) <= text else value[:text] + "…"
    if isinstance(value, list | tuple):
        return [cut(item, text, items, depth - 1) for item in value[:items]] if depth > 0 else "…"
    if isinstance(value, dict):
        if depth <= 0:
            return "…"
        kept = list(value.items())[:items]
        return {str(name)[:256]: cut(item, text, items, depth - 1) for name, item in kept}
    return value


def steps() -> tuple[tuple[int, int], ...]:
    """How far evidence is cut, one try after the other."""
    return _STEPS
