"""What differs between two packs, rule by rule: what a reviewer of a release wants to read."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vigla_rules.vpk import Pack

_SHOWN = (
    "title", "level", "status", "author", "license", "ruleset", "logsource", "alert", "mandatory", "fields", "tags",
    "version", "description", "references", "falsepositives", "date", "modified",
)  # fmt: skip
_CORRELATION = ("type", "rules", "group_by", "aliases", "timespan_ms", "field", "percentile", "condition", "expression")
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed; of a condition ``old`` and ``new`` are the tests that only that pack has."""

    key: str
    old: object
    new: object

    def __str__(self) -> str:
        if self.key == "condition":
            tests = [*(f"-{test}" for test in _listed(self.old)), *(f"+{test}" for test in _listed(self.new))]
            return f"condition ({', '.join(tests)})" if tests else "condition (the same tests, joined otherwise)"
        return f"{self.key} {_short(self.old)} → {_short(self.new)}"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One line: ``added``, ``removed`` or ``changed``, of what, and in words; ``changes`` for machines."""

    what: str
    name: str
    change: str
    detail: str = ""
    changes: tuple[Change, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.change} {self.what} {self.name}" + (f": {self.detail}" if self.detail else "")


def differences(old: Pack, new: Pack) -> list[Difference]:
    """All differences, sorted; empty when the packs say the same (their bytes may still differ)."""
    before, after = old.json("rules.json"), new.json("rules.json")
    found = [
        *_rules(before, after),
        *_texts(old.json("texts.json"), new.json("texts.json"), {**_names(before), **_names(after)}),
    ]
    found += _members(
        "source", _by_id(old.json("sources.json"), "sources"), _by_id(new.json("sources.json"), "sources")
    )
    found += _members("list", _table(old.manifest.get("lists")), _table(new.manifest.get("lists")))
    for member in ("ecs.json", "canary.json"):
        if old.json(member) != new.json(member):
            found.append(Difference("table", member, "changed"))
    if before["aliases"] != after["aliases"]:
        found.append(Difference("table", "aliases", "changed"))
    return sorted(found)


def condition_tree(rules: Entry, at: int) -> object:
    """A condition written out: indices mean nothing outside their pack."""
    kind, content = next(iter(rules["nodes"][at].items()))
    if kind == "p":
        test = rules["predicates"][content]
        named = {key: rules["fields"][test[key]] for key in ("field", "other") if isinstance(test.get(key), int)}
        return {**test, **named}
    if isinstance(content, list):
        return {kind: [condition_tree(rules, child) for child in content]}
    return {kind: condition_tree(rules, content)}


def _rules(before: Entry, after: Entry) -> Iterator[Difference]:
    for what, key in (("rule", "rules"), ("correlation", "correlations"), ("filter", "filters")):
        old = {entry["id"]: entry for entry in before[key]}
        new = {entry["id"]: entry for entry in after[key]}
        for rule in sorted({*old, *new}):
            if rule not in new:
                yield Difference(what, _name(old[rule]), "removed")
            elif rule not in old:
                yield Difference(what, _name(new[rule]), "added")
            elif changes := _changes(what, before, old[rule], after, new[rule]):
                words = "; ".join(str(change) for change in changes)
                yield Difference(what, _name(new[rule]), "changed", words, tuple(changes))


def _changes(what: str, before: Entry, old: Entry, after: Entry, new: Entry) -> list[Change]:
    keys = _SHOWN + (_CORRELATION if what == "correlation" else ("lists",))
    if what == "filter":
        keys = ("title", "rules")
    changes = [Change(key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]
    if what == "rule":
        trees = [
            [condition_tree(rules, at) for at in (entry["condition"], *entry["gates"])]
            for rules, entry in ((before, old), (after, new))
        ]
        if trees[0] != trees[1]:
            tests = [set(_tests(tree)) for tree in trees]
            changes.insert(0, Change("condition", sorted(tests[0] - tests[1]), sorted(tests[1] - tests[0])))
    return changes


def _tests(tree: object) -> Iterator[str]:
    """The tests of a condition tree in words, negated ones marked."""
    if isinstance(tree, list):
        for member in tree:
            yield from _tests(member)
    elif isinstance(tree, Mapping) and "op" in tree:
        name = "any value" if tree.get("field") is None else tree["field"]
        rest = [value for key, value in tree.items() if key not in ("op", "field")]
        yield " ".join([str(name), str(tree["op"]), *(_short(value) for value in rest)])
    elif isinstance(tree, Mapping):
        kind, content = next(iter(tree.items()))
        yield from (f"not {test}" if kind == "not" else test for test in _tests(content))


def _texts(old: Entry, new: Entry, names: Mapping[str, str]) -> Iterator[Difference]:
    for language in sorted({*old, *new}):
        before, after = old.get(language, {}), new.get(language, {})
        for rule in sorted({*before, *after}):
            if before.get(rule) != after.get(rule):
                change = "added" if rule not in before else "removed" if rule not in after else "changed"
                parts = sorted(
                    key for key in {*before.get(rule, {}), *after.get(rule, {})}
                    if before.get(rule, {}).get(key) != after.get(rule, {}).get(key)
                )  # fmt: skip
                yield Difference(f"text ({language})", names.get(rule, rule), change, ", ".join(parts))


def _members(what: str, old: Entry, new: Entry) -> Iterator[Difference]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            change = "added" if name not in old else "removed" if name not in new else "changed"
            yield Difference(what, name, change)


def _names(rules: Entry) -> dict[str, str]:
    return {entry["id"]: entry["name"] for entry in [*rules["rules"], *rules["correlations"]]}


def _name(entry: Entry) -> str:
    return f"{entry.get('name') or entry['title']} ({entry['id']})"


def _by_id(document: Entry, key: str) -> dict[str, Entry]:
    return {entry["id"]: entry for entry in document[key]}


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _table(value: object) -> Entry:
    return value if isinstance(value, Mapping) else {}


def _short(value: object, limit: int = 60) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[: limit - 1] + "…"
