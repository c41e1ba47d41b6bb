"""M2 and S2, the lists of groups: filtered by the address, paged by key, acted on one by one or together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Form, Request, Response

from vigla_console.alerts.interfaces import BadCursor
from vigla_console.context import Context
from vigla_console.errors import Conflict, Forbidden, NotFound, Refused
from vigla_console.incidents.models import GroupFilter, GroupPage, State
from vigla_console.permissions import Permission
from vigla_console.routing import Routes
from vigla_console.triage.service import Act
from vigla_console.web.filters import Asked, BadFilter, asked
from vigla_console.web.forms import Key, Text
from vigla_console.web.frame import frame_of
from vigla_console.web.labels import N_
from vigla_console.web.notices import Notice
from vigla_console.web.pages import Pages
from vigla_console.web.rows import rows

_OPEN = frozenset(state for state in State if state.open)
_EVERYTHING_OPEN = GroupFilter(states=_OPEN)
_MOST_AT_ONCE = 200
_BAD_CURSOR = N_("This page belongs to another filter or session: the list starts from the top.")


@dataclass(frozen=True, slots=True)
class Listing:
    """One list page: where it lives, its tabs (label, query string), rows a page and the verbs on a row."""

    path: str
    template: str
    tabs: Sequence[tuple[str, str]]
    size: int
    verbs: tuple[str, ...]


ALERTS = Listing(
    "/alerts",
    "alerts.html",
    (
        (N_("tab|Open"), ""),
        (N_("tab|New"), "state=new"),
        (N_("tab|Mine"), "assignee=me"),
        (N_("tab|Waiting for the SOC"), "waiting=soc"),
        (N_("tab|Closed"), "state=closed"),
    ),
    25,
    ("ack", "escalate", "answer"),
)

QUEUE = Listing(
    "/soc/queue",
    "queue.html",
    (
        (N_("tab|All"), ""),
        (N_("tab|Unowned"), "assignee=none"),
        (N_("tab|Mine"), "assignee=me"),
        (N_("tab|Waiting for the SOC"), "waiting=soc"),
        (N_("tab|Waiting for a municipality"), "waiting=municipality"),
    ),
    50,
    ("assign", "ack", "escalate", "answer"),
)


@dataclass(frozen=True, slots=True)
class ListPages:
    """`/alerts`, `/soc/queue`, acts on several rows, and the search box."""

    pages: Pages

    def routes(self) -> Routes:
        routes = Routes()
        routes.get("/alerts", needs=Permission.ALERTS_READ)(self.alerts)
        routes.get("/alerts/news", needs=Permission.ALERTS_READ)(self.alerts_news)
        routes.post("/alerts/bulk", needs=Permission.ALERTS_READ)(self.bulk)
        routes.get("/soc/queue", needs=Permission.PICTURE_READ)(self.queue)
        routes.get("/soc/queue/news", needs=Permission.PICTURE_READ)(self.queue_news)
        routes.get("/search", needs=Permission.ALERTS_READ)(self.search)
        return routes

    def alerts(self, request: Request, context: Context) -> Response:
        return self._list(request, context, ALERTS)

    def queue(self, request: Request, context: Context) -> Response:
        return self._list(request, context, QUEUE)

    def alerts_news(self, request: Request, context: Context) -> Response:
        return self._news(request, context, ALERTS)

    def queue_news(self, request: Request, context: Context) -> Response:
        return self._news(request, context, QUEUE)

    def _list(self, request: Request, context: Context, listing: Listing) -> Response:
        """The rows of what was asked; a filter that cannot be read gives 422, the reason and an empty list."""
        language = frame_of(request, context).language
        now = context.clock.now()
        problem: BadFilter | None = None
        try:
            question = self._asked(request, context, listing)
            page = context.cases.groups(question.wanted)
        except BadFilter as error:
            problem = error
        except BadCursor:
            problem = BadFilter(_BAD_CURSOR, "after")
        if problem is not None:
            question, page = Asked({}, GroupFilter()), GroupPage((), None, 0, True)
        sensors = context.sensors.sensors()
        return self.pages.page(
            request,
            context,
            listing.template,
            422 if problem is not None else 200,
            listing=listing,
            question=question,
            problem=problem,
            page=page,
            rows=rows(context, page.groups, language, listing.verbs),
            several=len(context.scope.tenants) > 1,
            alive=sum(sensor.state(now) == "live" for sensor in sensors),
            sensors=sensors,
            known=context.cases.counts(_EVERYTHING_OPEN),
            form_key=context.form_key(),
        )

    def _asked(self, request: Request, context: Context, listing: Listing) -> Asked:
        items = request.query_params.multi_items()
        question = asked(items, context.tenants, context.user.id, context.clock.now(), listing.size)
        if question.wanted.states:
            return question
        # Without a word about the state a list is of what is open.
        return Asked(question.values, _with_states(question.wanted))

    def _news(self, request: Request, context: Context, listing: Listing) -> Response:
        """How many open groups there are more than when the page was made, as a polite line; 204 when none.

        Counted by number, not by time: a backlog that arrives late is news too.
        """
        known = request.query_params.get("known", "")
        fresh = context.cases.counts(_EVERYTHING_OPEN) - int(known) if known.isdecimal() and len(known) <= 9 else 0
        if fresh <= 0:
            return Response(status_code=204)
        return self.pages.page(request, context, "parts/news.html", fresh=fresh, listing=listing)

    def bulk(
        self,
        context: Context,
        chosen: Annotated[list[str] | None, Form()] = None,
        form_key: Key = "",
        verb: Text = "ack",
        back: Text = "/alerts",
    ) -> Response:
        """Each item alone: ``chosen`` is ``code:version``; what had changed meanwhile is counted, not forced."""
        done = changed = failed = 0
        for place, item in enumerate((chosen or [])[:_MOST_AT_ONCE]):
            code, _, version = item.partition(":")
            try:
                wanted = Act(int(version), f"{form_key}.{place}")
                (context.triage.assign if verb == "assign" else context.triage.ack)(code, wanted)
                done += 1
            except Conflict:
                changed += 1
            except (NotFound, Forbidden, Refused, ValueError):
                failed += 1
        return self.pages.see_other(context, back, Notice("bulk", (str(done), str(changed), str(failed))))

    def search(self, context: Context, q: str = "") -> Response:
        """A code goes to its page, a municipality's name (at the centre) to its rows, anything else into the list."""
        text = q.strip()[:200]
        code = text.upper()
        places = {"A-": "/alerts/", "P-": "/incidents/", "K-": "/soc/clusters/"}
        if len(code) == 8 and code[2:].isalnum() and code[:2] in places:
            return self.pages.see_other(context, f"{places[code[:2]]}{code}")
        central = context.scope.may_somewhere(Permission.PICTURE_READ)
        listing = QUEUE if central else ALERTS
        found = context.services.municipalities.find(text) if central else ()
        values = {"muni": (",".join(row.id for row in found),)} if found else {"q": (text,)} if text else {}
        return self.pages.see_other(context, listing.path + Asked(values, GroupFilter()).link())


def _with_states(wanted: GroupFilter) -> GroupFilter:
    return replace(wanted, states=wanted.states or _OPEN)
