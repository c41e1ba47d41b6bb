"""The report: lines for people, and a document for machines."""

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vigla_sensor.doctor.finding import Finding, Severity, Share, Size, Slot, Step
from vigla_sensor.doctor.observation import Observation
from vigla_sensor.doctor.texts import Said, Texts, listed

VERSION = 1
_WIDTH = 100
_SERVICES = 8
Paint = Callable[[str, str], str]
"""A text and how: `title`, `dim`, `true` (good), `false` (bad), `missing` (so so)."""
_COLORS = {Severity.BLIND: "false", Severity.WARNING: "missing", Severity.NOTE: "title"}


def document(seen: Observation, findings: Sequence[Finding], texts: Texts, *, early: bool) -> dict[str, Any]:
    """JSON-ready: `version` 1; `seen` is the whole observation; each finding has its words and its numbers."""
    observed = asdict(seen)
    for name in ("ntp", "http"):
        offsets: Mapping[tuple[str, str], int] = observed["clock"][name]
        observed["clock"][name] = {f"{side} {step}": n for (side, step), n in offsets.items()}
    return {
        "version": VERSION,
        "language": texts.language,
        "ended_early": early,
        "seen": observed,
        "findings": [
            {
                "check": finding.check,
                "id": finding.id,
                "severity": str(finding.severity),
                "numbers": {name: _plain(value) for name, value in finding.slots.items()},
                **asdict(texts.said(finding)),
            }
            for finding in findings
        ],
    }


def _plain(value: Slot) -> Any:
    match value:
        case Share():
            return round(value.value, 6)
        case Size():
            return value.bytes
        case Step():
            return {"side": value.side, "step": value.name}
        case _:
            return value


def lines(
    seen: Observation, findings: Sequence[Finding], texts: Texts, paint: Paint, *, early: bool = False
) -> Iterator[str]:
    """What is seen, what is to be done (the gravest first), what is in order, what could not be told."""
    yield paint(texts.word("title"), "title")
    watched = "watched_live" if seen.live else "watched_files"
    yield texts.word(watched, inputs=seen.inputs, seconds=texts.span(seen.seconds))
    if early:
        yield paint(texts.word("early"), "missing")
    yield ""
    yield from _seen(seen, texts, paint)
    calls = [finding for finding in findings if finding.severity in _COLORS]
    yield ""
    yield paint(texts.word("findings"), "title")
    if not calls:
        yield f"  {texts.word('nothing')}"
    for finding in calls:
        yield from _finding(finding, texts, paint)
    for severity, heading in ((Severity.FINE, "fine"), (Severity.UNKNOWN, "unknown")):
        some = [texts.said(finding) for finding in findings if finding.severity is severity]
        if some:
            yield ""
            yield paint(texts.word(heading), "title")
            yield from (line for said in some for line in _short(said, severity, paint))
    if seen.warnings:
        yield ""
        yield paint(texts.word("warnings"), "title")
        yield from (f"  {texts.slot(warning)}" for warning in seen.warnings)
    yield ""
    grave = sum(finding.severity.calls for finding in findings)
    if grave:
        yield paint(texts.word("sum_calls", calls=grave, all=len(findings)), "missing")
    else:
        yield paint(texts.word("sum_fine"), "true")


def _seen(seen: Observation, texts: Texts, paint: Paint) -> Iterator[str]:
    content, reach = seen.content, seen.reach
    yield paint(texts.word("sees"), "title")
    if not reach.other:
        yield f"  {texts.word('sees_nothing')}"
        return
    yield f"  {texts.word('addresses', hosts=reach.hosts, crossing=reach.crossing)}"
    services = sorted(content.services.items(), key=lambda item: -item[1][1])
    for name, (connections, size) in services[:_SERVICES]:
        shown = texts.word("unnamed") if name == "-" else name
        yield f"  {texts.word('service', name=shown, connections=connections, bytes=Size(size))}"
    events = sorted(content.events.items(), key=lambda item: -item[1])
    yield f"  {texts.word('events', events=listed(texts, events))}"


def _finding(finding: Finding, texts: Texts, paint: Paint) -> Iterator[str]:
    said = texts.said(finding)
    mark = paint(texts.word(str(finding.severity)), _COLORS[finding.severity])
    yield ""
    yield f"  {mark}  {paint(said.title, 'title')}"
    yield from _block(f"{texts.word('evidence')}: {said.evidence}")
    if said.why:
        yield from _block(f"{texts.word('why')}: {said.why}")
    if said.do:
        yield f"    {texts.word('do')}:"
        for number, step in enumerate(said.do, 1):
            yield from _block(f"{number}. {step}", "      ", "         ")


def _short(said: Said, severity: Severity, paint: Paint) -> Iterator[str]:
    mark = paint("✓", "true") if severity is Severity.FINE else paint("?", "missing")
    first, *rest = _block(f"{said.title}: {said.evidence}", "", "")
    yield f"  {mark} {first}"
    yield from (f"    {line}" for line in rest)
    if severity is Severity.UNKNOWN:
        yield from (line for step in said.do for line in _block(f"→ {step}"))


def _block(text: str, first: str = "    ", more: str = "      ") -> list[str]:
    """Wrapped where words end: what stands between backticks may be copied and pasted, so that it is not hyphenated."""
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=more, break_long_words=False, break_on_hyphens=False
    )
