"""``vigla-rules check`` and ``vigla-rules lock``."""

import argparse
import json
import sys
from dataclasses import asdict

from vigla_rules.checking.check import check_tree
from vigla_rules.checking.lock import Lock, load_lock, save_lock, update_lock
from vigla_rules.commands.cached import chosen_cache
from vigla_rules.compiling import compile_trees
from vigla_rules.engine import EngineError, RuleCost, index_report
from vigla_rules.layout import is_pack, read_tree
from vigla_rules.terminal import ProgressBar


def check_command(options: argparse.Namespace) -> int:
    """Prints every finding; errors make it exit 1, warnings do not."""
    findings = []
    cache = chosen_cache(options)
    for directory in options.directories:
        tree = read_tree(directory)
        findings += check_tree(tree, tuple(options.pipeline), ProgressBar("check"), cache, options.jobs, _costs)[1]
    errors = sum(finding.is_error for finding in findings)
    if options.json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False) + "\n")
    else:
        for finding in findings:
            if finding.is_error or not options.quiet:
                sys.stdout.write(f"{finding}\n")
        sys.stdout.write(f"{errors} errors, {len(findings) - errors} warnings\n")
    return 1 if errors else 0


def _costs(pack: bytes) -> list[RuleCost]:
    """What the core says; where it cannot be asked, that is said and the other checks stand."""
    try:
        return index_report(pack)
    except EngineError as error:
        sys.stderr.write(f"vigla-rules: rules that cannot be indexed are not named: {error}\n")
        return []


def lock_command(options: argparse.Namespace) -> int:
    """Brings ``pack.lock`` up to date, or says what stands against it and writes nothing."""
    if not is_pack(options.directory):
        sys.stderr.write(f"vigla-rules: {options.directory}: no pack directory (it has no detections/)\n")
        return 2
    compiled = compile_trees([read_tree(options.directory)], (), ProgressBar("lock"))
    if compiled.refused:
        sys.stderr.writelines(f"{finding}\n" for finding in compiled.refused)
        sys.stderr.write("nothing is locked while a rule is refused\n")
        return 1
    before = Lock({}, {}) if options.reset else load_lock(options.directory)
    lock, objections = update_lock(before, compiled.drafts, options.reason)
    if objections:
        sys.stderr.writelines(f"{objection}\n" for objection in objections)
        return 1
    save_lock(options.directory, lock)
    changed = sum(entry != before.rules.get(rule) for rule, entry in lock.rules.items())
    sys.stdout.write(f"{len(lock.rules)} rules locked, {changed} new or changed, {len(lock.removed)} removed\n")
    return 0
