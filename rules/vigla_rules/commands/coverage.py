"""``vigla-rules coverage``: which rules can fire, by log source and by technique, given what is connected."""

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from vigla_rules.attack import Techniques, read_techniques
from vigla_rules.checking.fields import spelled
from vigla_rules.commands.cached import chosen_cache
from vigla_rules.compiling import compile_trees
from vigla_rules.coverage.feeds import ConnectedError, connect, everything, read_config
from vigla_rules.coverage.navigator import by_technique, layers
from vigla_rules.coverage.verdicts import Verdict, Why, verdicts
from vigla_rules.layout import Tree, read_sigmahq, read_tree
from vigla_rules.speech import Speech
from vigla_rules.terminal import ProgressBar, table
from vigla_rules.vpk import write_pack

MAX_SHOWN = 6


@dataclass(slots=True)
class _Row:
    total: int = 0
    fires: int = 0
    partly: int = 0
    served: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def add(self, verdict: Verdict) -> None:
        self.total += 1
        self.fires += verdict.fires
        self.partly += verdict.partly
        self.served.update(verdict.served_by)
        self.missing.update(verdict.missing)


def coverage_command(options: argparse.Namespace) -> int:
    """Prints the tables, writes the layers; 2 where something is named that cannot be connected."""
    say: Speech = options.say
    trees = [read_tree(directory) for directory in options.directories]
    trees += read_sigmahq(options.sigmahq) if options.sigmahq is not None else []
    try:
        names, lists = _connected(options, trees)
        site = connect(trees, names, lists)
    except ConnectedError as error:
        sys.stderr.write(f"vigla-rules: {error}\n")
        return 2
    compiled = compile_trees(
        trees, tuple(options.pipeline), ProgressBar("coverage"), cache=chosen_cache(options), workers=options.jobs
    )
    found = verdicts(compiled.linked, site)
    techniques = read_techniques()
    if options.navigator is not None:
        for path in _write_layers(options.navigator, found, names, techniques):
            sys.stderr.write(f"{path}\n")
    if options.json:
        sys.stdout.write(json.dumps(_json(found, names, techniques), ensure_ascii=False) + "\n")
        return 0
    _print_sources(found, say)
    _print_techniques(found, techniques, say)
    if options.rules:
        _print_blind(found, say)
    words = {
        "fires": sum(verdict.fires for verdict in found),
        "total": len(found),
        "partly": sum(verdict.partly for verdict in found),
        "techniques": sum(any(rule.fires for rule in rules) for rules in by_technique(found).values()),
    }
    sys.stdout.write("\n" + say("coverage.summary", **words) + "\n")
    return 0


def _connected(options: argparse.Namespace, trees: list[Tree]) -> tuple[list[str], frozenset[str] | None]:
    if options.config is not None:
        names, lists = read_config(options.config, trees)
        return [*names, *options.connected], lists
    return options.connected or everything(trees), None


def _write_layers(path: Path, found: list[Verdict], names: list[str], techniques: Techniques) -> list[Path]:
    """The enterprise layer under the name given, that of another matrix beside it."""
    written = []
    description = f"Rules that can fire with {', '.join(names)} connected"
    for matrix, layer in layers(found, "Vigla", description, techniques).items():
        target = path if matrix == "enterprise-attack" else path.with_name(f"{path.stem}-{matrix}{path.suffix}")
        write_pack(target, (json.dumps(layer, ensure_ascii=False, indent=1) + "\n").encode())
        written.append(target)
    return written


def _rows(found: list[Verdict]) -> dict[str, _Row]:
    rows: dict[str, _Row] = {}
    for verdict in found:
        name = "correlation" if verdict.logsource is None else spelled(verdict.logsource)
        rows.setdefault(name, _Row()).add(verdict)
    return dict(sorted(rows.items()))


def _print_sources(found: list[Verdict], say: Speech) -> None:
    head = ("logsource", "total", "fires", "partly", "cannot", "fed", "missing")
    lines: list[tuple[str, ...]] = [tuple(say(f"coverage.{word}") for word in head)]
    for name, row in _rows(found).items():
        counts = (row.total, row.fires, row.partly, row.total - row.fires)
        lines.append((name, *map(str, counts), _few(row.served), _few(row.missing)))
    sys.stdout.write(table(lines) + "\n")


def _print_techniques(found: list[Verdict], techniques: Techniques, say: Speech) -> None:
    lines: list[tuple[str, ...]] = [(say("coverage.technique"), "", say("coverage.fires"), say("coverage.total"))]
    gaps = []
    for technique, rules in by_technique(found).items():
        able = sum(rule.fires for rule in rules)
        gaps += [] if able else [technique]
        lines.append((technique, techniques.names.get(technique) or "", str(able), str(len(rules))))
    sys.stdout.write("\n" + table(lines) + "\n")
    if gaps:
        sys.stdout.write("\n" + say("coverage.gaps", names=", ".join(gaps)) + "\n")


def _print_blind(found: list[Verdict], say: Speech) -> None:
    sys.stdout.write("\n")
    for verdict in found:
        if not verdict.fires:
            sys.stdout.write(f"{verdict.meta.path}: {verdict.meta.name}: {_why(verdict, say)}\n")


def _why(verdict: Verdict, say: Speech) -> str:
    if verdict.why is Why.NO_SOURCE and verdict.logsource is not None:
        return say("coverage.no_source", logsource=spelled(verdict.logsource))
    if verdict.why is Why.NO_FIELD:
        return say("coverage.no_field", fields=", ".join(verdict.named))
    if verdict.why is Why.NO_LIST:
        return say("coverage.no_list", lists=", ".join(verdict.named))
    return say("coverage.no_rule", rules=", ".join(verdict.named))


def _json(found: list[Verdict], names: list[str], techniques: Techniques) -> dict[str, object]:
    return {
        "connected": names,
        "rules": [
            {
                "id": verdict.meta.id,
                "name": verdict.meta.name,
                "path": verdict.meta.path,
                "logsource": verdict.logsource.to_json() if verdict.logsource is not None else None,
                "fires": verdict.fires,
                "served_by": verdict.served_by,
                "missing": verdict.missing,
                "why": verdict.why,
                "named": verdict.named,
            }
            for verdict in found
        ],
        "logsources": [
            {"logsource": name, "rules": row.total, "fires": row.fires, "partly": row.partly}
            for name, row in _rows(found).items()
        ],
        "techniques": [
            {
                "id": technique,
                "name": techniques.names.get(technique),
                "rules": len(rules),
                "fires": sum(rule.fires for rule in rules),
            }
            for technique, rules in by_technique(found).items()
        ],
    }


def _few(names: set[str]) -> str:
    listed = sorted(names)
    more = f" +{len(listed) - MAX_SHOWN}" if len(listed) > MAX_SHOWN else ""
    return ", ".join(listed[:MAX_SHOWN]) + more or "-"
