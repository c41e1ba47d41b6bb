"""Every page of the site with the one who sees it; codes are asked of the hub, for they are random."""

from tests.browser.hub import LiveHub
from vigla_console.incidents.models import AlertGroup, GroupFilter
from vigla_console.scope import Scope


def everyone(live: LiveHub) -> Scope:
    return Scope.every_tenant("browser test", live.hub.tenants.ids())


def group(live: LiveHub, tenant: str, entity: str) -> AlertGroup:
    """The seeded group of a town about this entity."""
    found = live.hub.cases(everyone(live)).groups(GroupFilter(size=100)).groups
    return next(one for one in found if one.tenant == tenant and one.entity.value.startswith(entity))


def municipal(live: LiveHub) -> list[str]:
    """Paths of an officer of Orestiada."""
    incident = next(i for i in live.hub.cases(everyone(live)).incidents() if i.tenant == "orestiada")
    return [
        "/",
        "/alerts",
        "/alerts?level=critical,high&from=-7d&sort=-last_seen",
        "/alerts?q=nothing-like-this",
        f"/alerts/{group(live, 'orestiada', 'protokollo2').code}",
        f"/alerts/{group(live, 'orestiada', 'canary').code}",
        "/incidents",
        f"/incidents/{incident.code}",
        "/sources",
        "/audit",
        "/profile",
        "/accessibility",
    ]


def central(live: LiveHub) -> list[str]:
    """Paths of an analyst."""
    cluster = live.hub.cases(everyone(live)).clusters()[0]
    return [
        "/soc",
        "/soc/queue",
        "/soc/queue?muni=orestiada&waiting=soc",
        f"/alerts/{group(live, 'orestiada', 'protokollo2').code}",
        "/soc/clusters",
        f"/soc/clusters/{cluster.code}",
        "/soc/municipalities",
        "/incidents",
        "/sources",
    ]


WRONG = {
    "/alerts/A-NONE22": 404,
    "/nowhere": 404,
    "/alerts?levl=high": 422,
    "/alerts?after=forged": 422,
    "/soc": 403,
}
