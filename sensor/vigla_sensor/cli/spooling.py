"""The commands over a spool: status, drain, redrive."""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict

from vigla_sensor.cli.context import FAILED, OK, Context
from vigla_sensor.run import StartFault, wiring
from vigla_sensor.run.shipping import Shipping
from vigla_sensor.run.wiring import only_one, sinks
from vigla_sensor.spool import Fate, Status, read_status
from vigla_sensor.spool.redrive import redrive_file
from vigla_sensor.telemetry import Progress

_COLUMNS = ("accepted", "delivered", "already_there", "dead_lettered", "folded", "dropped")


def status(context: Context) -> int:
    """1 where the books do not balance."""
    path = context.settings().spool.path
    try:
        found = read_status(path)
    except FileNotFoundError as error:
        raise StartFault(str(error)) from error
    if context.options.json:
        context.write(json.dumps(asdict(found)))
    else:
        for line in _table(found):
            context.write(line)
    return FAILED if found.violations else OK


def _table(found: Status) -> list[str]:
    lines = [f"spool of epoch {found.epoch}: {found.last_number} numbers given, {found.repeated} known ids came again"]
    lines += [f"lost, {reason}: {n}" for reason, n in found.lost.items()]
    for name, sink in found.sinks.items():
        lines.append(f"{name}: settled up to {sink.settled}")
        lines.append("  severity " + " ".join(column.rjust(13) for column in (*_COLUMNS, "pending")))
        for severity in sorted({*sink.counters, *sink.pending}, reverse=True):
            counted = sink.counters.get(severity, {})
            values = [*(counted.get(column, 0) for column in _COLUMNS), sink.pending.get(severity, 0)]
            lines.append(f"  {severity:8d} " + " ".join(f"{value:13d}" for value in values))
        lines += [f"  {reason}: {n}" for reason, n in sorted(sink.reasons.items())]
        lines += [f"  parked {index}: {reason}" for index, reason in sink.parked.items()]
    lines += [f"FAULT: {violation}" for violation in found.violations] or ["the books balance"]
    return lines


def drain(context: Context) -> int:
    """1 where something still waits."""
    settings = context.settings()
    found = sinks(settings)
    if not found:
        raise StartFault("no sink is configured: add [sinks.hub] or [sinks.elasticsearch]")
    if not settings.spool.path.exists():
        raise StartFault(f"{settings.spool.path}: no spool here; has the sensor run with this configuration?")
    progress = Progress(context.stderr, context.clock.monotonic)
    with ExitStack() as stack:
        stack.enter_context(only_one(settings.spool.path))
        executor = stack.enter_context(ThreadPoolExecutor(len(found), "deliver"))
        spool = stack.enter_context(contextlib.closing(wiring.spool(settings, found, context.clock)))
        shipping = stack.enter_context(contextlib.closing(Shipping(found, spool, context.clock, executor)))
        before = spool.pending()
        left = shipping.drain(context.options.patience, lambda now: progress.update(f"{now} to deliver"))
        reasons = shipping.reasons() if left else {}
    progress.done(f"{before - left} deliveries settled, {left} still wait")
    if context.options.json:
        context.write(json.dumps({"settled": before - left, "waiting": left, "reasons": reasons}))
    for where, reason in reasons.items():
        context.say(f"{where}: {reason}")
    return FAILED if left else OK


def redrive(context: Context) -> int:
    """Works beside a running sensor, which then sends them."""
    path = context.settings().spool.path
    try:
        moved = redrive_file(path, context.options.sink)
    except FileNotFoundError as error:
        raise StartFault(str(error)) from error
    if context.options.json:
        context.write(json.dumps({"moved": moved}))
    else:
        context.write(f"{moved} of {Fate.DEAD_LETTERED.replace('_', ' ')} put back to be sent")
    return OK
