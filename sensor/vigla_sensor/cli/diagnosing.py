"""The command `doctor`: watches, judges, says it. Composition only; `vigla_sensor.doctor` does the work."""

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vigla_sensor import doctor
from vigla_sensor.cli.context import FAILED, OK, Context
from vigla_sensor.cli.explanation import Paint, colored, language
from vigla_sensor.config import Interface, Settings
from vigla_sensor.doctor.own import own_addresses
from vigla_sensor.doctor.tally import Tally
from vigla_sensor.doctor.texts import Texts
from vigla_sensor.run import StartFault
from vigla_sensor.run.wiring import core_settings, read_pack
from vigla_sensor.spool import read_status
from vigla_sensor.stopping import stop_signals
from vigla_sensor.telemetry import Progress, kernel_clock

_PRIVATE = frozenset({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"})
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_MOST_SECONDS = 86_400
_MOST_VLAN = 4094


def diagnose(context: Context) -> int:
    """1 where something calls for something to be done: blind, or a warning."""
    options = context.options
    texts = doctor.read_texts(options.language or language(os.environ))
    settings = _watching(context.settings(), options.interface)
    expected = _expected(settings, options.vlan)
    seen, early = (
        _files(context, settings, expected, texts) if options.paths else _live(context, settings, expected, texts)
    )
    findings = doctor.diagnose(seen)
    if options.json:
        context.write(json.dumps(doctor.document(seen, findings, texts, early=early), ensure_ascii=False, indent=2))
    else:
        paint = Paint(colored(os.environ, context.stdout.isatty()))
        for line in doctor.lines(seen, findings, texts, paint, early=early):
            context.write(line)
    return FAILED if any(finding.severity.calls for finding in findings) else OK


def seconds_of(text: str) -> float:
    """`600`, `90s`, `10m`, `1h`. Raises `StartFault`."""
    found = re.fullmatch(r"(\d+)([smh]?)", text.strip())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 1 <= seconds <= _MOST_SECONDS:
        raise StartFault(f"--for: {text!r} is no time from 1s to 24h; write for instance 90s, 10m or 1h")
    return float(seconds)


def _vlans(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if any(not part.isdecimal() or not 1 <= int(part) <= _MOST_VLAN for part in parts):
        raise StartFault(f"--vlan: {text!r} is no list of VLANs from 1 to {_MOST_VLAN}; write for instance 10,20,30")
    return tuple(sorted({int(part) for part in parts}))


def _watching(settings: Settings, names: Sequence[str]) -> Settings:
    """Only traffic: no log files; interfaces of the command line before those of the configuration."""
    known = {interface.name: interface for interface in settings.interfaces}
    interfaces = tuple(known.get(name, Interface(name)) for name in names) or settings.interfaces
    return replace(settings, interfaces=interfaces, files=(), lists={})


def _expected(settings: Settings, vlan: str) -> doctor.Expected:
    configured = tuple(sorted({vlan for interface in settings.interfaces for vlan in interface.vlans}))
    return doctor.Expected(
        networks_said=bool(set(settings.sensor.local_networks) - _PRIVATE),
        vlans=_vlans(vlan) or configured,
        snaplen=max((interface.snaplen for interface in settings.interfaces), default=0),
        filtered=any(interface.filter for interface in settings.interfaces),
    )


def _files(
    context: Context, settings: Settings, expected: doctor.Expected, texts: Texts
) -> tuple[doctor.Observation, bool]:
    paths: list[str] = context.options.paths
    for path in paths:
        if not Path(path).is_file():
            raise StartFault(f"{path}: no such file")
    detector = context.core.replay(core_settings(replace(settings, interfaces=())), doctor.probe_pack(), paths)
    tally, progress = Tally(), Progress(context.stderr, context.clock.monotonic)

    def tell(_: float, events: int) -> None:
        progress.update(texts.word("progress_files", events=events))

    with stop_signals() as stopping:
        whole = doctor.look_at_files(detector, tally, stopping, tell)
    progress.done(texts.word("progress_files", events=tally.seen))
    seen = tally.observation(
        detector.stats(),
        [Path(path).name for path in paths],
        None,
        expected=expected,
        box=doctor.Box(),
        kernel_clock=None,
        warnings=detector.warnings(),
    )
    return seen, not whole


def _live(
    context: Context, settings: Settings, expected: doctor.Expected, texts: Texts
) -> tuple[doctor.Observation, bool]:
    wanted = seconds_of(context.options.duration)
    names = [interface.name for interface in settings.interfaces]
    if not names:
        raise StartFault(
            "nothing to watch: name a capture, an interface with --interface, or a configuration with [[interfaces]]"
        )
    tally, progress = Tally(own_addresses()), Progress(context.stderr, context.clock.monotonic)

    def tell(done: float, packets: int) -> None:
        progress.update(texts.word("progress", done=texts.span(done), all=texts.span(wanted), packets=packets))

    with stop_signals() as stopping:
        try:
            detector = context.core.live(core_settings(settings), doctor.probe_pack(), None)
            detector.start()
        except (ValueError, OSError) as error:
            raise StartFault(str(error)) from error
        context.say(texts.word("start", inputs=tuple(names), seconds=texts.span(wanted)))
        watched = doctor.look_at_interfaces(detector, tally, wanted, context.clock.monotonic, stopping, tell)
        early = stopping()
    counters = detector.stats()
    done = texts.word(
        "progress", done=texts.span(watched), all=texts.span(wanted), packets=counters.get("capture.packets", 0)
    )
    progress.done(done)
    seen = tally.observation(
        counters, names, watched, expected=expected, box=_box(context), kernel_clock=kernel_clock()
    )
    return seen, early


def _box(context: Context) -> doctor.Box:
    """The spool's books and the rules that cannot fire, where a configuration names them."""
    if not context.options.config:
        return doctor.Box()
    settings = context.settings()
    box = doctor.Box(silent_rules=_silent_rules(context, settings))
    folder = settings.spool.path.parent
    if folder.exists():
        wanted = settings.spool.max_bytes + settings.spool.min_free_bytes
        box = replace(box, free=shutil.disk_usage(folder).free, wanted=wanted)
    try:
        status = read_status(settings.spool.path)
    except (FileNotFoundError, sqlite3.Error):
        # `check` and `spool status` say what is wrong with a spool; here it is only not asked.
        return box

    def ended(fate: str) -> int:
        return sum(counts.get(fate, 0) for sink in status.sinks.values() for counts in sink.counters.values())

    return replace(
        box,
        waiting=sum(n for sink in status.sinks.values() for n in sink.pending.values()),
        dead=ended("dead_lettered"),
        dropped=ended("dropped"),
        violations=len(status.violations),
    )


def _silent_rules(context: Context, settings: Settings) -> int:
    """As `check` asks; a pack that cannot be read is its business."""
    if settings.pack is None:
        return 0
    try:
        data, _ = read_pack(settings.pack.path)
        return len(context.core.replay(core_settings(settings), data, []).warnings())
    except (StartFault, ValueError):
        return 0
