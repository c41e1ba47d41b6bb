"""The command line of ``vigla-rules``. Exit codes: 0 fine, 1 findings or failures, 2 usage."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vigla_rules import __version__
from vigla_rules.commands.check import check_command, lock_command
from vigla_rules.commands.compile import compile_command
from vigla_rules.commands.diff import diff_command
from vigla_rules.commands.fields import fields_command
from vigla_rules.commands.test import test_command
from vigla_rules.layout import LayoutError
from vigla_rules.pipelines import NAMED, UnknownPipelineError
from vigla_rules.vpk import PackError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (UnknownPipelineError, LayoutError, PackError) as error:
        sys.stderr.write(f"vigla-rules: {error}\n")
        return 2 if isinstance(error, UnknownPipelineError) else 1
    except BrokenPipeError:
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vigla-rules", description="Compiles, checks and tests Vigla's Sigma rules.")
    parser.add_argument("--version", action="version", version=f"vigla-rules {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    build = commands.add_parser("compile", help="build a pack from directories of Sigma rules")
    build.add_argument("directories", nargs="+", type=Path, metavar="DIR", help="a pack directory or a tree of rules")
    build.add_argument("-o", "--output", required=True, type=Path, metavar="P", help="the pack to write (.vpk)")
    pipelines = f"{', '.join(sorted(NAMED))}, or the path of pySigma's YAML; may be repeated"
    build.add_argument("--pipeline", action="append", default=[], metavar="NAME", help=pipelines)
    build.add_argument("--sigmahq", type=Path, metavar="DIR", help="add the rules of a SigmaHQ checkout")
    prefer = "which of two similar rules stays (default: ours)"
    build.add_argument("--prefer", choices=("ours", "upstream"), default="ours", help=prefer)
    build.add_argument("--strict", action="store_true", help="exit 1 when a rule is refused")
    build.add_argument("--json", action="store_true", help="print the result as one JSON object")
    build.set_defaults(run=compile_command)

    check = commands.add_parser("check", help="print everything that is wrong with rules, texts, samples and lock")
    check.add_argument("directories", nargs="+", type=Path, metavar="DIR", help="a pack directory or a tree of rules")
    check.add_argument("--pipeline", action="append", default=[], metavar="NAME", help=pipelines)
    check.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    check.add_argument("--json", action="store_true", help="print the findings as one JSON list")
    check.set_defaults(run=check_command)

    lock = commands.add_parser("lock", help="write pack.lock: the version and hash of each rule")
    lock.add_argument("directory", type=Path, metavar="DIR", help="a pack directory")
    lock.add_argument("--reason", metavar="TEXT", help="why the rules that are gone were removed")
    lock.add_argument("--reset", action="store_true", help="start anew at version 1 (before a first release only)")
    lock.set_defaults(run=lock_command)

    test = commands.add_parser("test", help="run the samples of rules through the sensor and the reference evaluator")
    test.add_argument("directory", type=Path, metavar="DIR", help="a pack directory")
    test.add_argument("rule", nargs="?", metavar="RULE", help="name, file stem or id; all rules without it")
    test.add_argument("--watch", action="store_true", help="run again after each change")
    test.add_argument(
        "--reference", type=Path, metavar="FILE", help="the reference evaluator (tests/sigma/reference.py)"
    )
    test.add_argument(
        "--mutants", action="store_true", help="print the changes of a rule that none of its samples notices"
    )
    test.add_argument("--json", action="store_true", help="print the outcomes as one JSON list")
    test.set_defaults(run=test_command)

    diff = commands.add_parser("diff", help="what differs between two packs; exit code 1 when anything does")
    diff.add_argument("old", type=Path, metavar="A", help="a pack (.vpk)")
    diff.add_argument("new", type=Path, metavar="B", help="another")
    diff.add_argument("--json", action="store_true", help="print the differences as one JSON list")
    diff.set_defaults(run=diff_command)

    fields = commands.add_parser("fields", help="print which events and fields rules may name, as Markdown")
    fields.add_argument("directory", type=Path, metavar="DIR", help="a pack directory")
    fields.set_defaults(run=fields_command)
    return parser
