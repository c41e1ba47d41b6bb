"""When a rule of a pack is finished: metadata, entity, roster, unique titles."""

import re
from collections.abc import Iterator

from vigla_rules.attack import TACTICS, Techniques, read_techniques, techniques_of
from vigla_rules.checking.fields import warning_as_error
from vigla_rules.drafts import CorrelationDraft, RuleDraft
from vigla_rules.findings import Finding, did_you_mean
from vigla_rules.folding import fold
from vigla_rules.layout import Tree
from vigla_rules.linking import Linked

Rule = RuleDraft | CorrelationDraft
_OTHER = re.compile(r"attack\.[gsm]\d{4}|cve\.\d{4}-\d+|detection\.[a-z-]+|tlp\..+")
_REQUIRED = ("description", "status", "author", "date", "level", "tags", "references", "falsepositives")
_EMPTY_WORDS = frozenset({"unknown", "none", "unlikely"})


def check_finished(linked: Linked, tree: Tree) -> Iterator[Finding]:
    """Findings on every rule and correlation of a pack directory."""
    rules: list[Rule] = [*linked.rules, *linked.correlations]
    techniques = read_techniques()
    titles: dict[str, Rule] = {}
    names: dict[str, Rule] = {}
    for rule in rules:
        yield from _metadata(rule, techniques)
        yield from _entity(rule)
        for what, key, seen in (("title", rule.meta.title, titles), ("name", rule.meta.name, names)):
            other = seen.setdefault(fold(key), rule)
            if other is not rule:
                reason = f"{what} '{key}' is also that of {other.meta.path}"
                yield warning_as_error(rule, f"duplicate-{what}", reason, f"give it its own {what}", "title")
    yield from _roster(rules, linked, tree)


def _metadata(rule: Rule, techniques: Techniques) -> Iterator[Finding]:
    for key in _REQUIRED:
        if not getattr(rule.meta, key):
            yield warning_as_error(rule, "unfinished", f"no {key}", f"add `{key}:`", "title")
    if any(fold(text) in _EMPTY_WORDS for text in rule.meta.falsepositives):
        reason = "falsepositives name nothing"
        yield warning_as_error(rule, "unfinished", reason, "say who does the same without harm", "falsepositives")
    for tag in rule.meta.tags:
        if not _OTHER.fullmatch(tag) and (advice := _about_tag(tag, techniques)) is not None:
            yield warning_as_error(rule, "unknown-tag", f"tag '{tag}'", advice, "tags")


def _about_tag(tag: str, techniques: Techniques) -> str | None:
    """What is wrong with a tag of ATT&CK; ``None``: nothing."""
    if named := techniques_of([tag]):
        if techniques.knows(named[0]):
            return None
        known = sorted(f"attack.{name.lower()}" for name in techniques.names)
        return did_you_mean(tag, known, "ATT&CK has no such technique")
    if tag.startswith("attack.") and tag.removeprefix("attack.") in TACTICS:
        return None
    known = sorted(f"attack.{name}" for name in TACTICS)
    return did_you_mean(tag, known, "a tactic, or a technique such as attack.t1110.001")


def _entity(rule: Rule) -> Iterator[Finding]:
    if isinstance(rule, CorrelationDraft) and rule.group_by:
        return
    if not rule.meta.fields:
        reason = "no entity: whom an alert is about"
        yield warning_as_error(rule, "no-entity", reason, "name its field first under `fields:`", "title")


def _roster(rules: list[Rule], linked: Linked, tree: Tree) -> Iterator[Finding]:
    roster = tree.settings.roster if tree.settings else {}
    names = {rule.meta.name for rule in rules}
    for rule in rules:
        if rule.meta.id not in linked.quiet and rule.meta.name not in roster:
            advice = f"add [roster.{rule.meta.name}] to pack.toml"
            yield warning_as_error(rule, "no-roster", "no entry in the roster", advice, "title")
    for name in roster:
        if name not in names:
            advice = did_you_mean(name, sorted(names), "remove the entry")
            reason = f"roster.{name} names no rule"
            yield Finding(str(tree.root / "pack.toml"), 1, 1, "error", "no-rule", reason, advice)
