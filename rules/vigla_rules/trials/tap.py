"""A pack that matches every event once per log source: what the decoders and definitions made of an input.

The reference evaluator needs the events that the core saw. A tap pack has one rule per log source that holds for any
event of it, so the ordinary replay prints them.
"""

import json
import tomllib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import yaml

from vigla_rules.compiling import compile_trees
from vigla_rules.drafts import LogSource
from vigla_rules.files import RuleFile
from vigla_rules.layout import PackSettings, Tree
from vigla_rules.trials.replay import Alert

_NAMESPACE = uuid.UUID("0f1d6a52-51c4-5b0c-8f0e-5f8f7f4d4a3b")


@dataclass(frozen=True, slots=True)
class Seen:
    """One event that the core saw. ``ts`` in nanoseconds."""

    fields: Mapping[str, object]
    logsource: LogSource
    ts: int


@dataclass(frozen=True, slots=True)
class Tap:
    """The pack, and the log source that each of its rules stands for."""

    data: bytes
    logsources: Mapping[str, LogSource]

    def events(self, alerts: Sequence[Alert]) -> list[Seen]:
        """The events behind the tap's alerts, in their order; of nested log sources the narrowest counts."""
        narrowest: dict[tuple[str, str], LogSource] = {}
        found: list[tuple[tuple[str, str], Seen]] = []
        for alert in alerts:
            logsource = self.logsources[str(_at(alert, "rule", "uuid"))]
            event, stamp = _at(alert, "vigla", "event"), str(alert["@timestamp"])
            key = (stamp, json.dumps(event, sort_keys=True))
            if key not in narrowest or narrowest[key].serves(logsource):
                narrowest[key] = logsource
            fields = dict(event) if isinstance(event, dict) else {}
            found.append((key, Seen(fields, logsource, _nanoseconds(stamp))))
        return [seen for key, seen in found if narrowest[key] == seen.logsource]


def tap_pack(tree: Tree) -> Tap:
    """The tap for everything that a pack directory's definitions and the core's decoders produce."""
    raw = tomllib.loads(files("vigla_rules").joinpath("data/fields.toml").read_text(encoding="utf-8"))
    logsources = {LogSource("zeek", None, service) for service in raw["zeek"]}
    logsources |= {LogSource("vigla", "behaviour", service) for service in raw["behaviour"]}
    logsources |= {LogSource("vigla", None, service) for service in raw["vigla"]}
    for definition in tree.sources.values():
        branches = definition.get("events")
        for branch in branches if isinstance(branches, list) else []:
            source = branch.get("logsource", {})
            logsources.add(LogSource(source.get("product"), source.get("category"), source.get("service")))
    by_id = {str(uuid.uuid5(_NAMESPACE, repr(source))): source for source in sorted(logsources, key=repr)}
    rules = [
        RuleFile(f"tap_{at}.yml", f"tap_{at}.yml", _rule(rule_id, source))
        for at, (rule_id, source) in enumerate(by_id.items())
    ]
    tapped = replace(
        tree, files=rules, settings=PackSettings(name="tap"), aliases=[], texts={}, versions={}, problems=[]
    )
    compiled = compile_trees([tapped], (), lambda _done, _total: None)
    if compiled.refused:
        raise ValueError(f"{tree.root}: a log source cannot be watched: {compiled.refused[0]}")
    return Tap(compiled.data, by_id)


def write_tap(tree: Tree, folder: Path) -> tuple[Tap, Path]:
    """The tap and where its pack stands."""
    tap = tap_pack(tree)
    path = folder / "tap.vpk"
    path.write_bytes(tap.data)
    return tap, path


def _rule(rule_id: str, source: LogSource) -> bytes:
    rule = {
        "title": f"Tap {rule_id}",
        "id": rule_id,
        "author": "Vigla",
        "level": "informational",
        "logsource": {key: value for key, value in source.to_json().items() if value},
        "detection": {"event": {"vigla_tap|exists": False}, "condition": "event"},
        "fields": ["ts"],
    }
    return yaml.safe_dump(rule, sort_keys=False).encode()


def _at(alert: Alert, *keys: str) -> object:
    value: object = alert
    for key in keys:
        value = value[key] if isinstance(value, Mapping) else None
    return value


def _nanoseconds(stamp: str) -> int:
    moment = datetime.fromisoformat(stamp)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000
