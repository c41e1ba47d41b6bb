"""M8 and F1 in their simple form: which boxes are heard, what came from them; and the audit a municipality may read."""

from dataclasses import dataclass

from fastapi import Request, Response

from vigla_console.audit.models import HUB
from vigla_console.context import Context
from vigla_console.permissions import Permission
from vigla_console.routing import Routes
from vigla_console.tenants.models import TenantId
from vigla_console.web.frame import frame_of
from vigla_console.web.logtext import flat
from vigla_console.web.pages import Pages
from vigla_console.web.rows import short_name

_MOST_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class FleetPages:
    """`/sources` and `/audit`."""

    pages: Pages

    def routes(self) -> Routes:
        routes = Routes()
        routes.get("/sources", needs=Permission.SENSORS_READ)(self.sources)
        routes.get("/audit", needs=Permission.AUDIT_READ)(self.audit)
        return routes

    def sources(self, request: Request, context: Context) -> Response:
        language = frame_of(request, context).language
        now = context.clock.now()
        sensors = context.sensors.sensors()
        return self.pages.page(
            request,
            context,
            "sources.html",
            sensors=[(sensor, sensor.state(now)) for sensor in sensors],
            names={s.tenant: short_name(context.tenants.get(s.tenant), language) for s in sensors},
            heartbeats={s.id: flat(dict(s.heartbeat)) if s.heartbeat else [] for s in sensors},
            several=len({sensor.tenant for sensor in sensors}) > 1,
            now=now,
        )

    def audit(self, request: Request, context: Context, muni: str = "", foreign: str = "") -> Response:
        language = frame_of(request, context).language
        readable = sorted(context.scope.narrowed(Permission.AUDIT_READ))
        chosen = TenantId(muni) if muni in readable else readable[0] if readable else TenantId(HUB)
        return self.pages.page(
            request,
            context,
            "audit.html",
            entries=context.audit.entries(chosen, foreign_only=bool(foreign), limit=_MOST_ENTRIES),
            chosen=chosen,
            foreign=bool(foreign),
            readable=[(tenant, short_name(context.tenants.get(tenant), language)) for tenant in readable],
        )
