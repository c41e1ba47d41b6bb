"""A rule's ``detection`` map → pySigma's detections → expressions; what 1.5.1 would read silently wrong is refused."""

import datetime
from collections.abc import Callable
from ipaddress import ip_network

from sigma.conditions import ConditionAND
from sigma.exceptions import SigmaError
from sigma.modifiers import SigmaCaseSensitiveModifier
from sigma.rule import SigmaDetection, SigmaDetectionItem
from sigma.types import SigmaNumber, SigmaString, SigmaType, sigma_type

from vigla_rules.expressions import Expression, Not, all_of, any_of
from vigla_rules.findings import At, Code, Refusal, Remark
from vigla_rules.modifiers import COMPARISONS, ENCODERS, TIME_PARTS, check_dashes, check_modifiers, classes, encode
from vigla_rules.regexes import read_pattern
from vigla_rules.values import to_expression

MAX_EXPANDED = 20_000
Warn = Callable[[Remark], None]


def read_detection(definition: object, at: At, warn: Warn) -> SigmaDetection:
    """One named selection as pySigma's objects; ``at`` leads to it. Raises ``Refusal``."""
    if isinstance(definition, dict):
        if not definition:
            raise Refusal(Code.BAD_VALUE, "an empty selection", "name a field and a value", at)
        return SigmaDetection([_item(str(key), value, (*at, key), warn) for key, value in definition.items()])
    if isinstance(definition, list):
        if not definition:
            raise Refusal(Code.BAD_VALUE, "an empty list `[]`", "name a value, or use `null`", at)
        if not any(isinstance(member, dict | list) for member in definition):
            return SigmaDetection([_item("", definition, at, warn)])
        return SigmaDetection([read_detection(member, (*at, i), warn) for i, member in enumerate(definition)])
    return SigmaDetection([_item("", definition, at, warn)])


def detection_expression(detection: SigmaDetection) -> Expression:
    """The condition that one selection stands for, after pipelines changed it as they like."""
    members = [
        detection_expression(member) if isinstance(member, SigmaDetection) else _item_expression(member)
        for member in detection.detection_items
    ]
    if not members:
        raise Refusal(Code.BAD_VALUE, "a pipeline dropped the whole selection", "use a pipeline that keeps it")
    return all_of(members) if detection.item_linking is ConditionAND else any_of(members)


def _item_expression(item: SigmaDetectionItem) -> Expression:
    cased = SigmaCaseSensitiveModifier in item.modifiers
    members = [to_expression(item.field, value, cased=cased) for value in item.value]
    if not members:
        raise Refusal(Code.BAD_VALUE, "a pipeline dropped every value", "use a pipeline that keeps one")
    joined = all_of(members) if item.value_linking is ConditionAND else any_of(members)
    return Not(joined) if item.negated else joined


def _item(key: str, value: object, at: At, warn: Warn) -> SigmaDetectionItem:
    name, *modifiers = key.split("|")
    field = name.replace(" ", "") or None
    values = value if isinstance(value, list) else [value]
    try:
        check_modifiers(modifiers, keyword=field is None)
        if not values:
            raise Refusal(Code.BAD_VALUE, "an empty list `[]`", "name a value, or use `null`")
        if "all" in modifiers and len(values) == 1:
            warn(Remark("all-on-one", "'all' on a single value", "drop it", at))
        if COMPARISONS.intersection(modifiers) and len(values) > 1:
            warn(Remark("compare-list", "a list of bounds is an OR", "keep the widest", at))
    except Refusal as refusal:
        raise refusal.below(*at) from None
    read = []
    for index, member in enumerate(values):
        place = (*at, index) if isinstance(value, list) else at
        try:
            read.append(_value(member, field, modifiers, len(values), lambda r, p=place: warn(_moved(r, p))))  # type: ignore[misc]
        except Refusal as refusal:
            raise refusal.below(*place) from None
    if "windash" in modifiers:
        _check_expansion(read, at)
    try:
        return SigmaDetectionItem(field, classes(modifiers), read)
    except SigmaError as error:
        raise Refusal(_code(modifiers), str(error), "see the modifier's value type", at) from None


