"""The two engines behind one face: the obvious reference, and the native core through its only door."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tests.sigma.reference import Event, Hit, Reference
from vigla_rules.vpk import read_pack

Found = tuple[str, int, bool]
"""Rule id, time in nanoseconds, whether it is a correlation."""


class Engine(Protocol):
    """Runs a pack over events and tells which rules hit when; quiet repeats and silent rules are left out."""

    def run(
        self, pack: bytes, events: Sequence[Event], lists: Mapping[str, list[str]], local: Sequence[str] = ()
    ) -> list[Found]: ...


def rules_json(pack: bytes) -> dict[str, Any]:
    """``rules.json`` of a pack, verified."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pack.vpk"
        path.write_bytes(pack)
        return read_pack(path).json("rules.json")


class ReferenceEngine:
    """``reference.py``."""

    def run(
        self, pack: bytes, events: Sequence[Event], lists: Mapping[str, list[str]], local: Sequence[str] = ()
    ) -> list[Found]:
        rules = rules_json(pack)
        loud = {rule["id"] for rule in [*rules["rules"], *rules["correlations"]] if rule["alert"]}
        chained = {rule["id"] for rule in rules["correlations"]}
        hits: list[Hit] = Reference(rules, lists, local).run(events)
        return sorted((hit.rule, hit.ts, hit.rule in chained) for hit in hits if hit.rule in loud and not hit.quiet)


class NativeEngine:
    """``vigla_native.Replay`` over JSON lines."""

    def run(
        self, pack: bytes, events: Sequence[Event], lists: Mapping[str, list[str]], local: Sequence[str] = ()
    ) -> list[Found]:
        import vigla_native  # the binding is built for these tests alone

        found: list[Found] = []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "events.jsonl"
            lines = [json.dumps({"ts": event.ts / 1e9, **event.fields}, ensure_ascii=False) for event in events]
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            logsource = (
                {key: events[0].logsource.get(key) for key in ("product", "category", "service")} if events else {}
            )
            settings = {
                "sensor": "test",
                "local_networks": list(local),
                "lists": dict(lists),
                "logsource": {key: value for key, value in logsource.items() if value},
            }
            replay = vigla_native.Replay(json.dumps(settings).encode(), pack, [str(path)])
            finished = False
            while not finished:
                batch = replay.poll(1000)
                for alert in batch.alerts:
                    hit = json.loads(alert)
                    if hit["kind"] != "correlation-summary":
                        found.append((hit["rule"], hit["ts"], hit["kind"] == "correlation"))
                finished = batch.finished
        return sorted(found)
