"""S1, what is worst across all; S4, the same thing in many places; S8, the directory."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request, Response

from vigla_console.context import Context
from vigla_console.incidents.models import GroupFilter, State
from vigla_console.permissions import Permission
from vigla_console.routing import Routes
from vigla_console.web.frame import frame_of
from vigla_console.web.pages import Pages
from vigla_console.web.rows import cluster_title, rows, short_name
from vigla_console.web.tilemap import draw, states_by_tenant

WORST = 10
_OPEN = frozenset(state for state in State if state.open)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SocPages:
    """`/soc`, `/soc/clusters`, `/soc/clusters/{code}`, `/soc/municipalities`."""

    pages: Pages

    def routes(self) -> Routes:
        routes = Routes()
        routes.get("/soc", needs=Permission.PICTURE_READ)(self.picture)
        routes.get("/soc/clusters", needs=Permission.CLUSTERS_READ)(self.clusters)
        routes.get("/soc/clusters/{code}", needs=Permission.CLUSTERS_READ)(self.cluster)
        routes.get("/soc/municipalities", needs=Permission.PICTURE_READ)(self.municipalities)
        return routes

    def picture(self, request: Request, context: Context) -> Response:
        language = frame_of(request, context).language
        now = context.clock.now()
        worst = context.cases.groups(GroupFilter(states=_OPEN, sort="risk", size=WORST)).groups
        unowned_first = sorted(worst, key=lambda group: (group.assignee is not None, -group.risk))
        sensors = [(sensor, sensor.state(now)) for sensor in context.sensors.sensors()]
        picture = context.cases.picture()
        return self.pages.page(
            request,
            context,
            "soc.html",
            rows=rows(context, unowned_first, language, ("assign",)),
            map=draw(context.services.municipalities, picture, states_by_tenant(sensors)),
            clusters=[(one, cluster_title(context, one, language)) for one in context.cases.clusters(limit=5)],
            fleet=Counter(state for _, state in sensors),
            waiting=sum(row.waiting_on_soc for row in picture),
            incidents=sum(row.open_incidents for row in picture),
            now=now,
            form_key=context.form_key(),
        )

    def clusters(self, request: Request, context: Context) -> Response:
        language = frame_of(request, context).language
        clusters = [(one, cluster_title(context, one, language)) for one in context.cases.clusters()]
        return self.pages.page(request, context, "clusters.html", clusters=clusters)

    def cluster(self, request: Request, context: Context, code: str) -> Response:
        language = frame_of(request, context).language
        cluster = context.cases.cluster(code)
        context.audit.record("cluster.view", cluster.code, [m.tenant for m in cluster.members], clear=True)
        names = {m.tenant: short_name(context.tenants.get(m.tenant), language) for m in cluster.members}
        return self.pages.page(
            request,
            context,
            "cluster.html",
            cluster=cluster,
            title=cluster_title(context, cluster, language),
            names=names,
            rows=rows(context, context.cases.cluster_groups(cluster), language, ()),
        )

    def municipalities(self, request: Request, context: Context) -> Response:
        now = context.clock.now()
        states = states_by_tenant((sensor, sensor.state(now)) for sensor in context.sensors.sensors())
        drawn = draw(context.services.municipalities, context.cases.picture(), states)
        return self.pages.page(
            request, context, "municipalities.html", map=drawn, regions=context.services.municipalities.regions
        )  # fmt: skip
