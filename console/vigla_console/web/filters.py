"""The queue's filter is the address: reads it into a `GroupFilter`, and writes it back into links.

An unknown key or value is an error with the nearest known one, never silence.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TypeVar
from urllib.parse import urlencode

from vigla_console.errors import NotFound
from vigla_console.incidents.models import GroupFilter, Severity, State, WaitingOn
from vigla_console.tenants.directory import TenantDirectory
from vigla_console.tenants.models import TenantId
from vigla_console.web.i18n import ATHENS
from vigla_console.web.labels import N_

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_FARTHEST = timedelta(days=400)
_LONGEST_TEXT = 200

Value = TypeVar("Value")


class BadFilter(ValueError):
    """``message`` is a message id with ``%(key)s``, ``%(value)s``, ``%(near)s`` for ``values``."""

    def __init__(self, message: str, key: str, value: str = "", near: str = "") -> None:
        self.message = message
        self.values = {"key": key, "value": value, "near": near}
        super().__init__(message % self.values)


@dataclass(frozen=True, slots=True)
class Asked:
    """The address as asked: ``values`` keeps what the form shows again; ``wanted`` goes to the repository."""

    values: Mapping[str, tuple[str, ...]]
    wanted: GroupFilter

    def one(self, key: str) -> str:
        return next(iter(self.values.get(key, ())), "")

    def has(self, key: str, value: str) -> bool:
        return value in self.values.get(key, ())

    def link(self, **changes: str | None) -> str:
        """The query string with some keys replaced (None removes); a change other than the page restarts paging."""
        kept = {key: values for key, values in self.values.items() if key not in changes}
        if "after" not in changes:
            kept.pop("after", None)
        pairs = [(key, ",".join(values)) for key, values in kept.items()]
        pairs += [(key, value) for key, value in changes.items() if value]
        return "?" + urlencode(pairs, safe=",:-") if pairs else "?"


def asked(items: Iterable[tuple[str, str]], tenants: TenantDirectory, user: str, now: datetime, size: int) -> Asked:
    """Reads ``level state waiting assignee muni rule tactic from to q sort after``; raises ``BadFilter``."""
    values: dict[str, tuple[str, ...]] = {}
    for key, text in items:
        if key not in _KEYS:
            raise BadFilter(_UNKNOWN_KEY, key, near=_nearest(key, _KEYS))
        parts = (text,) if key in ("q", "after") else tuple(part for part in text.split(",") if part)
        if any(parts):
            values[key] = values.get(key, ()) + parts
    wanted = GroupFilter(size=size)
    reader = _Reader(tenants, user, now)
    for key, parts in values.items():
        wanted = _KEYS[key](reader, wanted, parts)
    return Asked(values, wanted)


_UNKNOWN_KEY = N_("Unknown filter “%(key)s”. The nearest known one is “%(near)s”.")
_UNKNOWN_VALUE = N_("The filter “%(key)s” has no value “%(value)s”. The nearest known one is “%(near)s”.")
_BAD_TIME = N_("The filter “%(key)s” needs a date (2026-11-24) or a span back (-7d, -12h, -2w), not “%(value)s”.")


@dataclass(frozen=True, slots=True)
class _Reader:
    tenants: TenantDirectory
    user: str
    now: datetime

    def levels(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        known = {severity.level: severity for severity in Severity}
        return replace(wanted, severities=frozenset(_known("level", part, known) for part in parts))

    def states(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        known: dict[str, frozenset[State]] = {state.value: frozenset({state}) for state in State}
        known["open"] = frozenset(state for state in State if state.open)
        return replace(wanted, states=frozenset().union(*(_known("state", part, known) for part in parts)))

    def waiting(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        known = {turn.value: turn for turn in WaitingOn if turn.value}
        return replace(wanted, waiting_on=_known("waiting", parts[0], known))

    def assignee(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        mine = _known("assignee", parts[0], {"me": True, "none": False})
        return replace(wanted, assignee=self.user) if mine else replace(wanted, unassigned=True)

    def municipalities(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        return replace(wanted, tenants=frozenset(self._tenant(part) for part in parts))

    def _tenant(self, part: str) -> TenantId:
        try:
            return self.tenants.get(TenantId(part)).id
        except NotFound:
            near = _nearest(part, sorted(self.tenants.ids()))
            raise BadFilter(_UNKNOWN_VALUE, "muni", part, near) from None

    def rules(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        return replace(wanted, rules=frozenset(parts))

    def tactic(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        return replace(wanted, tactic=parts[0])

    def since(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        return replace(wanted, since=self._time("from", parts[0]))

    def until(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        day = timedelta(days=0) if parts[0].startswith("-") else timedelta(days=1)  # a last day is meant whole
        return replace(wanted, until=self._time("to", parts[0]) + day)

    def _time(self, key: str, text: str) -> datetime:
        try:
            if text.startswith("-") and text[-1:] in _UNITS and text[1:-1].isdecimal() and len(text) <= 6:
                span = int(text[1:-1]) * _UNITS[text[-1]]
                return self.now - min(span, _FARTHEST)
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=ATHENS).astimezone(UTC)
        except ValueError:
            raise BadFilter(_BAD_TIME, key, text) from None

    def text(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        return replace(wanted, text=parts[0][:_LONGEST_TEXT])

    def sort(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        return replace(wanted, sort=_known("sort", parts[0], {"-risk": "risk", "-last_seen": "last_seen"}))

    def after(self, wanted: GroupFilter, parts: tuple[str, ...]) -> GroupFilter:
        return replace(wanted, after=parts[0])


_KEYS: Mapping[str, Callable[[_Reader, GroupFilter, tuple[str, ...]], GroupFilter]] = {
    "level": _Reader.levels,
    "state": _Reader.states,
    "waiting": _Reader.waiting,
    "assignee": _Reader.assignee,
    "muni": _Reader.municipalities,
    "rule": _Reader.rules,
    "tactic": _Reader.tactic,
    "from": _Reader.since,
    "to": _Reader.until,
    "q": _Reader.text,
    "sort": _Reader.sort,
    "after": _Reader.after,
}


def _known(key: str, part: str, known: Mapping[str, Value]) -> Value:
    try:
        return known[part]
    except KeyError:
        raise BadFilter(_UNKNOWN_VALUE, key, part, _nearest(part, known)) from None


def _nearest(text: str, known: Iterable[str]) -> str:
    several = list(known)
    return next(iter(get_close_matches(text, several, n=1, cutoff=0.0)), several[0])
