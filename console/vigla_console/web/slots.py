"""Fills the slots of a rule's plain text (``{src_ip}``) from the alert: marked, escaped, bounded; never evaluated."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from vigla_console.alerts.models import Alert
from vigla_console.rules.models import RuleText
from vigla_console.web.logtext import shown

_SLOT = re.compile(r"\{([A-Za-z][\w.\-]*)\}")
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Filled:
    """The five blocks as markup; ``title`` and ``summary`` too."""

    title: Markup
    summary: Markup
    what: Markup
    why: Markup
    now: tuple[Markup, ...]
    escalate: Markup
    innocent: Markup


def values_of(alert: Alert | None, ecs: Mapping[str, str]) -> dict[str, Any]:
    """What a slot may name: the matched event's own fields, the correlation's group key and its count.

    A rule of another log source reads the event through an alias (`c-ip` of an HTTP event on the wire): such a name is
    found by its place in the document, as ``ecs`` says.
    """
    if alert is None:
        return {}
    event = alert.value("vigla.event")
    group = alert.value("vigla.correlation.group")
    values: dict[str, Any] = {name: value for name, path in ecs.items() if (value := alert.value(path)) is not None}
    values |= event if isinstance(event, Mapping) else {}
    if isinstance(group, Mapping):
        values |= group
    count = alert.value("vigla.correlation.count")
    return values | ({"count": count} if count is not None else {})


def fill(text: str, values: Mapping[str, Any], unknown: str) -> Markup:
    """``text`` with its slots as ``<b lang="en">``; a slot without a value shows ``unknown``."""
    parts: list[str] = []
    end = 0
    for slot in _SLOT.finditer(text):
        parts.append(escape(text[end : slot.start()]))
        value = values.get(slot[1])
        if value is None or value == "":
            parts.append(Markup("<i>{}</i>").format(unknown))
        else:
            parts.append(Markup('<b class="slot" lang="en">{}</b>').format(shown(value, _LONGEST)))
        end = slot.end()
    parts.append(escape(text[end:]))
    return Markup("").join(parts)


def fill_all(text: RuleText, values: Mapping[str, Any], unknown: str) -> Filled:
    """All blocks of one rule's text."""

    def one(block: str) -> Markup:
        return fill(block, values, unknown)

    return Filled(
        title=one(text.title),
        summary=one(text.summary),
        what=one(text.what),
        why=one(text.why),
        now=tuple(one(step) for step in text.now),
        escalate=one(text.escalate),
        innocent=one(text.innocent),
    )
