"""The words of an alert as the stores index them (delivery.md 6): the same at the hub (`tests/contract/fold.json`)."""

import unicodedata
from collections.abc import Iterator
from typing import Any

_WORD = 64


def fold(text: str) -> str:
    """NFKD, casefold, NFKD, no combining marks, `ς` as `σ`, only letters and digits, words of at most 64 characters."""
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = (
        " " if category[0] not in "LN" else character
        for character, category in ((character, unicodedata.category(character)) for character in spread)
        if category[0] != "M"
    )
    return " ".join(word[:_WORD] for word in "".join(kept).replace("ς", "σ").split())


def texts(value: Any) -> Iterator[str]:
    """Every text and number in a value, in its order."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
