"""Words that look alike and are not: Greek with and without accents, field names that differ in case alone."""

import re
from collections import Counter
from collections.abc import Iterator

from vigla_rules.drafts import RuleDraft
from vigla_rules.expressions import Predicate, predicates
from vigla_rules.findings import Finding
from vigla_rules.folding import fold
from vigla_rules.linking import Linked, warning

_ACCENTED = re.compile("[άέήίόύώΐΰΆΈΉΊΌΎΏ]")
_PLAIN = str.maketrans("άέήίόύώΐΰΆΈΉΊΌΎΏ", "αεηιουωϊϋΑΕΗΙΟΥΩ")
_MASKED = re.compile(r"%(\w+)%")


def check_names(linked: Linked, lists: set[str]) -> Iterator[Finding]:
    """Warnings on every rule, of a pack or not. ``lists``: those that are declared."""
    usual = _usual_spelling(linked.rules)
    for rule in linked.rules:
        tests = list(dict.fromkeys(predicates(rule.condition)))
        yield from _accents(rule, tests)
        for test in tests:
            value = dict(test.arguments).get("value")
            if isinstance(value, str) and (found := _MASKED.fullmatch(value)) and found[1] in lists:
                reason = f"'{value}' is plain text here, and the name of a list"
                yield warning(rule, "list-as-text", reason, "add the modifier `expand`", "detection")
        for name in dict.fromkeys(test.field for test in tests if test.field is not None):
            if (other := usual[rule.logsource.product, name.lower()]) != name:
                reason = f"'{name}' and '{other}' are two fields: case counts in their names"
                yield warning(rule, "field-case", reason, f"did you mean '{other}', as in most rules?", "detection")


def _accents(rule: RuleDraft, tests: list[Predicate]) -> Iterator[Finding]:
    """A literal whose other spelling is in no other test of the same rule."""
    literals = {fold(str(dict(test.arguments).get("value"))) for test in tests}
    for test in tests:
        value = dict(test.arguments).get("value")
        if not isinstance(value, str) or test.op == "re" or not _ACCENTED.search(value):
            continue
        plain = value.translate(_PLAIN)
        if fold(plain) not in literals:
            reason = f"'{value}' does not match '{plain}': accents are not folded"
            yield warning(rule, "greek-accent", reason, f"list both: ['{value}', '{plain}']", "detection")


def _usual_spelling(rules: list[RuleDraft]) -> dict[tuple[str | None, str], str]:
    """For each product and field name in lower case: how most rules write it, the first of equals."""
    counts: Counter[tuple[str | None, str]] = Counter()
    for rule in rules:
        names = {test.field for test in predicates(rule.condition) if test.field is not None}
        counts.update((rule.logsource.product, name) for name in sorted(names))
    usual: dict[tuple[str | None, str], str] = {}
    for (product, name), _ in counts.most_common():
        usual.setdefault((product, name.lower()), name)
    return usual
