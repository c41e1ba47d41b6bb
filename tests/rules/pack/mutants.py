"""Small damage to a compiled rule: a condition left out, a ``not`` opened, a threshold moved, a group key dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Rules = dict[str, Any]


def of_rule(rules: Rules, rule: str) -> Iterator[tuple[str, Rules]]:
    """Each condition of an ``and`` left out, each ``not`` opened, each compound branch of an ``or`` left out.

    A single value of a list of values is left in: every value would need a sample of its own.
    """
    (entry,) = (r for r in rules["rules"] if r["id"] == rule)
    seen: set[int] = set()
    waiting = [entry["condition"]]
    while waiting:
        at = waiting.pop()
        if at in seen or "p" in rules["nodes"][at]:
            continue
        seen.add(at)
        ((kind, below),) = rules["nodes"][at].items()
        children = below if isinstance(below, list) else [below]
        waiting += children
        if kind == "not":
            yield f"not {words(rules, children[0])}: dropped", changed(rules, "nodes", at, {"and": []})
            continue
        for child in children:
            if kind == "and" or "p" not in rules["nodes"][child]:
                rest = [other for other in children if other != child]
                yield f"{kind} without {words(rules, child)}", changed(rules, "nodes", at, {kind: rest})


def of_correlation(rules: Rules, rule: str) -> Iterator[tuple[str, Rules]]:
    """The threshold one up and one down, the window four times as long, each group key dropped, the order forgotten."""
    ((at, entry),) = ((n, r) for n, r in enumerate(rules["correlations"]) if r["id"] == rule)

    def altered(**keys: Any) -> Rules:
        return changed(rules, "correlations", at, {**entry, **keys})

    ordered = entry["type"] == "temporal_ordered"  # all of its rules, in their order: there is no threshold
    for number, test in enumerate([] if ordered else entry["condition"]):
        for by in (-1, 1):
            moved = [*entry["condition"]]
            moved[number] = {**test, "value": test["value"] + by}
            yield f"{test['op']} {test['value'] + by}", altered(condition=moved)
    yield "four times the window", altered(timespan_ms=4 * entry["timespan_ms"])
    for key in entry["group_by"]:
        yield f"not grouped by {key}", altered(group_by=[other for other in entry["group_by"] if other != key])
    if ordered:
        yield "in any order", altered(type="temporal")


def changed(rules: Rules, table: str, at: int, entry: Any) -> Rules:
    """The same rules with one entry of one table replaced."""
    return {**rules, table: [entry if number == at else old for number, old in enumerate(rules[table])]}


def words(rules: Rules, at: int) -> str:
    """A node as a person would name it, cut short."""
    node = rules["nodes"][at]
    if "p" in node:
        test = rules["predicates"][node["p"]]
        field = "any value" if test["field"] is None else rules["fields"][test["field"]]
        return f"{field} {test['op']} {test.get('value', test.get('list', ''))}"
    ((kind, below),) = node.items()
    children = below if isinstance(below, list) else [below]
    more = ", …" if len(children) > 2 else ""
    return f"{kind}({', '.join(words(rules, child) for child in children[:2])}{more})"
