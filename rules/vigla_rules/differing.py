"""What differs between two packs, rule by rule: what a reviewer of a release wants to read."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vigla_rules.vpk import Pack

_SHOWN = ("title", "level", "status", "author", "logsource", "alert", "mandatory", "fields", "tags", "version")
_CORRELATION = ("type", "rules", "group_by", "aliases", "timespan_ms", "field", "percentile", "condition")
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One line: ``added``, ``removed`` or ``changed``, of what, and in words."""

    what: str
    name: str
    change: str
    detail: str = ""

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
                yield Difference(what, _name(new[rule]), "changed", "; ".join(changes))


def _changes(what: str, before: Entry, old: Entry, after: Entry, new: Entry) -> list[str]:
    keys = _SHOWN + (_CORRELATION if what == "correlation" else ("lists",))
    if what == "filter":
        keys = ("title", "rules")
    changes = [f"{key} {_short(old.get(key))} → {_short(new.get(key))}" for key in keys if old.get(key) != new.get(key)]
    if what == "rule":
        trees = [
            [condition_tree(rules, at) for at in (entry["condition"], *entry["gates"])]
            for rules, entry in ((before, old), (after, new))
        ]
        if trees[0] != trees[1]:
            changes.insert(0, "condition")
    return changes


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


def _table(value: object) -> Entry:
    return value if isinstance(value, Mapping) else {}


def _short(value: object, limit: int = 60) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[: limit - 1] + "…"
