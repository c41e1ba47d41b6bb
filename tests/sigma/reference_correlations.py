"""The obvious correlations: every window recomputed from nothing, over all hits at once (sigma.md 1.5)."""

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import product
from statistics import median

from vigla_rules.folding import fold

from .reference_values import ORDERS, Event, Hit, Json, elements, number, text


def correlate(correlation: Json, hits: list[Hit]) -> list[Hit]:
    """Hits of one correlation over those of the rules it lists: every window recomputed from nothing."""
    found: list[Hit] = []
    keyed: dict[tuple[tuple[str, str], ...], list[Hit]] = {}
    for hit in sorted(hits, key=lambda hit: (hit.ts, hit.order, correlation["rules"].index(hit.rule))):
        key = group(correlation, hit)
        if key is not None and takes_part(correlation, hit):
            keyed.setdefault(key, []).append(hit)
    for key, seen in keyed.items():
        quiet_until: int | None = None
        for ts, last, value in windows(correlation, seen):
            quiet = quiet_until is not None and ts <= quiet_until
            if not quiet:
                quiet_until = ts + span(correlation)
            event = Event({**dict(key), "value": plain(value)}, {}, ts)
            found.append(Hit(str(correlation["id"]), ts, last.order, event, quiet, value, key))
    return sorted(found, key=lambda hit: (hit.ts, hit.order))


def span(correlation: Json) -> int:
    """The timespan in nanoseconds."""
    return int(str(correlation["timespan_ms"])) * 1_000_000


def plain(value: Fraction) -> int | str:
    """A number as the core hands it to correlations above: its double's shortest decimal, without an exponent."""
    return int(value) if value.denominator == 1 else f"{Decimal(repr(float(value))):f}"


def windows(correlation: Json, seen: list[Hit]) -> Iterator[tuple[int, Hit, Fraction]]:
    """(end, last contributing hit, number) of every window of one key that meets the condition."""
    expression = correlation.get("expression")
    if expression is not None and "not" in json.dumps(expression):
        yield from forward(correlation, expression, seen)
        return
    rising = correlation["type"] in ("event_count", "value_count", "temporal", "temporal_ordered") and all(
        test["op"] in ("gt", "gte") for test in correlation["condition"]
    )
    for at, hit in enumerate(seen):
        # What further events may undo is decided once all events of that time are there.
        if not rising and at + 1 < len(seen) and seen[at + 1].ts == hit.ts:
            continue
        window = [other for other in seen[: at + 1] if hit.ts - span(correlation) <= other.ts]
        if expression is not None:
            number = walked(correlation, expression, window, hit)
        else:
            number = metric(correlation, window, hit)
            number = None if number is None or not meets(correlation, number) else number
        if number is not None:
            yield hit.ts, hit, number


def meets(correlation: Json, number: Fraction) -> bool:
    """Whether all terms of the condition hold."""
    return correlation["type"] == "temporal_ordered" or all(
        ORDERS[test["op"]](number, Fraction(str(test["value"]))) for test in correlation["condition"]
    )


def group(correlation: Json, hit: Hit) -> tuple[tuple[str, str], ...] | None:
    """The group key, folded; ``None`` where a field is missing."""
    read = [(name, field_of(correlation, hit, name)) for name in correlation["group_by"]]
    return None if any(value is None for _, value in read) else tuple((name, value or "") for name, value in read)


def field_of(correlation: Json, hit: Hit, name: str) -> str | None:
    """The folded whole text of a field, under its alias if there is one."""
    source = correlation["aliases"].get(name, {}).get(hit.rule, name)
    parts = [text(one) for one in elements(hit.event.fields.get(source))]
    return None if all(part is None for part in parts) else fold(",".join(part or "" for part in parts))


def values_of(correlation: Json, hit: Hit) -> tuple[str | None, ...]:
    """The counted values of a hit."""
    return tuple(field_of(correlation, hit, name) for name in correlation["field"])


def takes_part(correlation: Json, hit: Hit) -> bool:
    """Whether a hit has what is counted."""
    values = values_of(correlation, hit)
    numeric = correlation["type"] not in ("event_count", "value_count", "temporal", "temporal_ordered")
    return None not in values and (not numeric or number(values[0]) is not None)


