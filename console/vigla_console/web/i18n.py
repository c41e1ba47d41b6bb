"""Two languages and how each writes times and numbers.

Message ids are English; `locale/el/LC_MESSAGES/messages.po` holds the Greek. Catalogs are read from their `.po` at
start, so no compiled file can be stale. Times are shown in Europe/Athens and kept in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from io import BytesIO
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = ("el", "en")
DEFAULT = "el"
ATHENS = ZoneInfo("Europe/Athens")


@dataclass(frozen=True, slots=True)
class Speech:
    """One language: its catalog and its formats."""

    language: str
    catalog: NullTranslations

    def text(self, message: str) -> str:
        """The message in this language; an id without a translation comes back as it is."""
        return self.catalog.gettext(message) if message else ""

    def count(self, one: str, many: str, number: int) -> str:
        """The plural form for ``number``, with ``%(num)s`` filled in."""
        return self.catalog.ngettext(one, many, number) % {"num": self.number(number)}

    def number(self, value: float) -> str:
        """``1.234,5`` in Greek, ``1,234.5`` in English."""
        return format_decimal(value, locale=self.language)

    def clock(self, instant: datetime) -> str:
        """``23/11/2026 02:14``: 24 hours, Athens."""
        return instant.astimezone(ATHENS).strftime("%d/%m/%Y %H:%M")

    def day(self, instant: datetime) -> str:
        """``23/11``, Athens."""
        return instant.astimezone(ATHENS).strftime("%d/%m")

    def ago(self, span: timedelta) -> str:
        """``2 hours``, rounded to one unit."""
        return format_timedelta(max(span, timedelta(0)), locale=self.language, threshold=1)


def speeches() -> Mapping[str, Speech]:
    """Every language the console speaks; English is the language of the message ids."""
    return {"el": Speech("el", _catalog("el")), "en": Speech("en", NullTranslations())}


def _catalog(language: str) -> GNUTranslations:
    source = resources.files("vigla_console.web").joinpath("locale", language, "LC_MESSAGES", "messages.po")
    with source.open("rb") as file:
        catalog = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)


def athens_midnight(instant: datetime) -> datetime:
    """When the Athenian day of ``instant`` began."""
    return instant.astimezone(ATHENS).replace(hour=0, minute=0, second=0, microsecond=0)
