"""What the tools say about a file: findings with their place, and the refusal that stops one rule and nothing else."""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

Key = str | int
At = tuple[Key, ...]
"""A place in a YAML document: the keys and indices that lead to it."""


class Code(StrEnum):
    """Why a rule is refused: a closed list, each with a case in ``tests/sigma``."""

    UNKNOWN_MODIFIER = "unknown-modifier"
    PLACEHOLDER = "placeholder"
    BAD_CIDR = "bad-cidr"
    BAD_REGEX = "bad-regex"
    BAD_VALUE = "bad-value"
    NO_MATCH_SELECTOR = "no-match-selector"
    UNDEFINED_IDENTIFIER = "undefined-identifier"
    RESERVED_NAME = "reserved-name"
    CONDITION_SYNTAX = "condition-syntax"
    AGGREGATION = "aggregation"
    LEGACY_TIMEFRAME = "legacy-timeframe"
    BAD_CORRELATION = "bad-correlation"
    BAD_FILTER = "bad-filter"
    TOO_LARGE = "too-large"
    DUPLICATE_ID = "duplicate-id"
    YAML = "yaml"


class Refusal(Exception):  # a verdict on one rule, not a fault of the program
    """One rule cannot be compiled. ``at`` leads to the offending key; the reader of the file knows the line.

    ``place`` is line and column, from 1, where the document itself could not be read.
    """

    def __init__(
        self, code: Code, reason: str, suggestion: str, at: At = (), *, place: tuple[int, int] = (1, 1)
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.suggestion = suggestion
        self.at = at
        self.place = place

    def below(self, *keys: Key) -> "Refusal":
        """The same refusal, its place seen from further up the document."""
        return Refusal(self.code, self.reason, self.suggestion, (*keys, *self.at))


@dataclass(frozen=True, slots=True)
class Remark:
    """A warning with its place in the document, before the file's path and line are known."""

    code: str
    reason: str
    suggestion: str
    at: At = ()


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One line of output: ``path:line:column: error[code] reason; suggestion``. Lines and columns count from 1."""

    path: str
    line: int
    column: int
    severity: str
    code: str
    reason: str
    suggestion: str
    rule_id: str = ""
    title: str = ""

    def __str__(self) -> str:
        about = f" ({self.title}, {self.rule_id})" if self.title and self.rule_id else ""
        place = f"{self.path}:{self.line}:{self.column}"
        return f"{place}: {self.severity}[{self.code}] {self.reason}; {self.suggestion}{about}"

    @property
    def is_error(self) -> bool:
        """Whether it makes ``check`` fail."""
        return self.severity == "error"


def did_you_mean(word: str, known: list[str], otherwise: str) -> str:
    """``did you mean 'x'?`` for the nearest known name, else the given advice."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else otherwise
