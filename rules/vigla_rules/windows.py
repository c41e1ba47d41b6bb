"""Which Windows events a log source means: by channel and event id, for events that name no category and service."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import cast

import yaml

from vigla_rules.drafts import LogSource
from vigla_rules.expressions import Expression, Predicate, all_of, any_of
from vigla_rules.graph import Graph

_EVENT = LogSource(product="windows")


def windows_classes(sources: Iterable[LogSource], graph: Graph) -> list[dict[str, object]]:
    """Rows of ``classes`` in ``rules.json`` for the categories and services that ``sources`` name, sorted.

    A category that no row is known for gets none: its rules serve only events that name it.
    """
    wanted = {
        (part, value)
        for source in sources
        if source.product == "windows"
        for part, value in (("category", source.category), ("service", source.service))
        if value is not None
    }
    return [
        {"event": _EVENT.to_json(), "part": part, "value": value, "where": graph.add(header)}
        for part, value, header in _headers()
        if (part, value) in wanted
    ]


def _headers() -> Iterator[tuple[str, str, Expression]]:
    table = _table()
    channels = cast("Mapping[str, list[str]]", table["services"])
    categories = cast("Mapping[str, Mapping[str, object]]", table["categories"])
    for category, row in sorted(categories.items()):
        events = any_of([Predicate("num", "EventID", (("value", str(n)),)) for n in cast("list[int]", row["events"])])
        yield "category", category, all_of([_channel(channels[str(row["service"])]), events])
    for service, names in sorted(channels.items()):
        yield "service", service, _channel(names)


def _channel(names: list[str]) -> Expression:
    return any_of([Predicate("eq", "Channel", (("value", name),)) for name in names])


@cache
def _table() -> Mapping[str, object]:
    text = (files("vigla_rules") / "data/windows_classes.yml").read_bytes()
    return cast("Mapping[str, object]", yaml.safe_load(text))
