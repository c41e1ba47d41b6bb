"""pySigma's values → our predicates (the operators of docs/pack-format.md)."""

from decimal import Decimal

from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from vigla_rules.expressions import Argument, Expression, Predicate, any_of
from vigla_rules.findings import Code, Refusal

_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
_WILDCARDS = {SpecialChars.WILDCARD_MULTI: "*", SpecialChars.WILDCARD_SINGLE: "?"}
_CASED = (("cased", True),)
Part = str | Placeholder | SpecialChars


def to_expression(field: str | None, value: SigmaType, *, cased: bool = False) -> Expression:
    """What one value under one field asks; raises ``Refusal`` for a value that no engine could test."""
    match value:
        case SigmaExpansion():
            return any_of([to_expression(field, member, cased=cased) for member in value.values])
        case SigmaString():
            return _text(field, value, cased=cased or isinstance(value, SigmaCasedString))
        case SigmaFieldReference():
            return _reference(field, value, cased=cased)
        case SigmaNull() | SigmaNumber() | SigmaBool() if field is None:
            return _plain_keyword(value)
        case SigmaNull():
            return Predicate("null", field)
        case SigmaTimestampPart():
            return _time(field, value, "eq")
        case SigmaNumber():
            return Predicate("num", field, (("value", number_text(value.number)),))
        case SigmaBool():
            return Predicate("bool", field, (("value", value.boolean),))
    return _special(field, value)


def _special(field: str | None, value: SigmaType) -> Predicate:
    match value:
        case SigmaRegularExpression():
            flags = "".join(sorted(_FLAGS[flag] for flag in value.flags))
            return Predicate("re", field, (("pattern", str(value.regexp)), ("flags", flags)))
        case SigmaCIDRExpression():
            return Predicate("cidr", field, (("value", str(value.network)),))
        case SigmaCompareExpression():
            operator = value.op.name.lower()
            if isinstance(value.number, SigmaTimestampPart):
                return _time(field, value.number, operator)
            return Predicate(operator, field, (("value", number_text(value.number.number)),))
        case SigmaExists():
            return Predicate("exists", field, (("value", value.exists),))
    raise Refusal(Code.BAD_VALUE, f"a value of type {type(value).__name__}", "use a pipeline that leaves plain values")


def _plain_keyword(value: SigmaNull | SigmaNumber | SigmaBool) -> Predicate:
    if isinstance(value, SigmaNull):
        raise Refusal(Code.BAD_VALUE, "null as a keyword", "name the field that is null")
    text = number_text(value.number) if isinstance(value, SigmaNumber) else str(value.boolean).lower()
    return Predicate("contains", None, (("value", text),))


def _reference(field: str | None, value: SigmaFieldReference, *, cased: bool) -> Predicate:
    how = {(False, False): "eq", (True, False): "startswith", (False, True): "endswith"}.get(
        (value.starts_with, value.ends_with), "contains"
    )
    return Predicate(
        "fieldref", field, (("other", value.field.replace(" ", "")), ("how", how), *(_CASED if cased else ()))
    )


def number_text(number: int | float) -> str:
    """Decimal text of a number, without exponent and without a fraction of zeros."""
    return str(number) if isinstance(number, int) else format(Decimal(repr(number)), "f")


def _time(field: str | None, value: SigmaTimestampPart, operator: str) -> Predicate:
    part = value.timestamp_part.name.lower()
    return Predicate("time", field, (("part", part), ("cmp", operator), ("value", int(value.number))))


def _text(field: str | None, value: SigmaString, *, cased: bool) -> Expression:
    parts = _squeezed(list(value.s))
    extra = _CASED if cased else ()
    if field is None:  # a keyword is never anchored
        if not [part for part in parts if part is not SpecialChars.WILDCARD_MULTI]:
            raise Refusal(Code.BAD_VALUE, "an empty keyword, found in every event", "write the word to look for")
        parts = _squeezed([SpecialChars.WILDCARD_MULTI, *parts, SpecialChars.WILDCARD_MULTI])
    if not parts:
        return Predicate("empty", field)
    front, back = (parts[at] is SpecialChars.WILDCARD_MULTI for at in (0, -1))
    inner = parts[front : len(parts) - back] if len(parts) > 1 else ([] if front else parts)
    how = {(True, True): "contains", (False, True): "startswith", (True, False): "endswith"}.get((front, back), "eq")
    if any(isinstance(part, Placeholder) for part in inner):
        return _list(field, inner, how, extra)
    if len(inner) <= 1 and not any(isinstance(part, SpecialChars) for part in inner):
        text = inner[0] if inner else ""
        return Predicate(how, field, (("value", str(text)), *extra))
    written = [
        part if isinstance(part, str) else (_WILDCARDS[part],) for part in parts if not isinstance(part, Placeholder)
    ]
    return Predicate("wildcard", field, (("parts", tuple(written)), *extra))


def _list(field: str | None, inner: list[Part], how: str, extra: tuple[tuple[str, Argument], ...]) -> Predicate:
    if len(inner) != 1 or not isinstance(inner[0], Placeholder):
        raise Refusal(Code.PLACEHOLDER, "a placeholder with text around it", "use contains, startswith or endswith")
    if field is None:
        raise Refusal(Code.PLACEHOLDER, "a placeholder as keyword", "name the field that the list is for")
    return Predicate("list", field, (("list", inner[0].name), ("how", how), *extra))


def _squeezed(parts: list[Part]) -> list[Part]:
    """Neighboring texts joined, runs of `*` made one, empty texts dropped."""
    result: list[Part] = []
    for part in parts:
        if part == "":
            continue
        if result and isinstance(part, str) and isinstance(result[-1], str):
            result[-1] += part
        elif not (result and part is SpecialChars.WILDCARD_MULTI and result[-1] is SpecialChars.WILDCARD_MULTI):
            result.append(part)
    return result
