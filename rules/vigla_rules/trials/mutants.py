"""Mutants of a rule: one part of its condition changed each. Samples that no mutant escapes prove every part.

Mutants are made on ``rules.json`` and run through the reference evaluator alone, over events that were seen before.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vigla_rules.checking.samples import Case
from vigla_rules.trials.evaluator import Evaluator
from vigla_rules.trials.tap import Seen

Rules = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Observed:
    """A case, the events that its input gave, and what the municipality had filled in."""

    case: Case
    seen: Sequence[Seen]
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed pack and what was changed, in words."""

    change: str
    rules: Rules


def mutants(rules: Rules, rule: str) -> Iterator[Mutant]:
    """The mutants of one rule or correlation: nothing else of the pack is in them."""
    small = only(rules, rule)
    for entry in small["rules"]:
        yield from _condition_mutants(small, entry)
    for at, entry in enumerate(small["correlations"]):
        if entry["id"] == rule:
            yield from _correlation_mutants(small, at)


def escaped(rules: Rules, rule: str, observed: Sequence[Observed], evaluator: Evaluator) -> tuple[int, list[str]]:
    """How many mutants there are, and the changes that no case notices."""
    total, survivors = 0, []
    for mutant in mutants(rules, rule):
        total += 1
        if all(_as_expected(one, evaluator.hits(mutant.rules, rule, one.seen, one.given)) for one in observed):
            survivors.append(mutant.change)
    return total, survivors


def only(rules: Rules, rule: str) -> dict[str, Any]:
    """The pack without the rules that ``rule`` does not need."""
    needed = {rule}
    for entry in reversed(rules["correlations"]):  # parents stand behind what they list
        if entry["id"] in needed:
            needed.update(entry["rules"])
    kept = {key: [entry for entry in rules[key] if entry["id"] in needed] for key in ("rules", "correlations")}
    return {**rules, **kept}


def _as_expected(one: Observed, hits: int) -> bool:
    return hits >= 1 if one.case.alerts is None else hits == one.case.alerts


def _condition_mutants(rules: dict[str, Any], entry: dict[str, Any]) -> Iterator[Mutant]:
    """Each part of an AND or OR left out, each negation dropped."""
    for at in _reachable(rules["nodes"], entry["condition"]):
        kind, content = next(iter(rules["nodes"][at].items()))
        told = f"{entry['name']}: "
        if kind == "and":
            for child in content:
                rest = [other for other in content if other != child]
                yield Mutant(told + f"without {_spelled(rules, child)}", _with_node(rules, at, {"and": rest}))
        elif kind == "or" and len(groups := _by_field(rules, content)) > 1:
            for members in groups:
                rest = [other for other in content if other not in members]
                yield Mutant(told + f"without {_spelled(rules, members[0])}", _with_node(rules, at, {"or": rest}))
        elif kind == "not":
            yield Mutant(told + f"without `not` {_spelled(rules, content)}", _with_node(rules, at, {"and": [content]}))


def _correlation_mutants(rules: dict[str, Any], at: int) -> Iterator[Mutant]:
    """A threshold one lower and one higher, no group key, half and double the span, no order."""
    entry = rules["correlations"][at]
    for number, test in enumerate(entry["condition"]):
        for step in (-1, 1) if entry["type"] in ("event_count", "value_count") else ():
            changed = copy.deepcopy(entry["condition"])
            changed[number]["value"] += step
            yield _with_correlation(rules, at, f"{test['op']} {changed[number]['value']}", condition=changed)
    if entry["group_by"]:
        yield _with_correlation(rules, at, "without group-by", group_by=[])
    for factor, words in ((0.1, "a tenth of the timespan"), (10, "ten times the timespan")):
        yield _with_correlation(rules, at, words, timespan_ms=int(entry["timespan_ms"] * factor))
    if entry["type"] == "temporal_ordered":
        any_order = [{"op": "gte", "value": len(entry["rules"])}]
        yield _with_correlation(rules, at, "in any order", type="temporal", condition=any_order)
    if entry["type"] == "value_count":
        yield _with_correlation(rules, at, "counting events", type="event_count", field=[])


def _with_node(rules: dict[str, Any], at: int, node: dict[str, Any]) -> dict[str, Any]:
    nodes = list(rules["nodes"])
    nodes[at] = node
    return {**rules, "nodes": nodes}


def _with_correlation(rules: dict[str, Any], at: int, words: str, **changes: object) -> Mutant:
    correlations = list(rules["correlations"])
    correlations[at] = {**correlations[at], **changes}
    return Mutant(f"{correlations[at]['name']}: {words}", {**rules, "correlations": correlations})


def _reachable(nodes: list[dict[str, Any]], root: int) -> list[int]:
    found, stack = [], [root]
    while stack:
        at = stack.pop()
        if at in found:
            continue
        found.append(at)
        kind, content = next(iter(nodes[at].items()))
        if kind != "p":
            stack.extend(content if isinstance(content, list) else [content])
    return sorted(found)


def _by_field(rules: dict[str, Any], children: list[int]) -> list[list[int]]:
    """The alternatives of an OR: several values of one field are one, for a list of values is data."""
    groups: dict[object, list[int]] = {}
    for at in children:
        test = rules["predicates"][rules["nodes"][at]["p"]] if "p" in rules["nodes"][at] else None
        groups.setdefault(("node", at) if test is None else ("field", test["field"]), []).append(at)
    return list(groups.values())


def _spelled(rules: dict[str, Any], at: int) -> str:
    kind, content = next(iter(rules["nodes"][at].items()))
    if kind != "p":
        return f"({kind} of {len(content) if isinstance(content, list) else 1})"
    test = rules["predicates"][content]
    name = "any value" if test["field"] is None else rules["fields"][test["field"]]
    return (
        f"{name} {test['op']} {next((test[key] for key in ('value', 'pattern', 'list', 'parts') if key in test), '')}"
    )
