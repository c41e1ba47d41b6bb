"""Rules that the core cannot index: named with what they cost, for each is evaluated for every event it could see."""

from collections.abc import Iterator

from vigla_rules.checking.fields import spelled
from vigla_rules.engine import RuleCost
from vigla_rules.findings import Finding
from vigla_rules.linking import Linked, warning


def check_cost(linked: Linked, costs: list[RuleCost]) -> Iterator[Finding]:
    """A warning for each rule without a witness."""
    rules = {rule.meta.id: rule for rule in linked.rules}
    for cost in costs:
        if cost.always and (rule := rules.get(cost.rule)) is not None:
            every = f"every event of {spelled(rule.logsource)}"
            reason = f"cannot be indexed: {every} is asked up to {cost.predicates} questions"
            advice = "require a value, or a text of three characters, outside `not`"
            yield warning(rule, "not-indexed", reason, advice, "detection")