def _moved(remark: Remark, at: At) -> Remark:
    return Remark(remark.code, remark.reason, remark.suggestion, at)


def _value(value: object, field: str | None, modifiers: list[str], among: int, warn: Warn) -> SigmaType:
    _check_plain(value, field, modifiers, among)
    if isinstance(value, str):
        if "re" in modifiers:
            pattern, remarks = read_pattern(value, ignore_case=bool({"i", "ignorecase"} & set(modifiers)))
            for text in remarks:
                warn(Remark("inline-flags", text, "use the modifier"))
            return SigmaString.from_str(pattern)
        if ENCODERS.intersection(modifiers):
            return encode(value, modifiers)
        if "cidr" in modifiers:
            _check_network(value)
        if not value and "contains" in modifiers:
            warn(Remark("contains-empty", "`contains` of '' holds for every present field", "use `exists: true`"))
        return _text(value, modifiers)
    if {"re", "cidr", "windash", "fieldref", "expand", "contains", "startswith", "endswith", "cased"} & set(modifiers):
        raise Refusal(_code(modifiers), f"{value!r} is no text", "put it in quotes")
    if value is not None and ENCODERS.intersection(modifiers):
        raise Refusal(Code.BAD_VALUE, f"{value!r} is no text", "put it in quotes")
    read = sigma_type(value)  # type: ignore[arg-type]  # _check_plain left plain values only
    if isinstance(read, SigmaNumber) and isinstance(value, int):
        read.number = value  # 1.5.1 makes whole numbers beyond 2^53 floats
    return read


def _text(value: str, modifiers: list[str]) -> SigmaString:
    text = SigmaString(value)
    if "windash" in modifiers:
        check_dashes(text)
    return text


def _check_expansion(values: list[SigmaType], at: At) -> None:
    """A list of values with dashes, before it is expanded: each alone is bounded already."""
    total = sum(check_dashes(value) for value in values if isinstance(value, SigmaString))
    if total > MAX_EXPANDED:
        raise Refusal(Code.TOO_LARGE, f"`windash` makes {total} values of these", f"at most {MAX_EXPANDED}", at)


def _check_plain(value: object, field: str | None, modifiers: list[str], among: int) -> None:
    if value is None:
        if among > 1:
            raise Refusal(Code.BAD_VALUE, "null inside a value list", "write a second selection")
        if field is None or set(modifiers) - {"neq", "all"}:
            raise Refusal(Code.BAD_VALUE, "null here", "`field: null` stands alone")
    elif isinstance(value, datetime.date | datetime.datetime):
        raise Refusal(Code.BAD_VALUE, "a date as value", "quote it")
    elif not isinstance(value, str | int | float | bool):
        raise Refusal(Code.BAD_VALUE, f"a {type(value).__name__} as value", "quote it, or write a list of selections")
    if "exists" in modifiers and not isinstance(value, bool):
        raise Refusal(Code.BAD_VALUE, "`exists` asks true or false", "write `true` or `false` without quotes")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, float) and not -1e300 < value < 1e300:
        raise Refusal(Code.BAD_VALUE, f"{value} is no finite number", "write a number")
    for part in set(modifiers) & set(TIME_PARTS):
        low, high = TIME_PARTS[part]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Refusal(Code.BAD_VALUE, f"{part} {value!r}", f"{part} is a whole number from {low} to {high}")
    if COMPARISONS.intersection(modifiers) and not number:
        raise Refusal(Code.BAD_VALUE, f"{value!r} is no number to compare with", "write a number without quotes")


def _check_network(value: str) -> None:
    try:
        ip_network(value)
    except ValueError as error:
        try:
            advice = f"write '{ip_network(value, strict=False)}'"
        except ValueError:
            advice = "write a network such as 192.0.2.0/24 or 2001:db8::/32"
        raise Refusal(Code.BAD_CIDR, str(error), advice) from None


def _code(modifiers: list[str]) -> Code:
    for name, code in (("re", Code.BAD_REGEX), ("cidr", Code.BAD_CIDR), ("expand", Code.PLACEHOLDER)):
        if name in modifiers:
            return code
    return Code.BAD_VALUE
