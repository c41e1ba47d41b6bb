"""The obvious evaluator: reads a pack's ``rules.json`` and does what sigma.md says, without index, class or memory.

It is the twin of the native engine in tests: every case and every random rule must come out alike from both. Its parts
are found beside it, also where it is loaded from its file.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from vigla_rules.folding import fold

from .reference_correlations import correlate
from .reference_values import ORDERS, Event, Hit, Json, Value, elements, number, text

__all__ = ["Event", "Hit", "Reference"]

HOWS: dict[str, Callable[[str, str], bool]] = {
    "eq": str.__eq__, "startswith": str.startswith, "endswith": str.endswith, "contains": str.__contains__
}  # fmt: skip


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
            if self.serves(rule["logsource"], logsource, view)
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
        if not all(name in self.lists for name in rule["lists"]) or not self.serves(
            rule["logsource"], logsource, event
        ):
            return False
        header = Event({**event.fields, **event.header})
        return all(self.node(gate, header) for gate in rule["gates"]) and self.node(rule["condition"], event)

    def serves(self, rule: Mapping[str, str | None], logsource: Mapping[str, str | None], event: Event) -> bool:
        """Whether an event is one of a rule's log source, by name or by its header."""
        if not serves({**rule, "category": None, "service": None}, logsource):
            return False
        header = Event({**event.fields, **event.header})
        return all(
            rule.get(part) in (None, logsource.get(part))
            or (
                logsource.get(part) is None
                and any(
                    (row["part"], row["value"]) == (part, rule[part])
                    and serves(row["event"], logsource)
                    and self.node(row["where"], header)
                    for row in self.rules.get("classes", [])
                )
            )
            for part in ("category", "service")
        )

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
