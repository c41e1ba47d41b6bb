"""The hub sink: `POST /ingest/v1/alerts`, NDJSON in zstd, an answer per line (DESIGN 5.5, delivery.md 5)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import zstandard

from vigla_sensor.deliver.answers import Answer, Answered, HubAnswer, Refused, Silence, Silent
from vigla_sensor.deliver.http import Fault, Reply, Transport
from vigla_sensor.spool.model import SpooledAlert

ALERTS = "/ingest/v1/alerts"
_LEVEL = 3


@dataclass(frozen=True, slots=True)
class HubSink:
    """`credential` is asked for each time, so that a new one needs no restart; it raises `OSError` or `ValueError`."""

    transport: Transport
    credential: Callable[[], str]
    name: str = "hub"

    def close(self) -> None:
        self.transport.close()

    def send(self, batch: Sequence[SpooledAlert]) -> Answer:
        try:
            headers = authorized(self.credential(), "application/x-ndjson", "zstd")
        except (OSError, ValueError) as error:
            return Silent(Silence.CREDENTIAL, str(error))
        body = zstandard.ZstdCompressor(level=_LEVEL).compress(b"".join(alert.body + b"\n" for alert in batch))
        try:
            reply = self.transport.post(ALERTS, body, headers)
        except Fault as fault:
            return Silent(fault.why, fault.detail)
        return _answered(reply) if reply.status == 200 else refused(reply)


def authorized(credential: str, content_type: str, encoding: str | None = None) -> dict[str, str]:
    """The headers of a request to the hub."""
    headers = {"Authorization": f"Bearer {credential}", "Content-Type": content_type}
    return headers if encoding is None else {**headers, "Content-Encoding": encoding}


def refused(reply: Reply) -> Refused:
    """A status other than 200; type and reason as far as the body says them."""
    document = _object(reply.body)
    reason = document.get("detail") or document.get("title") or reply.body[:200].decode("utf-8", "replace")
    return Refused(
        reply.status,
        str(document.get("type") or ""),
        reason if isinstance(reason, str) else json.dumps(reason),
        _seconds(reply.headers.get("retry-after")),
        date_of(reply.headers),
    )


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """The `Date` of an answer, if it can be read."""
    try:
        found = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _answered(reply: Reply) -> Answer:
    items = _object(reply.body).get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return Silent(Silence.BROKEN, "status 200, but no list of results")
    return Answered(tuple(_line(item) for item in items), None, date_of(reply.headers))


def _line(item: dict[str, Any]) -> HubAnswer:
    reason = item.get("reason")
    said = reason if isinstance(reason, dict) else {}
    return HubAnswer(
        str(item.get("id")),
        str(item.get("result")),
        str(said.get("type") or ""),
        str(said.get("detail") or ""),
        said.get("retry") is True,
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _seconds(text: str | None) -> float | None:
    """`Retry-After` in seconds; its form as a date is not used by our hub and counts as absent."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
