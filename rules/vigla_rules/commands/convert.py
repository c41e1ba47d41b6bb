"""``vigla-rules convert``: each rule as a query, and each that cannot be one with the reason."""

import argparse
import json
import sys
from pathlib import Path, PurePosixPath

from vigla_rules.commands.cached import chosen_cache
from vigla_rules.compiling import compile_trees
from vigla_rules.convert.mapping import FieldMapping, UnfaithfulError, ecs_mapping, own_names
from vigla_rules.convert.queries import Converter
from vigla_rules.drafts import CorrelationDraft, Metadata, RuleDraft
from vigla_rules.findings import did_you_mean
from vigla_rules.layout import LayoutError, Tree, read_data, read_tree
from vigla_rules.terminal import ProgressBar

_CORRELATION = {
    "lucene": "Lucene has no correlation: the sensor decides",
    "eql": "EQL counts runs, not events in a window: the sensor decides",
    "esql": "ES|QL counts in fixed intervals, not in a sliding window: the sensor decides",
}


def convert_command(options: argparse.Namespace) -> int:
    """Prints queries, then what was refused; 1 when a rule that was named is not there or is refused."""
    trees = [read_tree(directory) for directory in options.directories]
    converter = Converter(options.target, _mapping(options, trees), options.index)
    compiled = compile_trees(
        trees, tuple(options.pipeline), ProgressBar("convert"), cache=chosen_cache(options), workers=options.jobs
    )
    rules: list[RuleDraft | CorrelationDraft] = [*compiled.linked.rules, *compiled.linked.correlations]
    if options.rule is not None:
        rules = _only(rules, options.rule)
    queries: list[tuple[Metadata, str]] = []
    refused: list[tuple[Metadata, str]] = []
    for rule in rules:
        try:
            if isinstance(rule, CorrelationDraft):
                raise UnfaithfulError(_CORRELATION[options.target])
            queries.append((rule.meta, converter.query(rule)))
        except UnfaithfulError as error:
            refused.append((rule.meta, str(error)))
    if options.json:
        sys.stdout.write(json.dumps(_json(queries, refused), ensure_ascii=False) + "\n")
    else:
        comment = "#" if options.target == "lucene" else "//"
        for meta, query in queries:
            title = f"{comment} {meta.title} ({meta.id}), {meta.author or 'unknown'}"
            sys.stdout.write(f"{title}\n{query}\n\n")
        for meta, reason in refused:
            sys.stderr.write(f"{meta.path}: {meta.name}: {reason}\n")
        sys.stderr.write(options.say("convert.summary", count=len(queries), refused=len(refused)) + "\n")
    return 1 if options.rule is not None and refused else 0


def _mapping(options: argparse.Namespace, trees: list[Tree]) -> FieldMapping:
    table = read_data(options.ecs) if options.ecs is not None else next((tree.ecs for tree in trees if tree.ecs), None)
    if options.names == "own":
        return own_names(table or {})
    if table is None:
        named = ", ".join(str(directory) for directory in options.directories)
        raise LayoutError(f"{named}: no ecs.yml; name one with --ecs, or use --names own")
    return ecs_mapping(table)


def _only(rules: list[RuleDraft | CorrelationDraft], wanted: str) -> list[RuleDraft | CorrelationDraft]:
    known = {key: rule for rule in rules for key in (PurePosixPath(rule.meta.path).stem, rule.meta.name, rule.meta.id)}
    if wanted not in known:
        advice = did_you_mean(wanted, sorted(known), "name a rule by name, file stem or id")
        raise LayoutError(f"rule '{wanted}' is not known; {advice}")
    return [known[wanted]]


def _json(queries: list[tuple[Metadata, str]], refused: list[tuple[Metadata, str]]) -> dict[str, object]:
    def about(meta: Metadata) -> dict[str, object]:
        credit = {"author": meta.author or "unknown", "license": meta.license}
        return {"id": meta.id, "name": meta.name, "title": meta.title, "path": str(Path(meta.path)), **credit}

    return {
        "queries": [{**about(meta), "query": query} for meta, query in queries],
        "refused": [{**about(meta), "reason": reason} for meta, reason in refused],
    }
