"""The commands of a sensor that is set up: run and check."""

import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from vigla_sensor.cli.context import FAILED, OK, Context
from vigla_sensor.config import Settings
from vigla_sensor.run import StartFault, run_live
from vigla_sensor.run.wiring import core_settings, read_pack, sinks

_FAULT, _WARNING = "fault", "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """`fault` keeps the sensor from starting, `warning` does not."""

    level: str
    where: str
    problem: str


def run(context: Context) -> int:
    """Until stopped. Log lines go to standard error, where the journal reads them."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", force=True)
    logging.getLogger("elastic_transport").setLevel(logging.CRITICAL)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return run_live(context.settings(), context.clock, context.core.live)


def check(context: Context) -> int:
    """All findings at once; 1 if one of them would keep the sensor from starting."""
    settings = context.settings()
    findings = list(_findings(context, settings))
    if context.options.json:
        context.write(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            context.write(f"{finding.level}: {finding.where}: {finding.problem}")
        if not findings:
            context.write("fine: configuration, pack, sinks and disk are fit to run")
    return FAILED if any(finding.level == _FAULT for finding in findings) else OK


def _findings(context: Context, settings: Settings) -> Iterator[Finding]:
    if settings.pack is None:
        yield Finding(_FAULT, "pack", "not configured: add [pack] with the path of the compiled rules")
    else:
        yield from _pack(context, settings, settings.pack.path)
    if not settings.files and not settings.interfaces:
        yield Finding(_FAULT, "interfaces", "nothing to watch: add an [[interfaces]] or a [[files]] table")
    yield from _interfaces(context, settings)
    for entry in settings.files:
        if not entry.path.exists():
            yield Finding(_WARNING, f"files, {entry.path}", "is not there yet; the sensor will wait for it")
        elif not os.access(entry.path, os.R_OK):
            yield Finding(_FAULT, f"files, {entry.path}", "cannot be read by this user")
    if settings.sinks.hub is None and settings.sinks.elasticsearch is None:
        yield Finding(_FAULT, "sinks", "none is configured: add [sinks.hub] or [sinks.elasticsearch]")
    yield from _tried("sinks", lambda: sinks(settings))
    yield from _disk(settings)


def _interfaces(context: Context, settings: Settings) -> Iterator[Finding]:
    """As a start would open them: names, filters, permission, and whether they are there and up."""
    if not settings.interfaces:
        return
    try:
        found = json.loads(context.core.interfaces(core_settings(settings)))
    except ValueError as error:
        yield Finding(_FAULT, "interfaces", str(error))
        return
    for finding in found:
        yield Finding(finding["level"], "interfaces", finding["problem"])


def _pack(context: Context, settings: Settings, path: Path) -> Iterator[Finding]:
    """As a start would: metadata here, matching in the core, which also names the rules that cannot fire."""
    try:
        data, _ = read_pack(path)
        detector = context.core.replay(core_settings(settings), data, [])
        detector.poll(1)
    except (StartFault, ValueError) as error:
        yield Finding(_FAULT, "pack", str(error))
        return
    for warning in detector.warnings():
        yield Finding(_WARNING, "pack", warning)


def _tried(where: str, work: Callable[[], object]) -> Iterator[Finding]:
    try:
        work()
    except (StartFault, ValueError) as error:
        yield Finding(_FAULT, where, str(error))


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.spool.path.parent
    existing = next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))
    if not os.access(existing, os.W_OK):
        yield Finding(_FAULT, "spool.path", f"{existing} cannot be written by this user")
    free, wanted = shutil.disk_usage(existing).free, settings.spool.max_bytes + settings.spool.min_free_bytes
    if free < wanted:
        yield Finding(_WARNING, "spool", f"{free} bytes are free, a full spool wants {wanted}: alerts will go earlier")
