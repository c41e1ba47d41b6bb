"""The command line of ``vigla-rules``. Exit codes: 0 fine, 1 findings or failures, 2 usage.

A command's module is imported when it runs: what is served from the cache pays for no parser.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from vigla_rules import __version__
from vigla_rules.layout import LayoutError
from vigla_rules.pipeline_names import INSTALLED, UnknownPipelineError
from vigla_rules.speech import Speech, read_speech, spoken_language
from vigla_rules.vpk import PackError

Parsers = Any  # argparse's own type for this is private


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    say = read_speech(spoken_language())
    options = _parser(say).parse_args(arguments)
    options.say = say
    try:
        code: int = options.run(options)
    except (UnknownPipelineError, LayoutError, PackError) as error:
        sys.stderr.write(f"vigla-rules: {error}\n")
        return 2 if isinstance(error, UnknownPipelineError) else 1
    except BrokenPipeError:
        return 1
    return code


def _parser(say: Speech) -> argparse.ArgumentParser:
    parser = _worded(argparse.ArgumentParser(prog="vigla-rules", description=say("about"), add_help=False), say)
    parser.add_argument("--version", action="version", version=f"vigla-rules {__version__}", help=say("version"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _building(commands, say)
    _proving(commands, say)
    _looking(commands, say)
    return parser


def _building(commands: Parsers, say: Speech) -> None:
    build = _command(commands, say, "compile", "compile")
    _directories(build, say)
    build.add_argument("-o", "--output", required=True, type=Path, metavar="P", help=say("compile.output"))
    _pipelines(build, say)
    build.add_argument("--sigmahq", type=Path, metavar="DIR", help=say("compile.sigmahq"))
    build.add_argument("--prefer", choices=("ours", "upstream"), default="ours", help=say("compile.prefer"))
    build.add_argument("--strict", action="store_true", help=say("compile.strict"))
    _caching(build, say)
    _json(build, say)

    check = _command(commands, say, "check", "check")
    _directories(check, say)
    _pipelines(check, say)
    check.add_argument("-q", "--quiet", action="store_true", help=say("check.quiet"))
    _caching(check, say)
    _json(check, say)

    lock = _command(commands, say, "lock", "check")
    lock.add_argument("directory", type=Path, metavar="DIR", help=say("directory"))
    lock.add_argument("--reason", metavar="TEXT", help=say("lock.reason"))
    lock.add_argument("--reset", action="store_true", help=say("lock.reset"))


def _proving(commands: Parsers, say: Speech) -> None:
    test = _command(commands, say, "test", "test")
    test.add_argument("directory", type=Path, metavar="DIR", help=say("directory"))
    test.add_argument("rule", nargs="?", metavar="RULE", help=say("test.rule"))
    test.add_argument("--watch", action="store_true", help=say("test.watch"))
    test.add_argument("--reference", type=Path, metavar="FILE", help=say("test.reference"))
    test.add_argument("--mutants", action="store_true", help=say("test.mutants"))
    _json(test, say)

    diff = _command(commands, say, "diff", "diff")
    diff.add_argument("old", type=Path, metavar="A", help=say("pack"))
    diff.add_argument("new", type=Path, metavar="B", help=say("pack"))
    _json(diff, say)

    fields = _command(commands, say, "fields", "fields")
    fields.add_argument("directory", type=Path, metavar="DIR", help=say("directory"))


def _looking(commands: Parsers, say: Speech) -> None:
    coverage = _command(commands, say, "coverage", "coverage")
    _directories(coverage, say)
    coverage.add_argument(
        "--connected", action="extend", nargs="+", default=[], metavar="NAME", help=say("coverage.connected")
    )
    coverage.add_argument("--config", type=Path, metavar="FILE", help=say("coverage.config"))
    coverage.add_argument("--navigator", type=Path, metavar="FILE", help=say("coverage.navigator"))
    coverage.add_argument("--rules", action="store_true", help=say("coverage.rules"))
    coverage.add_argument("--sigmahq", type=Path, metavar="DIR", help=say("compile.sigmahq"))
    _pipelines(coverage, say)
    _caching(coverage, say)
    _json(coverage, say)

    convert = _command(commands, say, "convert", "convert")
    _directories(convert, say)
    convert.add_argument("-t", "--target", required=True, choices=("lucene", "eql", "esql"), help=say("convert.target"))
    convert.add_argument("--rule", metavar="RULE", help=say("convert.rule"))
    convert.add_argument("--names", choices=("ecs", "own"), default="ecs", help=say("convert.names"))
    convert.add_argument("--ecs", type=Path, metavar="FILE", help=say("convert.ecs"))
    convert.add_argument("--index", default="vigla-alerts-*", metavar="PATTERN", help=say("convert.index"))
    _pipelines(convert, say)
    _caching(convert, say)
    _json(convert, say)

    bench = _command(commands, say, "bench", "bench")
    bench.add_argument("pack", type=Path, metavar="PACK", help=say("pack"))
    bench.add_argument("events", type=Path, metavar="EVENTS", help=say("bench.events"))
    bench.add_argument("--logsource", required=True, metavar="NAME", help=say("bench.logsource"))
    bench.add_argument("--repeat", type=_count, default=1, metavar="N", help=say("bench.repeat"))
    _json(bench, say)


def _command(commands: Parsers, say: Speech, name: str, module: str) -> argparse.ArgumentParser:
    """A command: function ``<name>_command`` of ``vigla_rules.commands.<module>``."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=say(name), description=say(name), add_help=False)
    parser.set_defaults(run=_later(module, f"{name}_command"))
    return _worded(parser, say)


def _later(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        code: int = getattr(import_module(f"vigla_rules.commands.{module}"), function)(options)
        return code

    return run


def _worded(parser: argparse.ArgumentParser, say: Speech) -> argparse.ArgumentParser:
    parser._positionals.title = say("arguments")  # noqa: SLF001  # argparse has no public way to name its groups
    parser._optionals.title = say("options")  # noqa: SLF001
    parser.add_argument("-h", "--help", action="help", help=say("help"))
    return parser


def _directories(parser: argparse.ArgumentParser, say: Speech) -> None:
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR", help=say("directories"))


def _pipelines(parser: argparse.ArgumentParser, say: Speech) -> None:
    words = say("pipeline", names=", ".join(sorted(INSTALLED)))
    parser.add_argument("--pipeline", action="append", default=[], metavar="NAME", help=words)


def _caching(parser: argparse.ArgumentParser, say: Speech) -> None:
    parser.add_argument("--cache", type=Path, metavar="DIR", help=say("cache"))
    parser.add_argument("--no-cache", action="store_true", help=say("no_cache"))
    parser.add_argument("-j", "--jobs", type=_count, metavar="N", help=say("jobs"))


def _json(parser: argparse.ArgumentParser, say: Speech) -> None:
    parser.add_argument("--json", action="store_true", help=say("json"))


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 256:
        raise argparse.ArgumentTypeError(f"{text}: a number from 1 to 256")
    return number
