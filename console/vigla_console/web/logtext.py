"""Text from the network on a page: escaped, bounded, every character that could mislead a reader shown as code.

Control and format characters (among them the bidirectional ones, Unicode TR 36 3.6) are written as ``U+202E``; links
stay dead because nothing here makes one.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

LONGEST = 2_000
MOST_VALUES = 50
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def shown(value: Any, longest: int = LONGEST) -> Markup:
    """``value`` as markup: lists joined by commas, objects as ``key: value``, at most ``longest`` characters."""
    text = plain(value)
    cut = text[:longest]
    parts: list[str] = []
    run = 0
    for place, character in enumerate(cut):
        if unicodedata.category(character) in _UNSEEN:
            parts.append(escape(cut[run:place]))
            parts.append(Markup('<span class="code-point">U+{}</span>').format(f"{ord(character):04X}"))
            run = place + 1
    parts.append(escape(cut[run:]))
    if len(text) > longest:
        parts.append(Markup('<span class="code-point">+{}</span>').format(len(text) - longest))
    return Markup("").join(parts)


def plain(value: Any) -> str:
    """``value`` as one line of text, at most 50 members of a list or object."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {plain(inner)}" for key, inner in list(value.items())[:MOST_VALUES])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(plain(inner) for inner in value[:MOST_VALUES])
    return str(value)


def flat(body: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """A document as (dotted path, value), in its own order: what the page lists under "all fields"."""
    rows: list[tuple[str, Any]] = []
    for key, value in body.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            rows += flat(value, f"{path}.")
        else:
            rows.append((path, value))
    return rows
