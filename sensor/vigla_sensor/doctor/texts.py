"""The words of one language, and numbers as that language writes them."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from vigla_sensor.doctor.finding import Finding, Share, Size, Slot, Step

LANGUAGES = ("el", "en")
_MARKS: Mapping[str, tuple[str, str]] = {"el": (".", ","), "en": (",", ".")}
"""Between thousands, and before decimals."""
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_SPANS = (("days", 86_400), ("hours", 3_600), ("minutes", 60))
# What came over the wire or from a configuration must not move a terminal's cursor.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


@dataclass(frozen=True, slots=True)
class Said:
    """A finding in words. `why` is empty and `do` has no steps where nothing is to be done."""

    title: str
    evidence: str
    why: str
    do: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """All words of one language: see `data/<language>.toml`."""

    language: str
    tables: Mapping[str, Mapping[str, Any]]

    def word(self, name: str, /, **slots: Slot) -> str:
        """One of the report's own words, its slots filled."""
        return self._filled(self.tables["words"][name], slots)

    def said(self, finding: Finding) -> Said:
        """The finding's words; `KeyError` for a finding that has none."""
        table = self.tables[finding.id]
        return Said(
            title=self._filled(table["title"], finding.slots),
            evidence=self._filled(table["evidence"], finding.slots),
            why=self._filled(table.get("why", ""), finding.slots),
            do=tuple(self._filled(step, finding.slots) for step in table.get("do", ())),
        )

    def span(self, seconds: float) -> str:
        """A time in its largest whole unit."""
        units = self.tables["units"]
        for name, size in _SPANS:
            if seconds >= 2 * size or (name == "minutes" and seconds >= size):
                return str(units[name]).format(n=self.number(seconds / size, 0 if seconds % size < 1 else 1))
        return str(units["seconds"]).format(n=self.number(seconds, 0 if seconds >= 10 else 1))

    def number(self, value: float, decimals: int = 0) -> str:
        """With this language's marks."""
        between, before = _MARKS[self.language]
        text = f"{value:,.{decimals}f}"
        return text.replace(",", "\0").replace(".", before).replace("\0", between)

    def slot(self, value: Slot) -> str:
        """A value as people read it."""
        match value:
            case Share():
                percent = 100 * value.value
                # "100 %" must mean all of it.
                percent = min(percent, 99.9) if value.part < value.whole else percent
                return f"{self.number(percent, 0 if percent in (0, 100) else 2 if percent < 0.1 else 1)} %"
            case Size():
                return self._size(value.bytes)
            case Step():
                return f"{self.tables['steps'][value.name]} {self.tables['sides'][value.side]}"
            case tuple():
                return ", ".join(str(each).translate(_CONTROLS) for each in value) or str(self.tables["words"]["none"])
            case int():
                return self.number(value)
            case float():
                return self.number(value, 1)
            case str():
                return value.translate(_CONTROLS)

    def _size(self, value: float) -> str:
        unit = 0
        while value >= 1000 and unit < len(_UNITS) - 1:
            value, unit = value / 1000, unit + 1
        return f"{self.number(value, 0 if unit == 0 else 1)} {_UNITS[unit]}"

    def _filled(self, text: str, slots: Mapping[str, Slot]) -> str:
        return text.format(**{name: self.slot(value) for name, value in slots.items()})


def read_texts(language: str) -> Texts:
    """The words of `el` or `en`."""
    source = files("vigla_sensor.doctor").joinpath("data", f"{language}.toml")
    return Texts(language, tomllib.loads(source.read_text(encoding="utf-8")))


def listed(texts: Texts, items: Sequence[tuple[str, int]]) -> str:
    """`dns 12, ssl 3`."""
    return ", ".join(f"{texts.slot(name)} {texts.number(n)}" for name, n in items)
