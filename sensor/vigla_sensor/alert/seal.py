"""Folds repeats of one rule and entity into a new sealed record (DESIGN 5.4): the bodies never change."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from vigla_sensor.alert.alert import Alert
from vigla_sensor.alert.hit import stamp

_SAMPLES = 20


def seal(alerts: Sequence[Alert], now: datetime) -> Alert:
    """One record for several alerts of the same fold key, severity and index.

    It is the first alert's document with its own id (from the folded ids), `event.action: folded` and `vigla.folded`
    {count, first, last, samples}. A record folded before counts as what it holds.
    """
    documents = [json.loads(alert.body) for alert in alerts]
    identifier = hashlib.sha256("\n".join(sorted(alert.event_id for alert in alerts)).encode()).hexdigest()[:32]
    times = sorted(moment for document in documents for moment in _span(document))
    document = documents[0]
    document["event"] = {**document["event"], "id": identifier, "created": stamp(now), "action": "folded"}
    document["vigla"] = {
        **document["vigla"],
        "folded": {
            "count": sum(_count(each) for each in documents),
            "first": times[0],
            "last": times[-1],
            "samples": [alert.event_id for alert in alerts[:_SAMPLES]],
        },
    }
    first = alerts[0]
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Alert(identifier, first.index_name, first.severity, first.fold_key, body)


def _span(document: dict[str, Any]) -> tuple[str, str]:
    folded = document["vigla"].get("folded")
    return (folded["first"], folded["last"]) if folded else (document["@timestamp"], document["@timestamp"])


def _count(document: dict[str, Any]) -> int:
    folded = document["vigla"].get("folded")
    return int(folded["count"]) if folded else 1
