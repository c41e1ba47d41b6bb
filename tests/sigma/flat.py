"""A JSON line → fields, as sigma.md 1.2 says: objects flattened with `.`, a list of objects a list per path."""

import json
import re
from collections.abc import Mapping

from tests.sigma.reference import Event
from tests.sigma.windows import windows_event

_LONE = re.compile("[\ud800-\udfff]")
Pairs = list[tuple[str, object]]


class _Object(list[tuple[str, object]]):
    """Members in their order; a name may occur more than once."""


def read_event(line: bytes, logsource: Mapping[str, str | None], ts: int = 0) -> Event | None:
    """The event of a line; ``None`` when it is no JSON object. What is no Unicode reads as U+FFFD."""
    try:
        value = json.loads(line.decode(errors="replace"), object_pairs_hook=_Object, parse_constant=_no_constant)
    except ValueError:
        return None
    if not isinstance(value, _Object):
        return None
    document = dict(value)
    if isinstance(document.get("Event"), _Object) and "System" in dict(document["Event"]):
        return windows_event(json.loads(line), logsource)
    fields: dict[str, object] = {}
    for name, leaf in _leaves("", value):
        fields[name] = _joined(fields[name], leaf) if name in fields else leaf
    return Event(fields, logsource, ts)


def _leaves(path: str, value: object) -> Pairs:
    if isinstance(value, _Object):
        return [leaf for name, inner in value for leaf in _leaves(_path(path, name), inner)]
    if isinstance(value, list) and any(isinstance(member, list) for member in value):
        return [leaf for member in value for leaf in _leaves(path, member)]
    return [(path, _clean(value))]


def _path(path: str, name: str) -> str:
    squeezed = name.replace(" ", "")
    return f"{path}.{squeezed}" if path else squeezed


def _joined(old: object, new: object) -> list[object]:
    return [*(old if isinstance(old, list) else [old]), *(new if isinstance(new, list) else [new])]


def _clean(value: object) -> object:
    if isinstance(value, list):
        return [_clean(member) for member in value]
    return _LONE.sub("\ufffd", value) if isinstance(value, str) else value


def _no_constant(word: str) -> object:
    raise ValueError(word)
