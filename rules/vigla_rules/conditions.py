"""A condition string → an expression over named selections, by pySigma's grammar behind our own checks.

1.5.1 reads ``notsel`` as ``not sel``, drops a pattern that matches nothing, and names ``near`` a bare syntax error:
identifiers and patterns are therefore resolved here, on the tree before pySigma's own post-processing.
"""

import re
from collections.abc import Mapping

from sigma.conditions import (
    ConditionAND,
    ConditionIdentifier,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
    SigmaCondition,
)
from sigma.exceptions import SigmaError
from sigma.rule import SigmaDetections

from vigla_rules.expressions import Expression, Not, all_of, any_of
from vigla_rules.findings import Code, Refusal, did_you_mean

MAX_LENGTH = 8_192
MAX_NESTING = 32
RESERVED = frozenset({"and", "or", "not", "of", "them", "all", "any", "1"})
_WORDS = frozenset({"and", "or", "not", "of", "them", "all", "any"})
_TOKEN = re.compile(r"[A-Za-z0-9_*-]+|[()]|\S")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_REPLACEMENTS = "count() is `event_count`, count(f) `value_count`, sum, avg `value_sum`, `value_avg`, near `temporal`"


def check_name(name: str) -> None:
    """Raises ``Refusal`` for a selection's name that the grammar would read otherwise."""
    if name.startswith("not") or name in RESERVED:
        raise Refusal(
            Code.RESERVED_NAME, f"selection '{name}' begins with or is a word of the grammar", f"call it 'sel_{name}'"
        )


def check_condition(condition: object, names: list[str]) -> set[str]:
    """The selections that a condition names; raises ``Refusal`` before pySigma can read it wrong."""
    if not isinstance(condition, str) or not condition.strip():
        raise Refusal(Code.CONDITION_SYNTAX, f"{condition!r} is no condition", "write a text such as `selection`")
    if len(condition) > MAX_LENGTH:
        raise Refusal(Code.TOO_LARGE, f"a condition of {len(condition)} characters", f"at most {MAX_LENGTH}")
    words = _TOKEN.findall(condition)
    if "|" in words or "near" in words:
        raise Refusal(Code.AGGREGATION, "an aggregation in the condition", f"write a correlation: {_REPLACEMENTS}")
    used: set[str] = set()
    depth = 0
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth > MAX_NESTING:
            raise Refusal(Code.TOO_LARGE, f"parentheses nested deeper than {MAX_NESTING}", "split the condition")
        if before == "of":
            used |= _selected(word, names)
        elif words[at + 1 : at + 2] == ["of"]:
            if word not in {"1", "any", "all"}:
                raise Refusal(Code.CONDITION_SYNTAX, f"`{word} of`", "only `1 of`, `any of` and `all of` exist")
        elif word not in _WORDS and word not in "()":
            used.add(_identifier(word, names))
    return used


def condition_expression(condition: SigmaCondition, selections: Mapping[str, Expression]) -> Expression:
    """The expression of a checked condition; ``selections`` are the author's own, in document order."""
    try:
        tree = condition.parse(postprocess=False)
    except SigmaError as error:
        raise Refusal(Code.CONDITION_SYNTAX, str(error), "words are lower case: not, and, or, 1 of, all of") from None
    except RecursionError:
        raise Refusal(Code.TOO_LARGE, "the condition is nested too deeply", "split the condition") from None
    return _expression(tree, selections)


def parse_condition(text: str, detections: SigmaDetections, selections: Mapping[str, Expression]) -> Expression:
    """``condition_expression`` of a text."""
    return condition_expression(SigmaCondition(text, detections), selections)


def _expression(tree: object, selections: Mapping[str, Expression]) -> Expression:
    match tree:
        case ConditionIdentifier():
            return selections[_identifier(tree.identifier, list(selections))]
        case ConditionSelector():
            members = [selections[name] for name in selections if name in _selected(tree.pattern, list(selections))]
            return all_of(members) if tree.cond_class is ConditionAND else any_of(members)
        case ConditionNOT():
            return Not(_expression(tree.args[0], selections))
        case ConditionAND():
            return all_of([_expression(member, selections) for member in tree.args])
        case ConditionOR():
            return any_of([_expression(member, selections) for member in tree.args])
    raise Refusal(Code.CONDITION_SYNTAX, f"{tree!r} in the condition", "write it with and, or, not")


def _selected(pattern: str, names: list[str]) -> set[str]:
    regex = re.compile(".*" if pattern == "them" else re.escape(pattern).replace(r"\*", ".*"))
    hidden = not pattern.startswith("_")
    found = {name for name in names if regex.fullmatch(name) and not (hidden and name.startswith("_"))}
    if not found:
        raise Refusal(
            Code.NO_MATCH_SELECTOR, f"`of {pattern}` matches no selection", f"the selections are {', '.join(names)}"
        )
    return found


def _identifier(name: str, names: list[str]) -> str:
    if name in names:
        return name
    if name.lower() in _WORDS:
        raise Refusal(Code.CONDITION_SYNTAX, f"`{name}` in the condition", f"write `{name.lower()}`, in lower case")
    if not _NAME.fullmatch(name):
        raise Refusal(Code.CONDITION_SYNTAX, f"`{name}` in the condition", "only names, and, or, not, of, ( and )")
    raise Refusal(
        Code.UNDEFINED_IDENTIFIER, f"'{name}' is not defined", did_you_mean(name, names, f"defined: {', '.join(names)}")
    )
