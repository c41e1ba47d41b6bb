"""The native core behind the sample runner's seam: what ``vigla-sensor replay`` prints, in this process."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from vigla_rules.trials.replay import Alert, Input, ReplayError
from vigla_rules.trials.run import DEFAULT_NETWORKS
from vigla_rules.vpk import read_pack


class NativeReplay:
    """Runs one input through ``vigla_native.Replay``."""

    def alerts(self, pack: Path, given: Input) -> Sequence[Alert]:
        """The parts of alert documents that a trial reads."""
        import vigla_native

        replay = vigla_native.Replay(json.dumps(settings(given)).encode(), pack.read_bytes(), [str(given.path)])
        rules = read_pack(pack).json("rules.json")
        fields = {rule["id"]: rule["fields"] for rule in [*rules["rules"], *rules["correlations"]]}  # type: ignore[misc, index]
        found: list[Alert] = []
        finished = False
        while not finished:
            batch = replay.poll(1000)
            found += [alert(json.loads(hit), fields) for hit in batch.alerts]
            finished = batch.finished
        if warnings := [text for text in replay.warnings() if " is inactive: the list " not in text]:
            raise ReplayError("; ".join(warnings))
        return found


def settings(given: Input) -> dict[str, object]:
    """The core's settings for one input."""
    whole: dict[str, object] = {
        "sensor": "rules-test",
        "local_networks": list(DEFAULT_NETWORKS if given.local_networks is None else given.local_networks),
        "lists": {name: list(values) for name, values in given.lists.items()},
    }
    if given.logsource is not None:
        product, _, service = given.logsource.partition("/")
        whole["logsource"] = {"product": product, **({"service": service} if service else {})}
    if given.source is not None:
        pinned = {"path": str(given.path), "source": given.source, "year": given.year, "zone": given.zone}
        whole["files"] = [{key: value for key, value in pinned.items() if value is not None}]
    return whole


def alert(hit: dict, fields: dict[str, list[str]]) -> Alert:  # type: ignore[type-arg]
    """A hit as the alert document has it."""
    group = hit.get("correlation", {}).get("group", {})
    event = hit["event"]
    named = [*group.items(), *((name, event[name]) for name in fields[hit["rule"]] if name in event)]
    entity = {"vigla": {"event": event, "matched": hit.get("matched", [])}}
    if named:
        entity["vigla"]["entity"] = {"field": named[0][0], "value": str(named[0][1])}
    seconds, nanoseconds = divmod(hit["ts"], 1_000_000_000)
    stamp = datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanoseconds // 1000)
    return {"@timestamp": stamp.isoformat(), "event": {"action": hit["kind"]}, "rule": {"uuid": hit["rule"]}, **entity}
