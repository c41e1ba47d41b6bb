"""The doors for sensors: `POST /ingest/v1/alerts` and `/ingest/v1/heartbeat` (DESIGN 5.5, delivery.md 5)."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from vigla_console.clock import Clock
from vigla_console.ingest.service import IngestService
from vigla_console.ingest.unpack import Damaged, Limits, TooLarge, UnknownEncoding, unpack
from vigla_console.permissions import Permission
from vigla_console.routing import Routes
from vigla_console.sensors.models import Sensor
from vigla_console.tenants.models import TenantId

LARGEST_HEARTBEAT = 64 * 1024
WAITING_PER_TENANT = 2


class Refusal(Exception):
    """An answer other than 200; ``retry_after`` in seconds."""

    def __init__(self, status: int, title: str, retry_after: int | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Turnstile:
    """Bounded: each municipality has few requests in the house, all together a limited number; the rest come again."""

    most: int
    inside: dict[TenantId, int] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, tenant: TenantId) -> AsyncIterator[None]:
        """Raises ``Refusal`` 429, its time spread so that 332 boxes do not return at once."""
        waiting = self.inside.get(tenant, 0)
        if waiting >= WAITING_PER_TENANT or sum(self.inside.values()) >= self.most:
            raise Refusal(429, "the hub is busy: nothing was stored, send it again", 5 + secrets.randbelow(56))
        self.inside[tenant] = waiting + 1
        try:
            yield
        finally:
            self.inside[tenant] -= 1
            if not self.inside[tenant]:
                del self.inside[tenant]


@dataclass(frozen=True, slots=True)
class IngestRoutes:
    """Made once. Order and durability are the store's: its one writer takes one batch after the other."""

    service: IngestService
    limits: Limits
    clock: Clock
    turnstile: Turnstile

    def routes(self) -> Routes:
        routes = Routes(prefix="/ingest/v1", form=False)
        routes.post("/alerts", needs=Permission.SENSOR, response_model=None)(self.alerts)
        routes.post("/heartbeat", needs=Permission.SENSOR, response_model=None)(self.heartbeat)
        return routes

    async def alerts(self, request: Request) -> Response:
        """Takes NDJSON, plain or packed; answers per line, in order, once all is durable."""
        try:
            sensor = await self._sensor(request)
            async with self.turnstile.turn(sensor.tenant):
                body = await _body(request, self.limits.wire_bytes)
                encoding = request.headers.get("content-encoding", "")
                lines = await run_in_threadpool(unpack, body, encoding, self.limits)
                answers = await run_in_threadpool(self.service.take, sensor, lines)
        except Refusal as refusal:
            return self._refused(refusal)
        except TooLarge as error:
            return self._refused(Refusal(413, str(error)))
        except (Damaged, ClientDisconnect) as error:
            return self._refused(Refusal(400, str(error) or "the body is cut; nothing was stored"))
        except UnknownEncoding as error:
            return self._refused(Refusal(415, str(error)))
        return self._json({"items": [answer.document() for answer in answers]})

    async def heartbeat(self, request: Request) -> Response:
        """Keeps the last one; the answer carries jobs and the overlay, none yet."""
        try:
            sensor = await self._sensor(request)
            document = json.loads(await _body(request, LARGEST_HEARTBEAT) or b"{}")
        except Refusal as refusal:
            return self._refused(refusal)
        except TooLarge as error:
            return self._refused(Refusal(413, str(error)))
        except (ValueError, RecursionError, ClientDisconnect):
            return self._refused(Refusal(400, "the heartbeat is no JSON object"))
        if not isinstance(document, dict):
            return self._refused(Refusal(400, "the heartbeat is no JSON object"))
        await run_in_threadpool(self.service.registry.heartbeat, sensor.id, document)
        return self._json({"jobs": [], "overlay": None})

    async def _sensor(self, request: Request) -> Sensor:
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        found = None
        if scheme.lower() == "bearer" and credential:
            found = await run_in_threadpool(self.service.registry.by_credential, credential.strip())
        if found is None:
            raise Refusal(401, "unknown credential: enrol the sensor with `vigla-console sensor add`")
        if found.quarantined:
            raise Refusal(403, f"sensor {found.id} is in quarantine: the hub's operator releases it")
        return found

    def _refused(self, refusal: Refusal) -> Response:
        answer = self._json({"status": refusal.status, "title": str(refusal)}, refusal.status)
        answer.headers["content-type"] = "application/problem+json"
        if refusal.retry_after is not None:
            answer.headers["retry-after"] = str(refusal.retry_after)
        if refusal.status == 401:
            answer.headers["www-authenticate"] = "Bearer"
        return answer

    def _json(self, document: object, status: int = 200) -> Response:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return Response(text.encode(), status, media_type="application/json")


async def _body(request: Request, most: int) -> bytes:
    """The bytes on the wire, whatever `Content-Length` says; raises ``TooLarge``."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge(f"the body has more than {most} bytes on the wire: send fewer alerts at once")
        parts.append(part)
    return b"".join(parts)
