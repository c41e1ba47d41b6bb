"""The command line of ``vigla-rules``. Exit codes: 0 fine, 1 findings or failures, 2 usage."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vigla_rules import __version__
from vigla_rules.commands.compile import compile_command
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
    build.add_argument("--strict", action="store_true", help="exit 1 when a rule is refused")
    build.add_argument("--json", action="store_true", help="print the result as one JSON object")
    build.set_defaults(run=compile_command)
    return parser
