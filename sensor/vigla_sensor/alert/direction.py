"""`network.direction` (ECS) of a source and a destination address."""

from collections.abc import Mapping
from typing import Any

from vigla_sensor.alert.identity import Identity


def direction(document: Mapping[str, Any], identity: Identity) -> str | None:
    """`internal`, `inbound`, `outbound`, `external`, or nothing where an address is missing."""
    source, destination = (_address(document, side) for side in ("source", "destination"))
    if source is None or destination is None:
        return None
    return {
        (True, True): "internal",
        (True, False): "outbound",
        (False, True): "inbound",
        (False, False): "external",
    }[identity.is_local(source), identity.is_local(destination)]


def _address(document: Mapping[str, Any], side: str) -> str | None:
    found = document.get(side)
    value = found.get("ip") if isinstance(found, Mapping) else None
    return value if isinstance(value, str) else None
