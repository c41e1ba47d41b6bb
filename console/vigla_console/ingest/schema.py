"""What an alert document must have to be taken in (DESIGN 5.3). Unknown fields pass: a newer sensor is no mistake.
Pure.
"""

from collections.abc import Callable, Mapping
from typing import Any

from vigla_console.alerts.models import BadAlert, dotted, parse_time

SCHEMAS = (1,)  # `vigla.schema`; the next one is accepted beside the two before it
SEVERITIES = (10, 30, 50, 70, 90)
ACTIONS = ("match", "correlation", "correlation-summary", "folded")


def _text(most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and 0 < len(value) <= most


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _one_of(*allowed: object) -> Callable[[Any], bool]:
    return lambda value: type(value) in (int, str) and value in allowed


def _table(value: Any) -> bool:
    return isinstance(value, dict)


# path → (test, what is right)
_REQUIRED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "event.id": (lambda v: isinstance(v, str) and len(v) == 32 and set(v) <= set("0123456789abcdef"), "32 hex digits"),
    "event.kind": (_one_of("alert"), '"alert"'),
    "event.action": (_one_of(*ACTIONS), ", ".join(ACTIONS)),
    "event.severity": (_one_of(*SEVERITIES), ", ".join(map(str, SEVERITIES))),
    "event.sequence": (lambda v: type(v) is int and 0 < v < 2**53, "a whole number from 1"),
    "rule.uuid": (_text(128), "text"),
    "rule.name": (_text(1024), "text"),
    "rule.author": (_texts, "a list of text: the Detection Rule License asks for it on every message"),
    "observer.serial_number": (_text(256), "text"),
    "vigla.schema": (_one_of(*SCHEMAS), f"one of {SCHEMAS}: update the hub before its sensors"),
    "vigla.event": (_table, "an object"),
}


def check(document: Any) -> Mapping[str, Any]:
    """The document itself; raises ``BadAlert`` naming the first field that is wrong and what it must be."""
    if not isinstance(document, dict):
        raise BadAlert("a line must be one JSON object")
    parse_time(document.get("@timestamp"), "@timestamp")
    for path, (right, words) in _REQUIRED.items():
        if not right(dotted(document, path)):
            raise BadAlert(f"{path} must be {words}")
    return document
