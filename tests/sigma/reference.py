"""The obvious evaluator: reads a pack's ``rules.json`` and does what sigma.md says, without index, class or memory.

It is the twin of the native engine in tests: every case and every random rule must come out alike from both.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import product
from statistics import median
from typing import Any

from vigla_rules.folding import fold

Json = dict[str, Any]
Value = object
NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?", re.ASCII)
HOWS: dict[str, Callable[[str, str], bool]] = {
    "eq": str.__eq__, "startswith": str.startswith, "endswith": str.endswith, "contains": str.__contains__
}  # fmt: skip
ORDERS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "eq": lambda a, b: a == b, "neq": lambda a, b: a != b, "lt": lambda a, b: a < b, "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b, "gte": lambda a, b: a >= b,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """An event as rules see it. ``ts`` in nanoseconds; ``header`` are names that the body hides (Windows)."""

    fields: Mapping[str, Value]
    logsource: Mapping[str, str | None] = field(default_factory=dict)
    ts: int = 0
    header: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule or correlation that holds; ``order`` is the place of its (last) event among equal times."""

    rule: str
    ts: int
    order: int
    event: Event
    quiet: bool = False
    value: Fraction = Fraction(1)
    group: tuple[tuple[str, str], ...] = ()


def elements(value: Value) -> list[Value]:
    """A list's elements, a scalar alone."""
    return [inner for member in value for inner in elements(member)] if isinstance(value, list) else [value]


