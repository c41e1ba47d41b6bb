"""One YAML document → the draft of a correlation, read from the YAML itself.

pySigma 1.5.1 makes ``3.5`` a 3, takes one operator only, and accepts a percentile of 150, a reference to itself, an
alias of a rule that is not listed, and unknown keys.
"""

import re
from collections.abc import Mapping
from math import ceil, floor, isfinite
from typing import cast

from vigla_rules.drafts import CorrelationDraft, Placed
from vigla_rules.extended import Extended, parse_extended
from vigla_rules.findings import Code, Refusal, did_you_mean
from vigla_rules.metadata import read_metadata
from vigla_rules.rules import Warn, warn_about

TEMPORAL = frozenset({"temporal", "temporal_ordered"})
COUNTING = TEMPORAL | {"event_count"}
NUMERIC = frozenset({"value_sum", "value_avg", "value_percentile", "value_median"})
VALUES = NUMERIC | {"value_count"}
OPERATORS = ("gt", "gte", "lt", "lte", "eq", "neq")
MAX_TIMESPAN_MS = 31 * 86_400_000
MAX_THRESHOLD = 65_536
MAX_AMOUNT = 10**15
"""Of sums, averages and percentiles: what the core's doubles hold exactly."""
MAX_RULES = 64
_KEYS = ["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"]
_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_SPAN = re.compile(r"(\d{1,9})([A-Za-z]+)")


def read_correlation(
    value: Mapping[str, object], path: str, index: int, placed: Placed, warn: Warn
) -> CorrelationDraft:
    """Compiles one correlation; references are resolved when all rules are known. Raises ``Refusal``."""
    meta, _ = read_metadata(value, path, index)
    body = value["correlation"]
    if not isinstance(body, dict):
        raise _refusal("no map under 'correlation'", "add type, rules, timespan, condition")
    for key in body:
        if key not in _KEYS:
            advice = did_you_mean(str(key), _KEYS, f"known: {', '.join(_KEYS)}")
            raise _refusal(f"key '{key}' is not known", advice, key)
    kind = body.get("type")
    if kind not in COUNTING | VALUES:
        known = sorted(COUNTING | VALUES)
        raise _refusal(f"type {kind!r}", did_you_mean(str(kind), known, f"known: {', '.join(known)}"), "type")
    rules, condition, fields, percentile, expression = _tested(str(kind), body)
    warn_about(meta, value, warn)
    generate = body.get("generate", False)
    if not isinstance(generate, bool):
        raise _refusal(f"generate {generate!r}", "write true or false", "generate")
    return CorrelationDraft(
        meta=meta,
        placed=placed,
        type=str(kind),
        rules=rules,
        group_by=_fields(body.get("group-by"), "group-by"),
        aliases=_aliases(body.get("aliases"), rules),
        timespan_ms=_timespan(body.get("timespan")),
        fields=fields,
        percentile=percentile,
        condition=condition,
        expression=expression,
        generate=generate,
    )


Condition = tuple[tuple[tuple[str, int | float], ...], tuple[str, ...], float | None]
Tested = tuple[tuple[str, ...], *Condition, Extended | None]


def _tested(kind: str, body: Mapping[str, object]) -> Tested:
    """The listed rules, and what is asked of them."""
    rules = _names(body.get("rules"), "rules")
    if doubled := [rule for rule in rules if rules.count(rule) > 1]:
        raise _refusal(f"rule '{doubled[0]}' is listed twice", "list it once", "rules")
    condition = body.get("condition")
    if isinstance(condition, str):
        if kind not in TEMPORAL:
            raise _refusal(
                f"'{kind}' with an extended condition", f"only {' and '.join(sorted(TEMPORAL))}", "condition"
            )
        expression, rules = parse_extended(condition, rules)
        if len(rules) > MAX_RULES:
            raise _refusal(f"{len(rules)} rules in the condition", f"at most {MAX_RULES}", "condition")
        return rules, (), (), None, expression
    if not rules:
        raise _refusal("no rules", "list the rules by name or id", "rules")
    if len(rules) > MAX_RULES:
        raise _refusal(f"{len(rules)} rules", f"at most {MAX_RULES}", "rules")
    if kind in TEMPORAL and len(rules) < 2:
        raise _refusal(f"'{kind}' over one rule", "list at least two", "rules")
    return rules, *_condition(kind, condition, len(rules)), None


def _condition(kind: str, condition: object, rules: int) -> Condition:
    if condition is None and kind in TEMPORAL:
        return (("gte", rules),), (), None
    if not isinstance(condition, dict):
        raise _refusal("no condition", "write for instance `condition: {gte: 10}`", "condition")
    tests = _tests(kind, condition)
    _check_range(kind, tests)
    if kind in TEMPORAL:
        _check_temporal(kind, tests, rules)
    fields = _fields(condition.get("field"), "condition", "field")
    if kind in VALUES and not fields:
        raise _refusal(f"'{kind}' without a field", "add `field:` to the condition", "condition")
    if kind not in VALUES and fields:
        raise _refusal(f"'{kind}' with a field", "drop it, or use value_count", "condition", "field")
    if len(fields) > 1 and kind != "value_count":
        raise _refusal(f"'{kind}' over several fields", "name one", "condition", "field")
    return tuple(tests), fields, _percentile(kind, condition)


