"""What is connected: the events that it gives, directly and through the pack's aliases."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vigla_rules.checking.fields import Origin, aliased, core_origins, definition_origins
from vigla_rules.drafts import LogSource
from vigla_rules.findings import did_you_mean
from vigla_rules.layout import Tree

WIRE = "wire"


class ConnectedError(ValueError):
    """A name that is nothing one can connect, or a configuration that cannot be read."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Events of one log source from one connection. ``anything``: their fields are not known beforehand."""

    name: str
    logsource: LogSource
    fields: frozenset[str]
    is_open: bool
    anything: bool = False

    def has(self, field: str, rule: LogSource) -> bool:
        """Whether an event may have the field; a device's own names count for rules that name its product."""
        return self.anything or field in self.fields or (self.is_open and rule.product is not None)


@dataclass(frozen=True, slots=True)
class Site:
    """What one sensor sees. ``lists``: those that are filled; ``None``: not known, all count as filled."""

    feeds: tuple[Feed, ...]
    lists: frozenset[str] | None = None


def everything(trees: Sequence[Tree]) -> list[str]:
    """All that a pack knows: the wire and each source definition."""
    return [WIRE, *sorted({name for tree in trees for name in tree.sources})]


def connect(trees: Sequence[Tree], names: Sequence[str], lists: frozenset[str] | None = None) -> Site:
    """The feeds of what was named; raises ``ConnectedError``."""
    origins: dict[str, list[Origin]] = {WIRE: core_origins()}
    for tree in trees:
        for name in tree.sources:
            origins[name] = definition_origins(tree, name)
    feeds: list[Feed] = []
    for name in dict.fromkeys(names):
        if name in origins:
            feeds += [Feed(name, one.logsource, one.fields, one.is_open) for one in origins[name]]
            rows = [row for tree in trees for row in tree.aliases]
            feeds += [Feed(f"{name} (alias)", one.logsource, one.fields, False) for one in aliased(rows, origins[name])]
        else:
            feeds.append(Feed(name, _logsource(name, sorted(origins)), frozenset(), is_open=True, anything=True))
    return Site(tuple(feeds), lists)


def read_config(path: Path, trees: Sequence[Tree]) -> tuple[list[str], frozenset[str]]:
    """What a sensor's TOML connects, and the lists that it fills; raises ``ConnectedError``.

    A file without ``source`` is identified by its lines: any definition may take it. Captured interfaces are the wire.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConnectedError(f"{path}: {error}; name a sensor's configuration") from None
    names = [WIRE] if any(key in raw for key in ("capture", "interfaces")) else []
    files = raw.get("files", [])
    for entry in files if isinstance(files, list) else []:
        source = entry.get("source") if isinstance(entry, dict) else None
        names += everything(trees)[1:] if source is None else [str(source)]
    lists = raw.get("lists", {})
    return names, frozenset(lists if isinstance(lists, Mapping) else ())


def _logsource(name: str, known: list[str]) -> LogSource:
    parts = [None if part in ("", "-") else part for part in name.split("/")]
    if len(parts) == 2:
        return LogSource(parts[0], None, parts[1])
    if len(parts) == 3 and any(parts):
        return LogSource(*parts)
    advice = did_you_mean(name, known, f"known: {', '.join(known)}, or product/category/service")
    raise ConnectedError(f"'{name}' is nothing that can be connected; {advice}")
