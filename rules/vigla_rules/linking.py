"""Joins the drafts of all files: ids, lists, filters, correlation references; each refusal is for its rule alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from vigla_rules.drafts import CorrelationDraft, Draft, FilterDraft, RuleDraft
from vigla_rules.expressions import all_of
from vigla_rules.findings import Code, Finding, did_you_mean

MAX_CHAIN = 8
D = TypeVar("D", RuleDraft, CorrelationDraft)
LEVELS = ("informational", "low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Linked:
    """What remains, ready to be written: correlations after everything they list."""

    rules: list[RuleDraft] = field(default_factory=list)
    correlations: list[CorrelationDraft] = field(default_factory=list)
    filters: list[tuple[FilterDraft, tuple[str, ...]]] = field(default_factory=list)
    quiet: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def link(drafts: list[Draft], lists: Iterable[str], refused: Mapping[str, str]) -> Linked:
    """Links drafts in their order. ``refused`` has id → title of rules that were refused before."""
    linked = Linked()
    known = _unique(drafts, linked.findings)
    declared = sorted(lists)
    known = [draft for draft in known if _lists_declared(draft, declared, linked.findings)]
    linked.rules.extend(draft for draft in known if isinstance(draft, RuleDraft))
    for draft in known:
        if isinstance(draft, FilterDraft):
            _apply(draft, linked)
    _correlate([draft for draft in known if isinstance(draft, CorrelationDraft)], linked, dict(refused))
    return linked


def refusal(draft: Draft, code: Code, reason: str, suggestion: str, *at: str) -> Finding:
    """A finding that refuses a draft, at a place of its file."""
    line, column = draft.placed.at(*at)
    return Finding(
        draft.placed.path, line, column, "error", code.value, reason, suggestion, draft.meta.id, draft.meta.title
    )


def warning(draft: Draft, code: str, reason: str, suggestion: str, *at: str) -> Finding:
    """A warning about a draft."""
    return replace(refusal(draft, Code.BAD_VALUE, reason, suggestion, *at), severity="warning", code=code)


def _unique(drafts: list[Draft], findings: list[Finding]) -> list[Draft]:
    seen: dict[str, Draft] = {}
    kept = []
    for draft in drafts:
        if (other := seen.get(draft.meta.id)) is not None:
            reason = f"id {draft.meta.id} is also that of {other.meta.path} ({other.meta.title})"
            findings.append(refusal(draft, Code.DUPLICATE_ID, reason, "give one of them a new id", "id"))
            continue
        seen[draft.meta.id] = draft
        kept.append(draft)
    return kept


def _lists_declared(draft: Draft, declared: list[str], findings: list[Finding]) -> bool:
    if isinstance(draft, CorrelationDraft):
        return True
    for name in draft.lists:
        if name not in declared:
            advice = did_you_mean(name, declared, f"declare [lists.{name}] in pack.toml")
            findings.append(refusal(draft, Code.PLACEHOLDER, f"list '{name}' is not declared", advice, "detection"))
            return False
    return True


def _apply(draft: FilterDraft, linked: Linked) -> None:
    by_name = _by_name(linked.rules)
    for reference in draft.rules or ():
        if reference not in by_name:
            advice = did_you_mean(reference, sorted(by_name), "name a rule by name or id; correlations take no filter")
            linked.findings.append(
                refusal(draft, Code.BAD_FILTER, f"rule '{reference}' is not known", advice, "filter", "rules")
            )
            return
    wanted = None if draft.rules is None else {by_name[reference].meta.id for reference in draft.rules}
    touched = []
    for at, rule in enumerate(linked.rules):
        if (wanted is None or rule.meta.id in wanted) and draft.logsource.serves(rule.logsource):
            linked.rules[at] = replace(
                rule,
                condition=all_of([rule.condition, draft.condition]),
                lists=tuple(sorted({*rule.lists, *draft.lists})),
            )
            touched.append(rule.meta.id)
    if missed := sorted((wanted or set()) - set(touched)):
        reason = f"its log source does not contain that of rule {missed[0]}"
        linked.findings.append(
            refusal(draft, Code.BAD_FILTER, reason, "name the rule's log source or a wider one", "logsource")
        )
    if touched:
        linked.filters.append((draft, tuple(touched)))
    elif not missed:
        linked.findings.append(
            refusal(draft, Code.BAD_FILTER, "no rule has a log source within the filter's", "widen it", "logsource")
        )


def _correlate(drafts: list[CorrelationDraft], linked: Linked, refused: dict[str, str]) -> None:
    rules = _by_name(linked.rules)
    names = _by_name(drafts)
    depth: dict[str, int] = {}
    state: dict[str, bool] = {}
    by_id: dict[str, Draft] = {rule.meta.id: rule for rule in linked.rules}

    def visit(draft: CorrelationDraft, above: tuple[str, ...]) -> bool:
        if draft.meta.id in state:
            return state[draft.meta.id]
        problem = _problem(draft, above, rules, names, refused)
        listed: list[Draft] = []
        for reference in draft.rules if problem is None else ():
            if (rule := rules.get(reference)) is not None:
                listed.append(rule)
                continue
            child = names[reference]
            if not visit(child, (*above, draft.meta.id)):
                problem = f"rule '{reference}' is refused", "mend that one first"
                break
            listed.append(child)
        if problem is None:
            depth[draft.meta.id] = 1 + max(depth.get(rule.meta.id, 0) for rule in listed)
            if depth[draft.meta.id] > MAX_CHAIN:
                problem = f"a chain of {depth[draft.meta.id]} correlations", f"at most {MAX_CHAIN}"
        state[draft.meta.id] = problem is None
        if problem is not None:
            linked.findings.append(refusal(draft, Code.BAD_CORRELATION, *problem, "correlation", "rules"))
            return False
        resolved = _resolved(draft, listed)
        by_id[resolved.meta.id] = resolved
        linked.correlations.append(resolved)
        return True

    for draft in drafts:
        visit(draft, ())
    # Levels come from what is listed: after all of it, since a child was resolved before its parent.
    for at, draft in enumerate(linked.correlations):
        if draft.meta.level is None:
            levels = [by_id[rule].meta.level for rule in draft.rules]
            highest = max((LEVELS.index(level) for level in levels if level in LEVELS), default=0)
            linked.correlations[at] = replace(draft, meta=replace(draft.meta, level=LEVELS[highest]))
            by_id[draft.meta.id] = linked.correlations[at]
    loud = {rule for draft in linked.correlations if draft.generate for rule in draft.rules}
    linked.quiet.update(rule for draft in linked.correlations for rule in draft.rules if rule not in loud)


def _problem(
    draft: CorrelationDraft,
    above: tuple[str, ...],
    rules: Mapping[str, RuleDraft],
    names: Mapping[str, CorrelationDraft],
    refused: Mapping[str, str],
) -> tuple[str, str] | None:
    for reference in draft.rules:
        if reference in rules:
            continue
        child = names.get(reference)
        if child is None:
            if reference in refused:
                return f"rule '{reference}' ({refused[reference]}) is refused", "mend that one first"
            return f"rule '{reference}' is not known", did_you_mean(
                reference, sorted({*rules, *names}), "give the rule a `name:` or use its id"
            )
        if child.meta.id == draft.meta.id:
            return "the correlation lists itself", "list other rules"
        if child.meta.id in above:
            return f"a cycle through '{reference}'", "list rules in one direction"
    return None


def _resolved(draft: CorrelationDraft, listed: list[Draft]) -> CorrelationDraft:
    ids = {reference: rule.meta.id for reference, rule in zip(draft.rules, listed, strict=True)}
    aliases = tuple((alias, tuple((ids[rule], name) for rule, name in mapping)) for alias, mapping in draft.aliases)
    return replace(draft, rules=tuple(ids[reference] for reference in draft.rules), aliases=aliases)


def _by_name(drafts: Iterable[D]) -> dict[str, D]:
    return {key: draft for draft in drafts for key in (draft.meta.name, draft.meta.id)}
