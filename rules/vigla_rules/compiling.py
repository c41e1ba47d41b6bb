"""Directories → one pack: reads, links, writes the members. The same input gives the same bytes."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from vigla_rules.caching.cache import DraftCache
from vigla_rules.drafts import CorrelationDraft, Draft, FileDrafts, FilterDraft, Metadata, RuleDraft
from vigla_rules.extended import to_json
from vigla_rules.files import RuleFile
from vigla_rules.findings import Finding
from vigla_rules.graph import Graph
from vigla_rules.layout import LANGUAGES, RULE_FOLDERS, PackSettings, Tree
from vigla_rules.linking import Linked, link
from vigla_rules.reading import Progress, read_files
from vigla_rules.vpk import canonical, pack_bytes
from vigla_rules.windows import windows_classes


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pack and what was found on the way. ``refused`` are errors of single rules; the pack is without them."""

    data: bytes
    manifest: dict[str, object]
    linked: Linked
    drafts: list[Draft]
    findings: list[Finding]

    @property
    def refused(self) -> list[Finding]:
        """The errors, in the order of their places."""
        return [finding for finding in self.findings if finding.is_error]


def compile_trees(
    trees: list[Tree],
    pipelines: tuple[str, ...],
    progress: Progress,
    *,
    prefer_upstream: bool = False,
    cache: DraftCache | None = None,
    workers: int | None = None,
) -> Compiled:
    """Compiles directories into one pack; the first pack directory among them names it.

    Neither ``cache`` nor the number of ``workers`` (processes; default: one for each core) changes what comes out.

    A rule from elsewhere that one of a pack's own calls `similar` stays out, so that one event does not alert twice;
    with ``prefer_upstream`` ours does.
    """
    with uncollected():
        return _compiled(_told_apart(trees), pipelines, progress, prefer_upstream, cache, workers)