def text(value: Value) -> str | None:
    """The text a rule compares with; null has none."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def number(value: Value) -> Fraction | None:
    """A number, or a string that is wholly one decimal number."""
    if isinstance(value, bool) or value is None:
        return None
    return Fraction(str(value)) if isinstance(value, int | float) or NUMBER.fullmatch(str(value)) else None


def wildcard(parts: Sequence[object], cased: bool) -> re.Pattern[str]:
    """``*`` any run, ``?`` exactly one character, both across newlines."""
    same = str if cased else fold
    pieces = [re.escape(same(p)) if isinstance(p, str) else {"*": ".*", "?": "."}[p["any"]] for p in parts]
    return re.compile("".join(pieces), re.DOTALL)


def regex(pattern: str, flags: str) -> re.Pattern[str]:
    """As Rust reads it: ``$`` without ``m`` is the very end, while Python's also stands before a final newline."""
    if "m" not in flags:
        pattern = re.sub(
            r"(\\.)|(\[\^?\]?(?:\\.|[^\]])*\])|\$", lambda m: m[0] if m[1] or m[2] else r"\Z", pattern, flags=re.DOTALL
        )
    return re.compile(pattern, sum({"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}[flag] for flag in flags))


def in_network(value: Value, network: IPv4Network | IPv6Network) -> bool:
    """Parsed addresses, any spelling; ``::ffff:a.b.c.d`` counts as IPv4 too, a zone id is dropped."""
    try:
        address = ip_address(str(value).split("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address in network or (mapped is not None and mapped in network)


def time_part(value: Value, part: str) -> int | None:
    """Part of an ISO 8601 text, in UTC."""
    if not isinstance(value, str) or len(value) < 10 or value[4] != "-":
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isocalendar().week if part == "week" else int(getattr(moment, part))


def holds(test: Json, value: Value, lists: Mapping[str, list[str]]) -> bool:
    """One operator over one element."""
    op, words = str(test["op"]), text(value)
    match op:
        case "null":
            return value is None
        case "empty":
            return value == ""
        case "num":
            wanted = Fraction(str(test["value"]))
            plain = isinstance(value, int | float) and not isinstance(value, bool)
            return number(value) == wanted if plain else words == test["value"]
        case "bool":
            return words is not None and fold(words) == str(test["value"]).lower()
        case "lt" | "lte" | "gt" | "gte":
            found = number(value)
            return found is not None and ORDERS[op](found, Fraction(str(test["value"])))
        case "time":
            moment = time_part(value, str(test["part"]))
            return moment is not None and ORDERS[str(test["cmp"])](Fraction(moment), Fraction(int(str(test["value"]))))
        case "cidr":
            return isinstance(value, str) and in_network(value, ip_network(str(test["value"])))
    return words is not None and holds_text(test, words, lists)


def holds_text(test: Json, words: str, lists: Mapping[str, list[str]]) -> bool:
    """One operator over the text of one element."""
    op, cased = str(test["op"]), bool(test.get("cased"))
    same = str if cased else fold
    match op:
        case "eq" | "contains" | "startswith" | "endswith":
            return HOWS[op](same(words), same(str(test["value"])))
        case "wildcard":
            return wildcard(test["parts"], cased).fullmatch(same(words)) is not None
        case "re":
            return regex(str(test["pattern"]), str(test["flags"])).search(words) is not None
        case "list":
            return any(HOWS[str(test["how"])](same(words), same(one)) for one in lists.get(str(test["list"]), []))
    raise AssertionError(f"unknown operator {op}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A pack's rules over events, one at a time and all of them every time."""

    rules: Json
    lists: Mapping[str, list[str]] = field(default_factory=dict)
    local_networks: Sequence[str] = ()

    def matches(self, event: Event) -> list[str]:
        """Ids of the rules that an event meets, in the order of the pack."""
        return [rule["id"] for rule in self.rules["rules"] if self.matches_rule(rule, event)]

    def matches_rule(self, rule: Json, event: Event) -> bool:
        """One rule over one event, as it is and as its aliases give it."""
        return any(self.rule(rule, *view) for view in self.views(event))

    def views(self, event: Event) -> list[tuple[Mapping[str, str | None], Event]]:
        """The event's own log source and those of its aliases, each with the fields it has there."""
        return [(event.logsource, event)] + [
            (alias["serves"], aliased(event, alias["fields"]))
            for alias in self.rules["aliases"]
            if serves(alias["event"], event.logsource) and self.guarded(alias.get("guard"), event)
        ]

    def misses(self, rule: Json, event: Event) -> list[str]:
        """Which tests of a rule's condition kept an event from matching."""
        return [
            line
            for logsource, view in self.views(event)
            if serves(rule["logsource"], logsource)
            for node in [*rule["gates"], rule["condition"]]
            for line in self.against(node, view)
        ]

    def against(self, at: int, event: Event) -> list[str]:
        """What stands against a node: the parts of it that do not hold."""
        if self.node(at, event):
            return []
        kind, content = next(iter(self.rules["nodes"][at].items()))
        if kind in ("and", "or"):
            return [line for child in content for line in self.against(child, event)]
        if kind == "not":
            return ["what `not` leaves out holds"]
        test = self.rules["predicates"][content]
        name = "any value" if test["field"] is None else self.rules["fields"][test["field"]]
        wanted = {key: value for key, value in test.items() if key not in ("op", "field")}
        return [f"{name} {event.fields.get(name, 'absent')!r} missed {test['op']} {wanted}"]

    def rule(self, rule: Json, logsource: Mapping[str, str | None], event: Event) -> bool:
        """One rule over one event as seen through one log source."""
        if not serves(rule["logsource"], logsource) or not all(name in self.lists for name in rule["lists"]):
            return False
        header = Event({**event.fields, **event.header})
        return all(self.node(gate, header) for gate in rule["gates"]) and self.node(rule["condition"], event)

    def node(self, at: int, event: Event) -> bool:
        """One node of the conditions."""
        node: Json = self.rules["nodes"][at]
        match next(iter(node.items())):
            case "p", int(predicate):
                return self.predicate(self.rules["predicates"][predicate], event)
            case "not", int(child):
                return not self.node(child, event)
            case "and", list(children):
                return all(self.node(child, event) for child in children)
            case "or", list(children):
                return any(self.node(child, event) for child in children)
        raise AssertionError(node)

    def predicate(self, test: Json, event: Event) -> bool:
        """One predicate: over any value of the event, or the elements of one field."""
        if test["field"] is None:
            return any(holds(test, one, self.lists) for value in event.fields.values() for one in elements(value))
        name = self.rules["fields"][test["field"]]
        if test["op"] == "exists":
            return (name in event.fields) == test["value"]
        if name not in event.fields:
            return test["op"] == "null"
        if test["op"] == "fieldref":
            return self.fieldref(test, event.fields[name], event)
        return any(holds(test, one, self.lists) for one in elements(event.fields[name]))

    def fieldref(self, test: Json, value: Value, event: Event) -> bool:
        """Two fields of the event."""
        other = event.fields.get(self.rules["fields"][test["other"]])
        same = str if test.get("cased") else fold
        pairs = ((text(left), text(right)) for left in elements(value) for right in elements(other))
        return any(a is not None and b is not None and HOWS[str(test["how"])](same(a), same(b)) for a, b in pairs)

    def guarded(self, guard: object, event: Event) -> bool:
        """Whether an alias's guard holds."""
        if guard is None:
            return True
        local = {
            end: any(in_network(event.fields[name], ip_network(net)) for net in self.local_networks)
            for end, name in (("orig", "id.orig_h"), ("resp", "id.resp_h"))
            if name in event.fields
        }
        if guard == "responder_local":
            return local.get("resp") is True
        return guard == "originator_local_responder_remote" and local.get("orig") is True and local.get("resp") is False

    def run(self, events: Iterable[Event]) -> list[Hit]:
        """Matches and correlations of a whole input, as replay orders them: by time, then place."""
        ordered = sorted(enumerate(events), key=lambda pair: (pair[1].ts, pair[0]))
        hits = [Hit(rule, event.ts, order, event) for order, event in ordered for rule in self.matches(event)]
        for correlation in self.rules["correlations"]:
            hits += correlate(correlation, [hit for hit in hits if hit.rule in correlation["rules"]])
        return hits


def serves(rule: Mapping[str, str | None], event: Mapping[str, str | None]) -> bool:
    """Whether a rule's log source is contained in an event's."""
    return all(rule.get(key) in (None, event.get(key)) for key in ("product", "category", "service"))


def aliased(event: Event, names: Mapping[str, object]) -> Event:
    """The event with the fields that an alias gives it."""
    fields = dict(event.fields)
    for name, source in names.items():
        value = derive(event.fields, source) if isinstance(source, dict) else event.fields.get(str(source), derive)
        fields.pop(name, None)
        if value is not derive:
            fields[name] = value
    return Event(fields, event.logsource, event.ts, event.header)


def derive(fields: Mapping[str, Value], how: Mapping[str, str]) -> Value:
    """A derived value; this function itself stands for absence."""
    value = text(fields.get(how["from"]))
    host = text(fields.get("host")) or text(fields.get("id.resp_h"))
    match how["derive"]:
        case "host_or_ip" if host:
            return value or text(fields.get("id.resp_h"))
        case "uri_stem" if value is not None:
            return re.split(r"[?#]", value)[0]
        case "uri_query" if value is not None and "?" in value:
            return value.split("?", 1)[1]
        case "uri_full" if value is not None:
            return f"http://{host}{value}" if value.startswith("/") and host else value
        case "lower" if value is not None:
            return fold(value)
        case "seconds" if value is not None:
            return float(value)
    return derive


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
