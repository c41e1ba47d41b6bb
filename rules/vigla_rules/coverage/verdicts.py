"""Whether a rule can fire: its condition read with the fields that no connected source gives taken as absent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vigla_rules.correlations import TEMPORAL
from vigla_rules.coverage.feeds import Feed, Site
from vigla_rules.drafts import CorrelationDraft, LogSource, Metadata, RuleDraft
from vigla_rules.expressions import And, Expression, Not, Or, Predicate, predicates
from vigla_rules.extended import alternatives
from vigla_rules.linking import Linked


class Why(StrEnum):
    """Why a rule cannot fire."""

    NO_SOURCE = "no_source"
    NO_FIELD = "no_field"
    NO_RULE = "no_rule"
    NO_LIST = "no_list"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule. ``missing``: fields it asks for and none of its feeds has; ``named``: what ``why`` is about."""

    meta: Metadata
    logsource: LogSource | None
    fires: bool
    served_by: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    why: Why | None = None
    named: tuple[str, ...] = ()

    @property
    def partly(self) -> bool:
        """Whether it can fire and yet asks for something that nobody gives."""
        return self.fires and bool(self.missing)


def verdicts(linked: Linked, site: Site) -> list[Verdict]:
    """One for each rule and correlation, in the pack's order."""
    found = [_rule(rule, site) for rule in linked.rules]
    by_id: dict[str, Verdict] = {verdict.meta.id: verdict for verdict in found}
    for draft in linked.correlations:
        by_id[draft.meta.id] = _correlation(draft, by_id)
        found.append(by_id[draft.meta.id])
    return found


def _rule(rule: RuleDraft, site: Site) -> Verdict:
    feeds = [feed for feed in site.feeds if rule.logsource.serves(feed.logsource)]
    served = tuple(dict.fromkeys(feed.name for feed in feeds))
    if not feeds:
        return Verdict(rule.meta, rule.logsource, fires=False, why=Why.NO_SOURCE)
    whole = And((*rule.gates, rule.condition))
    asked = list(dict.fromkeys(test.field for test in predicates(whole) if test.field is not None))
    missing = tuple(name for name in asked if not any(feed.has(name, rule.logsource) for feed in feeds))
    if site.lists is not None and (unfilled := tuple(name for name in rule.lists if name not in site.lists)):
        return Verdict(rule.meta, rule.logsource, False, served, missing, Why.NO_LIST, unfilled)
    if not any(_can(whole, feed, rule.logsource)[0] for feed in feeds):
        lacking = missing or tuple(name for name in asked if not all(feed.has(name, rule.logsource) for feed in feeds))
        return Verdict(rule.meta, rule.logsource, False, served, missing, Why.NO_FIELD, lacking)
    return Verdict(rule.meta, rule.logsource, True, served, missing)


def _correlation(draft: CorrelationDraft, by_id: Mapping[str, Verdict]) -> Verdict:
    listed = [by_id[rule] for rule in draft.rules]
    able = [verdict for verdict in listed if verdict.fires]
    served = tuple(dict.fromkeys(name for verdict in able for name in verdict.served_by))
    if not _enough(draft, [verdict.fires for verdict in listed]):
        names = tuple(verdict.meta.name for verdict in listed if not verdict.fires)
        return Verdict(draft.meta, None, False, served, (), Why.NO_RULE, names)
    missing = tuple(verdict.meta.name for verdict in listed if not verdict.fires)
    return Verdict(draft.meta, None, True, served, missing)


def _enough(draft: CorrelationDraft, fires: Sequence[bool]) -> bool:
    """Whether the rules that can fire can meet the condition."""
    if draft.expression is not None:
        return any(all(fires[place] for place in wanted) for wanted, _ in alternatives(draft.expression))
    floors = [bound for operator, bound in draft.condition if operator in ("gte", "eq")]
    return sum(fires) >= (max(floors, default=1) if draft.type in TEMPORAL else 1)


def _can(expression: Expression, feed: Feed, rule: LogSource) -> tuple[bool, bool]:
    """Whether it can be true, and whether it can be false, over events of the feed."""
    match expression:
        case Predicate():
            return _test(expression, feed, rule)
        case Not():
            true, false = _can(expression.child, feed, rule)
            return false, true
        case And():
            return _joined(expression.children, all, any, feed, rule)
        case Or():
            return _joined(expression.children, any, all, feed, rule)


def _joined(
    children: Sequence[Expression],
    of_true: Callable[[list[bool]], bool],
    of_false: Callable[[list[bool]], bool],
    feed: Feed,
    rule: LogSource,
) -> tuple[bool, bool]:
    both = [_can(child, feed, rule) for child in children]
    return of_true([true for true, _ in both]), of_false([false for _, false in both])


def _test(test: Predicate, feed: Feed, rule: LogSource) -> tuple[bool, bool]:
    if test.field is None or feed.has(test.field, rule):
        other = dict(test.arguments).get("other")
        return (other is None or feed.has(str(other), rule)), True
    holds = test.op == "null" or (test.op == "exists" and dict(test.arguments).get("value") is False)
    return holds, not holds
