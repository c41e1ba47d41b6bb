"""Texts and regular expressions in Lucene's dialect: whole value, no flags, so folding is written out as classes."""

import re
import re._constants as sre  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from vigla_rules.convert.mapping import UnfaithfulError
from vigla_rules.folding import fold, mapping

MAX_LENGTH = 1000
"""``index.regex_max_length`` of Elasticsearch, its default."""
MAX_RANGE = 512
_CATEGORIES = {
    sre.CATEGORY_DIGIT: "0-9",
    sre.CATEGORY_WORD: "0-9A-Z_a-z",
    sre.CATEGORY_SPACE: " \t\n\r\f\v",
}
_NEGATED = {
    sre.CATEGORY_NOT_DIGIT: "0-9",
    sre.CATEGORY_NOT_WORD: "0-9A-Z_a-z",
    sre.CATEGORY_NOT_SPACE: " \t\n\r\f\v",
}
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


def of_parts(parts: Sequence[str | tuple[str, ...]], *, cased: bool) -> str:
    """A pattern for texts and wildcards (``("*",)``, ``("?",)``) over the whole value; raises ``UnfaithfulError``."""
    wild = {"*": ".*", "?": "."}
    written = (wild[part[0]] if isinstance(part, tuple) else "".join(_char(c, cased) for c in part) for part in parts)
    return _bounded("".join(written))


def of_regex(pattern: str, flags: str) -> str:
    """A pattern that holds where a substring search with Sigma's ``re`` does; raises ``UnfaithfulError``."""
    value = re.RegexFlag(0)
    for flag in flags:
        value |= _FLAGS[flag]
    tree = parser.parse(pattern, value)
    written = [_Dialect(tree.state.flags).whole(list(one)) for one in _alternatives(list(tree))]
    return _bounded(written[0] if len(written) == 1 else f"({'|'.join(written)})")


def _alternatives(items: list[tuple[Any, Any]]) -> list[list[tuple[Any, Any]]]:
    if len(items) == 1 and items[0][0] is sre.BRANCH:
        return [list(one) for one in items[0][1][1]]
    return [items]


def _bounded(pattern: str) -> str:
    if len(pattern) > MAX_LENGTH:
        raise UnfaithfulError(f"its pattern has {len(pattern)} characters, Elasticsearch takes {MAX_LENGTH}")
    return pattern


def _char(char: str, cased: bool) -> str:
    same = {char} if cased else _same(char)
    return _escaped(char) if len(same) == 1 else f"[{''.join(_escaped(one) for one in sorted(same))}]"


def _escaped(char: str) -> str:
    return char if char.isalnum() or char in "_ /" or not char.isascii() or char in "\t\n\r" else f"\\{char}"


def _same(char: str) -> frozenset[str]:
    """All characters that fold as this one does."""
    return _classes().get(fold(char), frozenset({char}))


@lru_cache(maxsize=1)
def _classes() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for code, folded in mapping().items():
        found.setdefault(chr(folded), {chr(folded)}).add(chr(code))
    return {folded: frozenset(same) for folded, same in found.items()}


class _Dialect:
    """Writes a parsed pattern of Python's ``re`` (which reads what our rules may hold) in Lucene's dialect."""

    def __init__(self, flags: int) -> None:
        self.cased = not flags & re.IGNORECASE
        self.any = "." if flags & re.DOTALL else "[^\n]"
        self.multiline = bool(flags & re.MULTILINE)

    def whole(self, items: list[tuple[Any, Any]]) -> str:
        """One alternative with what may stand around it."""
        before = after = ".*"
        if items and items[0][0] is sre.AT and items[0][1] in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
            before, items = self._anchor(items[0][1]), items[1:]
        if items and items[-1][0] is sre.AT and items[-1][1] is sre.AT_END:
            after, items = self._anchor(items[-1][1]), items[:-1]
        return before + "".join(self._item(*one) for one in items) + after

    def _anchor(self, kind: object) -> str:
        if self.multiline and kind is not sre.AT_BEGINNING_STRING:
            raise UnfaithfulError("an anchor of a line is not known to Lucene's patterns")
        return ""

    def _item(self, kind: Any, content: Any) -> str:
        match kind:
            case sre.LITERAL:
                return _char(chr(content), self.cased)
            case sre.NOT_LITERAL:
                return f"[^{self._members(chr(content))}]"
            case sre.ANY:
                return self.any
            case sre.IN:
                return self._class(content)
            case sre.BRANCH:
                return f"({'|'.join(self._all(one) for one in content[1])})"
            case sre.SUBPATTERN:
                _, added, dropped, inner = content
                if added or dropped:
                    raise UnfaithfulError("flags inside a pattern are not known to Lucene's")
                return f"({self._all(inner)})"
            case sre.MAX_REPEAT | sre.MIN_REPEAT:
                low, high, inner = content
                bound = "" if high is sre.MAXREPEAT else str(high)
                return f"({self._all(inner)}){{{low},{bound}}}"
        words = str(content).lower().replace("at_", "").replace("_", " ")
        raise UnfaithfulError(f"'{words}' inside a pattern is not known to Lucene's")

    def _all(self, items: Sequence[tuple[Any, Any]]) -> str:
        return "".join(self._item(*one) for one in items)

    def _class(self, items: Sequence[tuple[Any, Any]]) -> str:
        if len(items) == 1 and items[0][0] is sre.CATEGORY and items[0][1] in _NEGATED:
            return f"[^{_NEGATED[items[0][1]]}]"
        sign = "^" if items[0][0] is sre.NEGATE else ""
        return f"[{sign}{''.join(self._member(*one) for one in items if one[0] is not sre.NEGATE)}]"

    def _member(self, kind: Any, content: Any) -> str:
        if kind is sre.LITERAL:
            return self._members(chr(content))
        if kind is sre.RANGE:
            first, last = content
            if self.cased:
                return f"{_escaped(chr(first))}-{_escaped(chr(last))}"
            if last - first > MAX_RANGE:
                raise UnfaithfulError("a wide range without regard to case is not known to Lucene's patterns")
            return "".join(self._members(chr(code)) for code in range(first, last + 1))
        if kind is sre.CATEGORY and content in _CATEGORIES:
            return str(_CATEGORIES[content])
        raise UnfaithfulError("a negated class inside a class is not known to Lucene's patterns")

    def _members(self, char: str) -> str:
        return "".join(_escaped(one) for one in sorted({char} if self.cased else _same(char)))
