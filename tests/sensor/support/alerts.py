"""Alerts without a composer, for tests of what comes behind it."""

import hashlib
import json

from vigla_sensor.alert import Alert, Severity

INDEX = "vigla-alerts-kalamata-2026"


def alert(
    name: str,
    severity: int = 50,
    *,
    fold_key: str | None = None,
    index: str = INDEX,
    size: int = 0,
    timestamp: str = "2026-11-23T00:14:07.000Z",
) -> Alert:
    """One alert whose id comes from its name; `size` pads the body (bytes) with text that does not compress away."""
    event_id = hashlib.sha256(name.encode()).hexdigest()[:32]
    padding = (hashlib.sha512(name.encode()).hexdigest() * (size // 128 + 1))[:size]
    body = {
        "event": {"id": event_id, "created": timestamp, "kind": "alert", "action": "match", "severity": severity},
        "@timestamp": timestamp,
        "vigla": {"schema": 1, "event": {"name": name, "padding": padding}},
    }
    data = json.dumps(body, separators=(",", ":")).encode()
    return Alert(event_id, index, Severity(severity), fold_key or f"rule|ip|{name}", data)
