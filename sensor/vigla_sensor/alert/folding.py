"""The words of an alert as the stores index them (delivery.md 6): the same at the hub (`tests/contract/fold.json`)."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

_WORD = 64
_SEARCH_TEXT = 16_384
"""Characters; evidence beyond is stored, not searched."""

SEARCHED = (
    "message",
    "rule.name",
    "observer.name",
    "dns.question.name",
    "url.full",
    "url.original",
    "url.domain",
    "user.name",
    "host.name",
    "process.command_line",
    "process.name",
    "file.name",
    "source.ip",
    "destination.ip",
    "related",
    "vigla.entity.value",
    "vigla.event",
)
"""Where a person would look for words; the hub searches the same (a contract test holds both sides to it)."""


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


def search_text(document: Mapping[str, Any]) -> str:
    """The folded words of an alert, for the stores' word search."""
    parts: list[str] = []
    size = 0
    for path in SEARCHED:
        for text in texts(_at(document, path)):
            parts.append(text[:_SEARCH_TEXT])
            size += len(text)
            if size > _SEARCH_TEXT:
                return fold(" ".join(parts))[:_SEARCH_TEXT]
    return fold(" ".join(parts))[:_SEARCH_TEXT]


def _at(document: Mapping[str, Any], path: str) -> Any:
    found: Any = document
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
