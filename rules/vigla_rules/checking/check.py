"""All findings on one directory, in the order of their places."""

from collections.abc import Callable

from vigla_rules.caching.cache import DraftCache
from vigla_rules.checking.cost import check_cost
from vigla_rules.checking.fields import check_fields, read_fields
from vigla_rules.checking.finished import check_finished
from vigla_rules.checking.lock import check_lock
from vigla_rules.checking.names import check_names
from vigla_rules.checking.samples import check_samples
from vigla_rules.checking.texts import check_texts
from vigla_rules.checking.validators import validate
from vigla_rules.compiling import Compiled, compile_trees
from vigla_rules.engine import RuleCost
from vigla_rules.findings import Finding
from vigla_rules.layout import Tree
from vigla_rules.reading import Progress

Costs = Callable[[bytes], list[RuleCost]]


def check_tree(
    tree: Tree,
    pipelines: tuple[str, ...],
    progress: Progress,
    cache: DraftCache | None = None,
    workers: int | None = None,
    costs: Costs = lambda _pack: [],
) -> tuple[Compiled, list[Finding]]:
    """Compiles the directory and, where it is a pack, looks at everything a finished rule needs.

    ``costs``: what the core says that each rule of a compiled pack costs it.
    """
    compiled = compile_trees([tree], pipelines, progress, cache=cache, workers=workers)
    findings = set(compiled.findings)
    findings.update(check_names(compiled.linked, set(tree.settings.lists) if tree.settings else set()))
    findings.update(check_cost(compiled.linked, costs(compiled.data)))
    if tree.settings is not None:
        linked = compiled.linked
        findings.update(check_fields(linked, read_fields(tree)))
        findings.update(check_finished(linked, tree))
        findings.update(check_texts(linked, tree))
        findings.update(check_samples(linked, tree))
        findings.update(check_lock(tree.root, compiled.drafts))
        findings.update(validate(tree.files))
        findings = {_mandatory(finding) for finding in findings}
    return compiled, sorted(findings)


def _mandatory(finding: Finding) -> Finding:
    """What is a warning elsewhere and an error in a pack of our own."""
    if finding.code != "no-author":
        return finding
    place = (finding.path, finding.line, finding.column)
    return Finding(*place, "error", finding.code, finding.reason, finding.suggestion, finding.rule_id, finding.title)
