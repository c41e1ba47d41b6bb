"""When a rule of a pack is finished: metadata, entity, roster, unique titles."""

import re
from collections.abc import Iterator

from vigla_rules.checking.fields import warning_as_error
from vigla_rules.drafts import CorrelationDraft, RuleDraft
from vigla_rules.expressions import predicates
from vigla_rules.findings import Finding, did_you_mean
from vigla_rules.folding import fold
from vigla_rules.layout import Tree
from vigla_rules.linking import Linked, warning

Rule = RuleDraft | CorrelationDraft
# fmt: off
TACTICS = frozenset({
    "reconnaissance", "resource-development", "initial-access", "execution", "persistence",
    "privilege-escalation", "stealth", "defense-evasion", "defense-impairment", "credential-access",
    "discovery", "lateral-movement", "collection", "command-and-control", "exfiltration",
    "impact", "inhibit-response-function", "impair-process-control", "evasion",
})
# fmt: on
_TECHNIQUE = re.compile(r"attack\.[tgsm]\d{4}(\.\d{3})?|attack\.ics\.t\d{4}|cve\.\d{4}-\d+|detection\.[a-z-]+")
_ACCENTED = re.compile("[άέήίόύώΐΰΆΈΉΊΌΎΏ]")
_PLAIN = str.maketrans("άέήίόύώΐΰΆΈΉΊΌΎΏ", "αεηιουωϊϋΑΕΗΙΟΥΩ")
_REQUIRED = ("description", "status", "author", "date", "level", "tags", "references", "falsepositives")
_EMPTY_WORDS = frozenset({"unknown", "none", "unlikely"})


def check_finished(linked: Linked, tree: Tree) -> Iterator[Finding]:
    """Findings on every rule and correlation of a pack directory."""
    rules: list[Rule] = [*linked.rules, *linked.correlations]
    titles: dict[str, Rule] = {}
    names: dict[str, Rule] = {}
    for rule in rules:
        yield from _metadata(rule)
        yield from _entity(rule)
        yield from _accents(rule)
        for what, key, seen in (("title", rule.meta.title, titles), ("name", rule.meta.name, names)):
            other = seen.setdefault(fold(key), rule)
            if other is not rule:
                reason = f"{what} '{key}' is also that of {other.meta.path}"
                yield warning_as_error(rule, f"duplicate-{what}", reason, f"give it its own {what}", "title")
    yield from _roster(rules, linked, tree)


def _metadata(rule: Rule) -> Iterator[Finding]:
    for key in _REQUIRED:
        if not getattr(rule.meta, key):
            yield warning_as_error(rule, "unfinished", f"no {key}", f"add `{key}:`", "title")
    if any(fold(text) in _EMPTY_WORDS for text in rule.meta.falsepositives):
        reason = "falsepositives name nothing"
        yield warning_as_error(rule, "unfinished", reason, "say who does the same without harm", "falsepositives")
    for tag in rule.meta.tags:
        if _TECHNIQUE.fullmatch(tag) or tag.startswith("tlp."):
            continue
        if tag.removeprefix("attack.") not in TACTICS or not tag.startswith("attack."):
            known = sorted(f"attack.{name}" for name in TACTICS)
            advice = did_you_mean(tag, known, "a tactic, or a technique such as attack.t1110.001")
            yield warning_as_error(rule, "unknown-tag", f"tag '{tag}'", advice, "tags")


def _entity(rule: Rule) -> Iterator[Finding]:
    if isinstance(rule, CorrelationDraft) and rule.group_by:
        return
    if not rule.meta.fields:
        reason = "no entity: whom an alert is about"
        yield warning_as_error(rule, "no-entity", reason, "name its field first under `fields:`", "title")


def _accents(rule: Rule) -> Iterator[Finding]:
    if isinstance(rule, CorrelationDraft):
        return
    for test in predicates(rule.condition):
        value = dict(test.arguments).get("value")
        if isinstance(value, str) and test.op != "re" and _ACCENTED.search(value):
            reason = f"'{value}' does not match '{value.translate(_PLAIN)}': accents are not folded"
            yield warning(rule, "greek-accent", reason, "list both spellings", "detection")


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