@contextmanager
def uncollected() -> Iterator[None]:
    """Drafts hold no cycles, and looking for some among hundreds of thousands takes a fifth of a warm compile."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _compiled(
    trees: list[Tree],
    pipelines: tuple[str, ...],
    progress: Progress,
    prefer_upstream: bool,
    cache: DraftCache | None,
    workers: int | None,
) -> Compiled:
    settings = next((tree.settings for tree in trees if tree.settings is not None), PackSettings())
    files = [file for tree in trees for file in tree.files]
    read = read_files(files, pipelines, progress, cache=cache, workers=workers)
    findings = [finding for tree in trees for finding in tree.problems]
    findings += [finding for result in read for finding in result.findings]
    drafts = _without_similar(trees, read, prefer_upstream=prefer_upstream)
    refused = {finding.rule_id: finding.title for finding in findings if finding.is_error and finding.rule_id}
    linked = link(drafts, settings.lists, refused)
    findings = sorted(set(findings + linked.findings))
    members = _members(trees, linked, _owners(trees, read))
    relative = {file.path: file.relative for file in files}
    manifest: dict[str, object] = {
        "name": settings.name,
        "version": settings.version,
        "minimum_sensor": settings.minimum_sensor,
        "created": settings.created,
        "counts": _counts(linked, members),
        "lists": settings.lists,
        "refused": [_refused(finding, relative) for finding in findings if finding.is_error],
    }
    return Compiled(pack_bytes(manifest, members), manifest, linked, drafts, findings)


def _told_apart(trees: list[Tree]) -> list[Tree]:
    """Paths inside the pack stay distinct when several trees are joined: all but pack directories get a prefix."""
    if len(trees) == 1:
        return trees
    apart = []
    for at, tree in enumerate(trees):
        if at and tree.settings is None and not tree.notices:
            prefix = f"{tree.root.resolve().name}-{at}" if len(trees) > 2 else tree.root.resolve().name
            files = [RuleFile(file.path, f"{prefix}/{file.relative}", file.data) for file in tree.files]
            apart.append(replace(tree, files=files))
        else:
            apart.append(tree)
    return apart


def _without_similar(trees: list[Tree], read: list[FileDrafts], *, prefer_upstream: bool) -> list[Draft]:
    ours: list[Draft] = []
    theirs: list[Draft] = []
    results = iter(read)
    for tree in trees:
        for _ in tree.files:
            (theirs if tree.settings is None else ours).extend(next(results).drafts)
    upstream = {draft.meta.id for draft in theirs}
    if prefer_upstream:
        ours = [draft for draft in ours if not upstream.intersection(draft.meta.similar)]
    similar = {rule for draft in ours for rule in draft.meta.similar}
    return [*ours, *(draft for draft in theirs if draft.meta.id not in similar)]


def _owners(trees: list[Tree], read: list[FileDrafts]) -> dict[str, Tree]:
    """The tree each rule came from, by id; the first holder of a doubled id stays."""
    owners: dict[str, Tree] = {}
    results = iter(read)
    for tree in trees:
        for _ in tree.files:
            for draft in next(results).drafts:
                owners.setdefault(draft.meta.id, tree)
    return owners


def _refused(finding: Finding, relative: dict[str, str]) -> dict[str, str]:
    path = relative.get(finding.path, Path(finding.path).name)
    about = {"id": finding.rule_id, "title": finding.title, "path": path}
    return {**about, "code": finding.code, "reason": finding.reason}


def _members(trees: list[Tree], linked: Linked, owners: dict[str, Tree]) -> dict[str, bytes]:
    pack_trees = [tree for tree in trees if tree.settings is not None]
    ecs: dict[str, object] = {"fields": [], "logsources": []}
    aliases: list[object] = []
    sources: dict[str, dict[str, object]] = {}
    for tree in pack_trees:
        for key, rows in tree.ecs.items():
            ecs[key] = [*_rows(ecs.get(key)), *_rows(rows)]
        aliases += tree.aliases
        sources |= tree.sources
    originals = {f"rules/{file.relative}": file.data for tree in trees for file in tree.files}
    return {
        "rules.json": canonical(_rules(linked, owners, aliases)),
        "sources.json": canonical({"sources": [sources[name] for name in sorted(sources)]}),
        "ecs.json": canonical(ecs),
        "texts.json": canonical(_texts(linked, owners)),
        "canary.json": canonical({"canaries": []}),
        **originals,
        **{name: data for tree in trees for name, data in tree.notices.items()},
    }


def _rows(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _counts(linked: Linked, members: dict[str, bytes]) -> dict[str, int]:
    return {
        "rules": len(linked.rules),
        "correlations": len(linked.correlations),
        "filters": len(linked.filters),
        "files": sum(name.startswith("rules/") for name in members),
        "refused": sum(finding.is_error for finding in linked.findings),
    }


def _rules(linked: Linked, owners: dict[str, Tree], aliases: list[object]) -> dict[str, object]:
    graph = Graph()
    rules = [_rule(rule, graph, owners[rule.meta.id], linked.quiet) for rule in linked.rules]
    classes = windows_classes((rule.logsource for rule in linked.rules), graph)
    names = graph.field_names(_correlated(linked))
    return {
        "fields": names,
        "predicates": graph.predicates(names),
        "nodes": graph.nodes,
        "rules": rules,
        "correlations": [_correlation(c, owners[c.meta.id], linked.quiet) for c in linked.correlations],
        "filters": [
            {"id": f.meta.id, "title": f.meta.title, "path": f.meta.path, "rules": list(rules)}
            for f, rules in linked.filters
        ],
        "aliases": aliases,
        "classes": classes,
    }


def _correlated(linked: Linked) -> Iterable[str]:
    for draft in linked.correlations:
        yield from (*draft.group_by, *draft.fields, *(name for _, mapping in draft.aliases for _, name in mapping))


def _rule(rule: RuleDraft, graph: Graph, owner: Tree, quiet: set[str]) -> dict[str, object]:
    return {
        **_about(rule.meta, owner),
        "logsource": rule.logsource.to_json(),
        "gates": [graph.add(gate) for gate in rule.gates],
        "condition": graph.add(rule.condition),
        "selections": {name: graph.add(expression) for name, expression in rule.selections},
        "alert": rule.meta.id not in quiet,
        "lists": list(rule.lists),
    }


def _correlation(draft: CorrelationDraft, owner: Tree, quiet: set[str]) -> dict[str, object]:
    return {
        **_about(draft.meta, owner),
        "type": draft.type,
        "rules": list(draft.rules),
        "group_by": list(draft.group_by),
        "aliases": {alias: dict(mapping) for alias, mapping in draft.aliases},
        "timespan_ms": draft.timespan_ms,
        "field": list(draft.fields),
        "percentile": draft.percentile,
        "condition": [{"op": op, "value": value} for op, value in draft.condition],
        "expression": None if draft.expression is None else to_json(draft.expression),
        "alert": draft.meta.id not in quiet,
    }


def _about(meta: Metadata, owner: Tree) -> dict[str, object]:
    settings = owner.credit
    return {
        "id": meta.id,
        "name": meta.name,
        "path": meta.path,
        "title": meta.title,
        "description": meta.description,
        "author": meta.author or "unknown",
        "license": meta.license or settings.license,
        "status": meta.status,
        "level": meta.level,
        "date": meta.date,
        "modified": meta.modified,
        "version": owner.versions.get(meta.id, 1),
        "ruleset": settings.ruleset,
        "tags": list(meta.tags),
        "references": list(meta.references),
        "falsepositives": list(meta.falsepositives),
        "fields": list(meta.fields),
        "mandatory": settings.roster.get(meta.name, {}).get("mandatory") is True,
    }


def text_key(meta: Metadata) -> str:
    """``area/name``: where the texts and samples of a rule stand."""
    path = PurePosixPath(meta.path)
    inner = path.relative_to(path.parts[0]) if path.parts[0] in RULE_FOLDERS else path
    return (inner.parent / meta.name).as_posix()


def _texts(linked: Linked, owners: dict[str, Tree]) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {language: {} for language in LANGUAGES}
    drafts: list[RuleDraft | CorrelationDraft] = [*linked.rules, *linked.correlations]
    for language in LANGUAGES:
        for draft in drafts:
            if not (texts := owners[draft.meta.id].texts.get(language, {})):
                continue
            stem = (PurePosixPath(text_key(draft.meta)).parent / PurePosixPath(draft.meta.path).stem).as_posix()
            for key in (text_key(draft.meta), stem):
                if key in texts:
                    found[language][draft.meta.id] = texts[key]
                    break
    return found


def filters_of(drafts: Iterable[Draft]) -> list[FilterDraft]:
    """The filters among drafts."""
    return [draft for draft in drafts if isinstance(draft, FilterDraft)]