def _tests(kind: str, condition: Mapping[str, object]) -> list[tuple[str, int | float]]:
    tests: list[tuple[str, int | float]] = []
    for key, bound in condition.items():
        if key in ("field", "percentile"):
            continue
        if key not in OPERATORS:
            advice = did_you_mean(str(key), [*OPERATORS, "field", "percentile"], f"known: {', '.join(OPERATORS)}")
            raise _refusal(f"key '{key}' is not known", advice, "condition", str(key))
        if isinstance(bound, bool) or not isinstance(bound, int | float) or not isfinite(bound):
            raise _refusal(f"{key}: {bound!r}", "write a number without quotes", "condition", str(key))
        most = MAX_AMOUNT if kind in NUMERIC else MAX_THRESHOLD
        if abs(bound) > most:
            raise _refusal(f"{key}: {bound}", f"at most {most}", "condition", str(key))
        tests.append((str(key), bound))
    if not tests:
        raise _refusal("no operator in the condition", f"use one of {', '.join(OPERATORS)}", "condition")
    return tests


def _check_temporal(kind: str, tests: list[tuple[str, int | float]], rules: int) -> None:
    low = rules if kind == "temporal_ordered" else 2
    if len(tests) > 1 or tests[0][0] != "gte" or not low <= tests[0][1] <= rules or tests[0][1] % 1:
        raise _refusal(f"'{kind}' with this condition", f"only gte from {low} to {rules}", "condition")


def _percentile(kind: str, condition: Mapping[str, object]) -> float | None:
    value = condition.get("percentile")
    if kind != "value_percentile":
        if value is not None:
            raise _refusal(f"'{kind}' with a percentile", "drop it", "condition", "percentile")
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise _refusal(f"percentile {value!r}", "a number from 0 to 100", "condition", "percentile")
    return float(value)


def _check_range(kind: str, tests: list[tuple[str, int | float]]) -> None:
    """Refuses what no number meets; counts are whole and, in a window that is tested, at least 1."""
    least: list[tuple[float, bool]] = [(bound, name == "gt") for name, bound in tests if name in ("gt", "gte", "eq")]
    most: list[tuple[float, bool]] = [(bound, name == "lt") for name, bound in tests if name in ("lt", "lte", "eq")]
    if kind not in NUMERIC:
        least = [(1, False), *((floor(bound) + 1 if above else ceil(bound), False) for bound, above in least)]
        most = [(ceil(bound) - 1 if below else floor(bound), False) for bound, below in most]
    if not least or not most:
        return
    (low, above), (high, below) = max(least), min(most, key=lambda pair: (pair[0], not pair[1]))
    single = low == high and ("neq", low) in tests
    if low > high or (low == high and (above or below)) or single:
        raise _refusal("no number meets all of the condition", "mend the range", "condition")


def _timespan(value: object) -> int:
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match and match[2] in ("M", "y"):
        raise _refusal(f"timespan {value!r}: months and years differ in length", "write days, e.g. 30d", "timespan")
    if match is None or match[2] not in _UNITS or int(match[1]) == 0:
        raise _refusal(f"timespan {value!r}", "a number above 0 and s, m, h, d or w, e.g. 5m", "timespan")
    span = int(match[1]) * _UNITS[match[2]]
    if span > MAX_TIMESPAN_MS:
        raise _refusal(f"timespan {value!r} is longer than 31 days", "shorten it", "timespan")
    return span


def _aliases(value: object, rules: tuple[str, ...]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise _refusal("'aliases' is no map", "write `alias: {rule: field}`", "aliases")
    read = []
    for alias, mapping in value.items():
        if not isinstance(mapping, dict) or not all(isinstance(name, str) for name in mapping.values()):
            raise _refusal(
                f"alias '{alias}' is no map of rules to fields", "write `{rule: field}`", "aliases", str(alias)
            )
        for rule in mapping:
            if rule not in rules:
                advice = did_you_mean(str(rule), list(rules), f"listed: {', '.join(rules)}")
                raise _refusal(
                    f"alias '{alias}' is for rule '{rule}', which is not listed", advice, "aliases", str(alias)
                )
        read.append(
            (str(alias), tuple((str(rule), cast("str", name).replace(" ", "")) for rule, name in mapping.items()))
        )
    return tuple(read)


def _fields(value: object, *at: str) -> tuple[str, ...]:
    """Field names, without blanks as everywhere."""
    return tuple(name.replace(" ", "") for name in _names(value, *at))


def _names(value: object, *at: str) -> tuple[str, ...]:
    if value is None:
        return ()
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) and name for name in names):
        raise _refusal(f"{value!r}", "write names", *at)
    return tuple(str(name) for name in names)


def _refusal(reason: str, suggestion: str, *at: str) -> Refusal:
    return Refusal(Code.BAD_CORRELATION, reason, suggestion, ("correlation", *at))
