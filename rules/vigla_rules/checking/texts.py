"""Texts: both languages, the five blocks, lengths, and slots that the alert can fill."""

import re
from collections.abc import Iterator, Mapping

from vigla_rules.checking.fields import warning_as_error
from vigla_rules.compiling import text_key
from vigla_rules.drafts import CorrelationDraft, RuleDraft
from vigla_rules.findings import Finding, did_you_mean
from vigla_rules.layout import LANGUAGES, Tree
from vigla_rules.linking import Linked

MAX_TITLE = 70
MAX_SUMMARY = 140
BLOCKS = ("what", "why", "escalate", "innocent")
_KEYS = ("title", "summary", "now", *BLOCKS)
_SLOT = re.compile(r"\{([^{}]*)\}")
_GREEK = re.compile("[Ͱ-Ͽἀ-῿]")
Rule = RuleDraft | CorrelationDraft


def check_texts(linked: Linked, tree: Tree) -> Iterator[Finding]:
    """Texts of every rule that raises alerts of its own; texts for no rule."""
    rules: list[Rule] = [*linked.rules, *linked.correlations]
    keys = {text_key(rule.meta) for rule in rules}
    for rule in rules:
        for language in LANGUAGES:
            text = tree.texts.get(language, {}).get(text_key(rule.meta))
            if text is not None:
                yield from _text(rule, language, text, tree)
            elif rule.meta.id not in linked.quiet:
                path = f"texts/{language}/{text_key(rule.meta)}.yml"
                yield warning_as_error(rule, "no-text", f"no text in '{language}'", f"write {path}", "title")
    for language, texts in tree.texts.items():
        for key in texts:
            if key not in keys:
                path = str(tree.root / "texts" / language / f"{key}.yml")
                advice = did_you_mean(key, sorted(keys), "remove it")
                yield Finding(path, 1, 1, "error", "no-rule", f"a text for no rule '{key}'", advice)


def _text(rule: Rule, language: str, text: Mapping[str, object], tree: Tree) -> Iterator[Finding]:
    path = str(tree.root / "texts" / language / f"{text_key(rule.meta)}.yml")

    def found(reason: str, suggestion: str) -> Finding:
        return Finding(path, 1, 1, "error", "text", reason, suggestion, rule.meta.id, rule.meta.title)

    for key in text:
        if key not in _KEYS:
            yield found(f"unknown key '{key}'", did_you_mean(key, list(_KEYS), f"known: {', '.join(_KEYS)}"))
    for key in ("title", "summary", *BLOCKS):
        if not isinstance(text.get(key), str) or not str(text[key]).strip():
            yield found(f"'{key}' is missing", f"write `{key}:`")
    for key, limit in (("title", MAX_TITLE), ("summary", MAX_SUMMARY)):
        if len(str(text.get(key, ""))) > limit:
            yield found(f"'{key}' has {len(str(text[key]))} characters", f"at most {limit}")
    steps = text.get("now")
    if not isinstance(steps, list) or not 3 <= len(steps) <= 5 or not all(isinstance(step, str) for step in steps):
        yield found("'now' needs 3 to 5 steps", "write them as a list, each with its verb first")
    slots = {*rule.meta.fields, *(rule.group_by if isinstance(rule, CorrelationDraft) else ())}
    whole = " ".join(
        str(member) for value in text.values() for member in (value if isinstance(value, list) else [value])
    )
    for slot in _SLOT.findall(whole):
        if slot not in slots:
            advice = did_you_mean(
                slot, sorted(slots), f"add it to the rule's `fields`, or use {', '.join(sorted(slots))}"
            )
            yield found(f"slot '{{{slot}}}' is none of the rule's fields", advice)
    if language == "el" and not _GREEK.search(str(text.get("title", ""))):
        yield found("the title is not Greek", "write it in Greek")
