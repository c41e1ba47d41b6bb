"""The web site as `app` mounts it: every route, the error page, the static folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from vigla_console.context import RequestContext
from vigla_console.errors import Conflict, Refused
from vigla_console.routing import Routes
from vigla_console.web.labels import N_
from vigla_console.web.pages import Pages
from vigla_console.web.views.alert import AlertPages
from vigla_console.web.views.alerts import ListPages
from vigla_console.web.views.fleet import FleetPages
from vigla_console.web.views.home import HomePages
from vigla_console.web.views.incidents import IncidentPages
from vigla_console.web.views.session import SessionPages
from vigla_console.web.views.soc import SocPages

# status → (heading, what to do)
_ERRORS = {
    403: (N_("You have no right to this"), N_("Ask the person who manages the accounts of your municipality.")),
    404: (N_("There is no such page"), N_("Check the code, or search for it at the top of the page.")),
    405: (N_("There is no such page"), N_("Check the code, or search for it at the top of the page.")),
    409: (N_("Somebody else changed it first"), N_("Go back, read what changed, and decide again.")),
    413: (N_("That was too large"), N_("Shorten the text and send it again.")),
    422: (N_("Something in the form is not right"), N_("Go back, correct it and send it again.")),
    429: (N_("Too many attempts"), N_("Wait a few minutes and try again.")),
    500: (
        N_("The console made a mistake"),
        N_("Nothing of yours is lost. Tell the hub's operator the time and the page."),
    ),
    503: (
        N_("The console cannot answer now"),
        N_("Nothing is lost: sensors keep their alerts. Try again in a minute."),
    ),
}


class MissingAssets(ValueError):
    """The style sheet, scripts and fonts are not there: pages would be bare, so the console does not start."""


@dataclass(frozen=True, slots=True)
class WebSite:
    """Implements `routing.Site`."""

    pages: Pages
    routes: Sequence[Routes]
    static: str | None

    def error(self, request: Request, context: RequestContext | None, status: int, error: Exception) -> Response:
        """A page in the reader's language; without a session a page is answered by the way to the log-in."""
        if status == 401:
            wanted = request.url.path if request.method == "GET" else "/"
            return RedirectResponse("/login?" + urlencode({"back": wanted}), 303)
        known = status if status in _ERRORS else 500 if status >= 500 else 422
        heading, advice = _ERRORS[known]
        detail = str(error) if isinstance(error, Refused | Conflict) else ""
        return self.pages.page(
            request, context, "error.html", status, code=status, heading=heading, advice=advice, detail=detail
        )  # fmt: skip


def site() -> WebSite:
    """The whole site, made once at start. Raises ``MissingAssets`` saying how to fetch them."""
    static = resources.files("vigla_console.web").joinpath("static")
    if not static.joinpath("vendor", "versions.json").is_file():
        raise MissingAssets(
            f"no front-end assets in {static}/vendor: run `npm ci && npm run assets` in console/ (`make setup` does)"
        )
    pages = Pages.load()
    parts = (
        SessionPages(pages),
        HomePages(pages),
        ListPages(pages),
        AlertPages(pages),
        IncidentPages(pages),
        SocPages(pages),
        FleetPages(pages),
    )
    return WebSite(pages, [part.routes() for part in parts], str(static))
