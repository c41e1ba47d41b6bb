"""``vigla-rules compile``."""

import argparse
import hashlib
import json
import sys

from vigla_rules.compiling import Compiled, compile_trees
from vigla_rules.layout import read_tree
from vigla_rules.terminal import ProgressBar
from vigla_rules.vpk import write_pack


def compile_command(options: argparse.Namespace) -> int:
    """Builds the pack; a refused rule is printed and left out, and fails the run with ``--strict`` only."""
    trees = [read_tree(directory) for directory in options.directories]
    compiled = compile_trees(trees, tuple(options.pipeline), ProgressBar("compile"))
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
    warnings = len(compiled.findings) - len(compiled.refused)
    sys.stdout.write(
        f"{len(linked.rules)} rules, {len(linked.correlations)} correlations, {len(linked.filters)} filters; "
        f"{len(compiled.refused)} refused, {warnings} warnings (vigla-rules check prints them)\n"
        f"{output}: {len(compiled.data)} bytes, SHA-256 {hashlib.sha256(compiled.data).hexdigest()}\n"
    )
