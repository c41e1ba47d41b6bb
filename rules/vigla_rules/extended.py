"""A correlation's extended condition (``a and not b``) → an expression over the rules it lists.

Read here and not by pySigma, which knows no place in the file and takes a condition that silence alone would meet.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from vigla_rules.findings import Code, Refusal, did_you_mean

MAX_LENGTH = 8_192
MAX_NESTING = 32
MAX_ALTERNATIVES = 256
_AT = ("correlation", "condition")
_WORDS = ("and", "or", "not")
_TOKEN = re.compile(r"[A-Za-z0-9_.-]+|[()]|\S")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")

Extended = tuple[str, "int | Extended | tuple[Extended, ...]"]
"""``("rule", place)``, ``("not", …)``, ``("and", (…, …))``, ``("or", (…, …))``."""
Alternative = tuple[frozenset[int], frozenset[int]]
"""Rules that must have a hit, and rules that must have none."""


def parse_extended(text: str, listed: tuple[str, ...]) -> tuple[Extended, tuple[str, ...]]:
    """The expression and the rules that its places stand for: those listed, or without a list those it names.

    Raises ``Refusal``: syntax, a name that is not listed, a listed rule that is not named, nothing but negations.
    """
    if len(text) > MAX_LENGTH:
        raise _refusal(f"a condition of {len(text)} characters", f"at most {MAX_LENGTH}")
    tokens = _TOKEN.findall(text)
    names = list(dict.fromkeys(word for word in tokens if _NAME.fullmatch(word) and word.lower() not in _WORDS))
    rules = listed or tuple(names)
    for name in names:
        if name not in rules:
            advice = did_you_mean(name, list(rules), f"listed: {', '.join(rules)}")
            raise _refusal(f"the condition names rule '{name}', which is not listed", advice)
    for rule in rules:
        if rule not in names:
            raise _refusal(f"rule '{rule}' is listed and not named in the condition", "name it, or drop it")
    parser = _Parser(tokens, rules)
    expression = parser.any_of(0)
    if parser.left:
        raise parser.unexpected()
    _check_meaning(expression)
    return expression, rules


@dataclass(slots=True)
class _Parser:
    """Recursive descent: ``not`` binds tighter than ``and``, that than ``or``."""

    tokens: list[str]
    rules: Sequence[str]
    at: int = 0

    @property
    def left(self) -> list[str]:
        return self.tokens[self.at : self.at + 1]

    def any_of(self, depth: int) -> Extended:
        return self._joined("or", lambda: self._joined("and", lambda: self._one(depth)))

    def _joined(self, word: str, part: Callable[[], "Extended"]) -> Extended:
        parts = [part()]
        while self.left == [word]:
            self.at += 1
            parts.append(part())
        return parts[0] if len(parts) == 1 else (word, tuple(parts))

    def _one(self, depth: int) -> Extended:
        if depth > MAX_NESTING:
            raise _refusal(f"nested deeper than {MAX_NESTING}", "split the condition")
        word = self.left[0] if self.left else ""
        if word == "(":
            self.at += 1
            inner = self.any_of(depth + 1)
            if self.left != [")"]:
                raise self.unexpected()
            self.at += 1
            return inner
        if word == "not":
            self.at += 1
            return "not", self._one(depth + 1)
        if word not in self.rules:
            raise self.unexpected()
        self.at += 1
        return "rule", self.rules.index(word)

    def unexpected(self) -> Refusal:
        """What stands where something else belongs."""
        if not self.left:
            return _refusal("the condition ends too early", "a rule, `not` or `(` follows `and`, `or`, `not`, `(`")
        word = self.left[0]
        if word.lower() in _WORDS and word not in _WORDS:
            return _refusal(f"`{word}` in the condition", f"write `{word.lower()}`, in lower case")
        before = " ".join(self.tokens[max(0, self.at - 2) : self.at])
        place = f"after `{before}`" if before else "at the start"
        return _refusal(f"`{word}` {place} of the condition", "only rules, and, or, not, ( and )")


def _check_meaning(expression: Extended) -> None:
    found = list(alternatives(expression))
    if not found:
        raise _refusal("the condition can never hold", "drop the contradiction")
    if any(not wanted for wanted, _ in found):
        raise _refusal("the condition holds where nothing happened", "join each `not` to a rule by `and`")


def alternatives(expression: Extended) -> Iterator[Alternative]:
    """The ways to meet an expression. Raises ``Refusal`` where there are too many."""
    yield from _alternatives(expression, negated=False)


def _alternatives(expression: Extended, *, negated: bool) -> list[Alternative]:
    match expression:
        case "rule", int(place):
            return [(frozenset(), frozenset({place})) if negated else (frozenset({place}), frozenset())]
        case "not", tuple(inner):
            return _alternatives(cast("Extended", inner), negated=not negated)
    kind, parts = expression
    each = [_alternatives(part, negated=negated) for part in cast("tuple[Extended, ...]", parts)]
    if (kind == "and") == negated:
        return _bounded([one for part in each for one in part])
    found: list[Alternative] = [(frozenset(), frozenset())]
    for part in each:
        found = _bounded([(a | c, b | d) for a, b in found for c, d in part])
    return found


def to_json(expression: Extended) -> dict[str, object]:
    """As in ``rules.json``: ``{"rule": place}``, ``{"not": …}``, ``{"and": […]}``, ``{"or": […]}``."""
    match expression:
        case "rule", int(place):
            return {"rule": place}
        case "not", tuple(inner):
            return {"not": to_json(cast("Extended", inner))}
    kind, parts = expression
    return {kind: [to_json(part) for part in cast("tuple[Extended, ...]", parts)]}


def _bounded(found: list[Alternative]) -> list[Alternative]:
    kept = list(dict.fromkeys(one for one in found if not one[0] & one[1]))
    if len(kept) > MAX_ALTERNATIVES:
        raise _refusal(f"the condition has more than {MAX_ALTERNATIVES} alternatives", "split the correlation")
    return kept


def _refusal(reason: str, suggestion: str) -> Refusal:
    return Refusal(Code.BAD_CORRELATION, reason, suggestion, _AT)