def metric(correlation: Json, window: list[Hit], last: Hit) -> Fraction | None:
    """What the condition is tested on."""
    listed = list(correlation["rules"])
    match correlation["type"]:
        case "event_count":
            return Fraction(len({(hit.ts, hit.order) for hit in window}))
        case "value_count":
            return Fraction(len({values_of(correlation, hit) for hit in window}))
        case "temporal":
            return Fraction(len({hit.rule for hit in window}))
        case "temporal_ordered":
            return Fraction(len(listed)) if chain(listed, window, last) else None
    # An event that several rules met counts once: the first of the listed rules reads it.
    once = {(hit.ts, hit.order): number(values_of(correlation, hit)[0]) for hit in reversed(window)}
    numbers = [found for found in once.values() if found is not None]
    match correlation["type"]:
        case "value_sum":
            return sum(numbers, Fraction(0))
        case "value_avg":
            return sum(numbers, Fraction(0)) / len(numbers)
        case "value_median":
            return Fraction(median(numbers))
    rank = Fraction(str(correlation["percentile"])) / 100 * (len(numbers) - 1)
    low, ordered = int(rank), sorted(numbers)
    return ordered[low] + (rank - low) * (ordered[min(low + 1, len(ordered) - 1)] - ordered[low])


def chain(listed: list[str], window: list[Hit], last: Hit) -> bool:
    """Whether ``last`` ends the listed order, each step strictly before the next by (time, place)."""
    if last.rule != listed[-1]:
        return False
    before = (last.ts, last.order)
    for rule in reversed(listed[:-1]):
        earlier = [(hit.ts, hit.order) for hit in window if hit.rule == rule and (hit.ts, hit.order) < before]
        if not earlier:
            return False
        before = max(earlier)
    return True


def ways(expression: Json, wanted: bool = True) -> list[tuple[set[int], set[int]]]:
    """The ways to meet an expression: places of rules that must have a hit, and of rules that must have none."""
    [(kind, content)] = expression.items()
    if kind == "rule":
        return [({content}, set())] if wanted else [(set(), {content})]
    if kind == "not":
        return ways(content, not wanted)
    each = [ways(part, wanted) for part in content]
    if (kind == "or") == wanted:
        return [way for part in each for way in part]
    joined = [
        (set[int]().union(*(a for a, _ in way)), set[int]().union(*(b for _, b in way))) for way in product(*each)
    ]
    return [(a, b) for a, b in joined if not a & b]


def walked(correlation: Json, expression: Json, window: list[Hit], last: Hit) -> Fraction | None:
    """Of a condition without ``not``: whether ``last`` completes one of its ways, in its trailing window."""
    for places, _ in ways(expression):
        rules = [correlation["rules"][place] for place in sorted(places)]
        if correlation["type"] == "temporal_ordered":
            met = chain(rules, window, last)
        else:
            met = last.rule in rules and set(rules) <= {hit.rule for hit in window}
        if met:
            return Fraction(len(rules))
    return None


def forward(correlation: Json, expression: Json, seen: list[Hit]) -> Iterator[tuple[int, Hit, Fraction]]:
    """Of a condition with ``not``: the windows forward from each time at which something wanted happened."""
    for start in sorted({hit.ts for hit in seen}):
        end = start + span(correlation)
        window = [hit for hit in seen if start <= hit.ts <= end]
        there = {hit.rule for hit in window}
        for places, unwanted in ways(expression):
            rules = [correlation["rules"][place] for place in sorted(places)]
            if not set(rules) <= there or there & {correlation["rules"][place] for place in unwanted}:
                continue
            begins = [hit for hit in window if hit.ts == start and hit.rule in rules]
            if not begins or (correlation["type"] == "temporal_ordered" and not in_order(rules, window, start)):
                continue
            yield end, [hit for hit in window if hit.rule in rules][-1], Fraction(len(rules))
            break


def in_order(rules: list[str], window: list[Hit], start: int) -> bool:
    """Whether the rules follow one another in a window, the first of them at ``start``."""
    after = (start, -1)
    for step, rule in enumerate(rules):
        later = [(hit.ts, hit.order) for hit in window if hit.rule == rule and (hit.ts, hit.order) > after]
        if not later or (step == 0 and min(later)[0] != start):
            return False
        after = min(later)
    return True
