"""The commands that read files: replay, events, explain, sources explain."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from vigla_sensor.cli.context import FAILED, OK, Context
from vigla_sensor.cli.explanation import ENGLISH, GREEK, Paint, colored, language, lines
from vigla_sensor.run import ReplayReport, StartFault, replay_to_sinks, replay_to_stream
from vigla_sensor.run.wiring import core_settings, read_pack
from vigla_sensor.telemetry import Progress


def replay(context: Context) -> int:
    """Fails (1) where something is lost or still waits; warnings about inputs alone do not fail."""
    options = context.options
    settings = context.settings()
    data, pack = read_pack(context.pack_path(settings))
    _present(options.paths)
    detector = context.core.replay(core_settings(settings, options.logsource), data, options.paths)
    progress = Progress(context.stderr, context.clock.monotonic)
    delivers = options.out is None and (settings.sinks.hub is not None or settings.sinks.elasticsearch is not None)
    if delivers:
        report = replay_to_sinks(detector, settings, pack, context.clock, progress.update, options.patience)
    else:
        with context.output(options.out or "-") as out:
            report = replay_to_stream(detector, settings, pack, context.clock, out, progress.update)
    for warning in report.warnings:
        context.say(f"warning: {warning}")
    progress.done(_summary(report, delivers))
    if delivers and options.json:
        context.write(json.dumps(asdict(report)))
    for where, reason in report.reasons.items():
        context.say(f"{where}: {reason}")
    if report.waiting:
        context.say(
            f"{report.waiting} deliveries wait in {settings.spool.path}: mend that, then `vigla-sensor spool drain`"
        )
    return FAILED if report.waiting or report.lost else OK


def _summary(report: ReplayReport, delivered: bool) -> str:
    if not delivered:
        return f"{report.alerts} alerts"
    return (
        f"{report.alerts} alerts, {report.repeated} known already, {report.lost} lost, {report.waiting} still waiting"
    )


def events(context: Context) -> int:
    """Warnings (a capture that is cut) do not fail: what could be read was read."""
    options = context.options
    settings = context.settings()
    pack = Path(options.pack) if options.pack else settings.pack.path if settings.pack is not None else None
    data = read_pack(pack)[0] if pack is not None else None
    _present(options.paths)
    with context.output(options.out) as out:
        out.flush()
        core = core_settings(settings, options.logsource)
        counters, warnings = context.core.events(options.paths, core, out.fileno(), data)
    for warning in warnings:
        context.say(f"warning: {warning}")
    if options.json:
        context.say(json.dumps(counters))
    return OK


def explain(context: Context) -> int:
    """Prints the tree: for people, with colors on a terminal, or as JSON."""
    options = context.options
    settings = context.settings()
    data, _ = read_pack(context.pack_path(settings))
    try:
        event = sys.stdin.buffer.read() if options.event == "-" else Path(options.event).read_bytes()
    except OSError as error:
        raise StartFault(f"{options.event}: cannot be read: {error.strerror}") from error
    core = core_settings(settings, options.logsource)
    tree = json.loads(context.core.explain(data, options.rule, event, core, options.number))
    if options.json:
        context.write(json.dumps(tree, ensure_ascii=False, indent=2))
        return OK
    words = ENGLISH if (options.language or language(os.environ)) == "en" else GREEK
    for line in lines(tree, words, Paint(colored(os.environ, context.stdout.isatty()))):
        context.write(line)
    return OK


def sources_explain(context: Context) -> int:
    """Prints a line per line."""
    options = context.options
    settings = context.settings()
    data, _ = read_pack(context.pack_path(settings))
    _present([options.path])
    with context.output(options.out) as out:
        out.flush()
        counters = context.core.sources_explain(data, core_settings(settings), options.path, out.fileno())
    context.say(json.dumps(counters))
    return OK


def _present(paths: list[str]) -> None:
    """Said before anything is read: one wrong path must not cost a long replay."""
    for path in paths:
        if not Path(path).is_file():
            raise StartFault(f"{path}: no such file")
