"""The two engines behind one face: the obvious reference, and the native core through its only door."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tests.sigma.flat import read_event
from tests.sigma.reference import Event, Hit, Reference
from vigla_rules.vpk import read_pack

Found = tuple[str, int, bool]
"""Rule id, time in nanoseconds, whether it is a correlation."""


class Engine(Protocol):
    """Runs a pack over events and tells which rules hit when; quiet repeats and silent rules are left out."""

    name: str

    def run(
        self, pack: bytes, events: Sequence[Event], lists: Mapping[str, list[str]], local: Sequence[str] = ()
    ) -> list[Found]: ...

    def matching(
        self, pack: bytes, lines: Sequence[bytes], logsource: Mapping[str, str | None], lists: Mapping[str, list[str]]
    ) -> set[str]:
        """Ids of the rules that hit one of these JSON lines, as they came."""
        ...


def rules_json(pack: bytes) -> dict[str, Any]:
    """``rules.json`` of a pack, verified."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pack.vpk"
        path.write_bytes(pack)
        return read_pack(path).json("rules.json")


class ReferenceEngine:
    """``reference.py``."""

    name = "reference"

    def run(
        self, pack: bytes, events: Sequence[Event], lists: Mapping[str, list[str]], local: Sequence[str] = ()
    ) -> list[Found]:
        rules = rules_json(pack)
        loud = {rule["id"] for rule in [*rules["rules"], *rules["correlations"]] if rule["alert"]}
        chained = {rule["id"] for rule in rules["correlations"]}
        hits: list[Hit] = Reference(rules, lists, local).run(events)
        return sorted((hit.rule, hit.ts, hit.rule in chained) for hit in hits if hit.rule in loud and not hit.quiet)

    def matching(
        self, pack: bytes, lines: Sequence[bytes], logsource: Mapping[str, str | None], lists: Mapping[str, list[str]]
    ) -> set[str]:
        read = (read_event(line, logsource, at) for at, line in enumerate(lines))
        return {rule for rule, _, _ in self.run(pack, [event for event in read if event is not None], lists)}


class NativeEngine:
    """``vigla_native.Replay`` over JSON lines."""

    name = "native"

    def run(
        self, pack: bytes, events: Sequence[Event], lists: Mapping[str, list[str]], local: Sequence[str] = ()
    ) -> list[Found]:
        lines = [json.dumps({"ts": event.ts / 1e9, **event.fields}, ensure_ascii=False).encode() for event in events]
        return sorted(self._found(pack, lines, events[0].logsource if events else {}, lists, local))

    def matching(
        self, pack: bytes, lines: Sequence[bytes], logsource: Mapping[str, str | None], lists: Mapping[str, list[str]]
    ) -> set[str]:
        return {rule for rule, _, _ in self._found(pack, lines, logsource, lists, ())}

    def _found(
        self,
        pack: bytes,
        lines: Sequence[bytes],
        logsource: Mapping[str, str | None],
        lists: Mapping[str, list[str]],
        local: Sequence[str],
    ) -> Iterator[Found]:
        import vigla_native  # the binding is built for these tests alone

        settings = {
            "sensor": "test",
            "local_networks": list(local),
            "lists": dict(lists),
            "logsource": {key: logsource[key] for key in ("product", "category", "service") if logsource.get(key)},
        }
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "events.jsonl"
            path.write_bytes(b"".join(line + b"\n" for line in lines))
            replay = vigla_native.Replay(json.dumps(settings).encode(), pack, [str(path)])
            finished = False
            while not finished:
                batch = replay.poll(1000)
                for alert in batch.alerts:
                    hit = json.loads(alert)
                    if hit["kind"] != "correlation-summary":
                        yield hit["rule"], hit["ts"], hit["kind"] == "correlation"
                finished = batch.finished


def explained(
    pack: bytes, rule: str, line: bytes, logsource: Mapping[str, str | None], lists: Mapping[str, list[str]]
) -> bool:
    """The native engine's verdict without index, class or memory."""
    import vigla_native  # the binding is built for these tests alone

    settings = {"lists": dict(lists), "logsource": {key: value for key, value in logsource.items() if value}}
    return bool(json.loads(vigla_native.explain(pack, rule, line, json.dumps(settings).encode()))["matches"])
