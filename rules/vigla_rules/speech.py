"""What the commands say in words, in English or Greek: ids and both languages stand in ``data/messages.toml``."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

LANGUAGES = ("en", "el")


@dataclass(frozen=True, slots=True)
class Speech:
    """Messages of one language by id."""

    language: str
    messages: Mapping[str, str]

    def __call__(self, message: str, /, **slots: object) -> str:
        """The message with its slots filled; raises ``KeyError`` for an id that is not in the table."""
        return self.messages[message].format(**slots) if slots else self.messages[message]


def read_speech(language: str) -> Speech:
    """All messages of ``en`` or ``el``."""
    raw = tomllib.loads(files("vigla_rules").joinpath("data/messages.toml").read_text(encoding="utf-8"))
    return Speech(language, {message: row[language] for message, row in raw.items()})


def spoken_language(environment: Mapping[str, str] = os.environ) -> str:
    """The user's language as POSIX says it: the first of LC_ALL, LC_MESSAGES, LANG that is set decides."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "el" if value.lower().startswith("el") else "en"
    return "en"
