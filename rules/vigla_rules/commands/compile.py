"""``vigla-rules compile``."""

import argparse
import hashlib
import json
import sys
from collections import Counter
from pathlib import PurePosixPath

from vigla_rules.commands.cached import chosen_cache
from vigla_rules.compiling import Compiled, compile_trees
from vigla_rules.layout import RULE_FOLDERS, read_sigmahq, read_tree
from vigla_rules.terminal import ProgressBar
from vigla_rules.vpk import write_pack


def compile_command(options: argparse.Namespace) -> int:
    """Builds the pack; a refused rule is printed and left out, and fails the run with ``--strict`` only."""
    trees = [read_tree(directory) for directory in options.directories]
    trees += read_sigmahq(options.sigmahq) if options.sigmahq is not None else []
    compiled = compile_trees(
        trees,
        tuple(options.pipeline),
        ProgressBar("compile"),
        prefer_upstream=options.prefer == "upstream",
        cache=chosen_cache(options),
        workers=options.jobs,
    )
    write_pack(options.output, compiled.data)
    if options.json:
        sys.stdout.write(json.dumps(_summary(compiled, str(options.output)), ensure_ascii=False) + "\n")
    else:
        _print(compiled, str(options.output))
    return 1 if options.strict and compiled.refused else 0


def _summary(compiled: Compiled, output: str) -> dict[str, object]:
    return {
        "pack": output,
        "bytes": len(compiled.data),
        "sha256": hashlib.sha256(compiled.data).hexdigest(),
        "counts": compiled.manifest["counts"],
        "refused": compiled.manifest["refused"],
    }


def _print(compiled: Compiled, output: str) -> None:
    for finding in compiled.findings:
        if finding.is_error:
            sys.stderr.write(f"{finding}\n")
    linked = compiled.linked
    named = {rule.meta.id: rule.meta.name for rule in linked.rules}
    named |= {draft.meta.id: draft.meta.name for draft in linked.correlations}
    if linked.quiet:
        quiet = ", ".join(sorted(named[rule] for rule in linked.quiet))
        sys.stdout.write(f"feed correlations only, no alerts of their own: {quiet}\n")
    if lists := sorted({name for rule in linked.rules for name in rule.lists}):
        sys.stdout.write(f"lists needed: {', '.join(lists)}\n")
    paths = [rule.meta.path for rule in linked.rules] + [draft.meta.path for draft in linked.correlations]
    if families := Counter(_family(path) for path in paths):
        counts = ", ".join(f"{name} {count}" for name, count in sorted(families.items()))
        sys.stdout.write(f"by family: {counts}\n")
    warnings = len(compiled.findings) - len(compiled.refused)
    sys.stdout.write(
        f"{len(linked.rules)} rules, {len(linked.correlations)} correlations, {len(linked.filters)} filters; "
        f"{len(compiled.refused)} refused, {warnings} warnings (vigla-rules check prints them)\n"
        f"{output}: {len(compiled.data)} bytes, SHA-256 {hashlib.sha256(compiled.data).hexdigest()}\n"
    )


def _family(path: str) -> str:
    """The area of a pack's rule, the first folder of any other."""
    parts = PurePosixPath(path).parts
    inner = parts[1:] if parts[0] in RULE_FOLDERS else parts
    return inner[0] if len(inner) > 1 else "."
