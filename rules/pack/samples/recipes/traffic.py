"""A capture from steps, composed at run time: fixed start and seeds, documentation and private addresses.

A step names one recipe with its arguments and, beside it, when and how often::

    - dns: {client: 10.0.0.21, query: abc.onion.to}
    - conn: {client: 10.0.0.5, server: 10.0.1.1, port: 445, outcome: unanswered}
      at: 10          # seconds after the start; else one second after the step before
      times: 30       # repetitions
      every: 2        # seconds between them
      next: server    # which argument counts up by one each time: client, server or port
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scapy.utils import PcapWriter

from . import conn, dns, ftp, http, smtp, tls
from .frames import Frame

START = datetime.datetime(2026, 3, 2, 8, 0, tzinfo=datetime.UTC).timestamp()
RECIPES: Mapping[str, Callable[..., Iterator[Frame]]] = {
    "conn": conn.frames,
    "dns": dns.frames,
    "ftp": ftp.frames,
    "http": http.frames,
    "smtp": smtp.frames,
    "tls": tls.frames,
}
STEP_KEYS = frozenset({"at", "times", "every", "next"})


class RecipeError(ValueError):
    """A step that no recipe understands; the text says which step and what is allowed."""


def steps(path: Path, steps: Sequence[Mapping[str, Any]]) -> None:
    """Writes the steps' packets to ``path``; raises ``RecipeError`` for a step that no recipe understands."""
    write(path, compose(steps))


def write(path: Path, frames: Iterable[Frame]) -> int:
    """Writes frames to ``path`` (pcap, Ethernet, microseconds), ordered by time; returns how many."""
    ordered = sorted(frames, key=lambda frame: frame.time)
    with PcapWriter(str(path), linktype=1) as out:
        out.write_header(None)
        for frame in ordered:
            seconds, micros = divmod(round(frame.time * 1e6), 1_000_000)
            out.write_packet(frame.data, sec=seconds, usec=micros)
    return len(ordered)


def compose(steps: Sequence[Mapping[str, Any]], start: float = START) -> Iterator[Frame]:
    """The packets of all steps, each step in its own order. Every flow has its own client port."""
    at = start
    flow = 0
    for number, step in enumerate(steps, 1):
        recipe, arguments = _recipe(number, step)
        at = start + float(step.get("at", at - start))
        for repetition in range(int(step.get("times", 1))):
            flow += 1
            moment = at + repetition * float(step.get("every", 1))
            yield from recipe(time=moment, flow=flow, **_counted(arguments, step.get("next"), repetition))
        at = moment + 1


def _recipe(number: int, step: Mapping[str, Any]) -> tuple[Callable[..., Iterator[Frame]], dict[str, Any]]:
    names = [key for key in step if key not in STEP_KEYS]
    if len(names) != 1 or names[0] not in RECIPES:
        known = f"one of {', '.join(RECIPES)}, and beside it {', '.join(sorted(STEP_KEYS))}"
        raise RecipeError(f"step {number}: got {names or 'no recipe'}; name {known}")
    return RECIPES[names[0]], dict(step[names[0]])


def _counted(arguments: dict[str, Any], name: str | None, by: int) -> dict[str, Any]:
    if name is None:
        return arguments
    value = arguments[name]
    counted = value + by if isinstance(value, int) else str(ipaddress.ip_address(value) + by)
    return {**arguments, name: counted}
