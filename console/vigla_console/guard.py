"""What runs before every handler: who is it, may they come here at all, does the form come from our own page.

The Scope is made here, once, from the session alone; nothing of the request widens it.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Depends, Request

from vigla_console.context import RequestContext, Services, cookie_name
from vigla_console.errors import Forbidden
from vigla_console.people.models import Session
from vigla_console.permissions import Permission
from vigla_console.routing import Route
from vigla_console.scope import Scope

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
WITHOUT_SESSION = (Permission.PUBLIC, Permission.SENSOR)


class NeedsSession(PermissionError):
    """401: no live session; a page leads to the log-in."""


class ForgedForm(PermissionError):
    """403: the form did not come from a page of this session."""


def token_of_header(request: Request) -> str:
    """The CSRF token of the API and of programs' requests; their bodies are not looked into here."""
    return request.headers.get("x-csrf-token", "")


async def token_of_form(request: Request) -> str:
    """The CSRF token of a page's form, or of the header."""
    header = token_of_header(request)
    is_form = request.headers.get("content-type", "").startswith(FORM_TYPES)
    if header or request.method in ("GET", "HEAD") or not is_form:
        return header
    token = (await request.form()).get("csrf_token", "")
    return token if isinstance(token, str) else ""


@dataclass(frozen=True, slots=True)
class Gate:
    """Makes the guard of each route."""

    services: Services
    public_url: str

    def guard(self, route: Route) -> Callable[..., None]:
        """A dependency that leaves ``request.state.context`` behind, or raises 401 or 403."""

        submitted = token_of_form if route.form else token_of_header

        def check(request: Request, token: str = Depends(submitted)) -> None:
            changes = route.method not in ("GET", "HEAD")
            if changes and route.needs is not Permission.SENSOR:
                self._refuse_foreign_origin(request)
            session = None
            if route.needs is not Permission.SENSOR:
                session = self._session(request)
            context = self._context(request, session)
            request.state.context = context
            if route.needs in WITHOUT_SESSION:
                return
            if session is None:
                raise NeedsSession("please sign in")
            if changes and not hmac.compare_digest(token.encode(), session.csrf_token.encode()):
                raise ForgedForm("the form is not from this session: load the page again and repeat")
            if not context.scope.may_somewhere(route.needs):
                own = [] if context.scope.central else sorted(context.scope.tenants)
                subject = f"{route.method} {route.path}"
                context.audit.record("refused", subject, own, result="refused", reason=route.needs)
                raise Forbidden(f"this needs the right {route.needs}: ask your administrator for it")

        return check

    def _session(self, request: Request) -> Session | None:
        name = cookie_name(secure=self.services.secure_cookies)
        return self.services.sessions.find(request.cookies.get(name, ""))

    def _context(self, request: Request, session: Session | None) -> RequestContext:
        scope = Scope.nobody()
        if session is not None:
            scope = Scope.of_user(
                session.user,
                self.services.tenants.ids(),
                self.services.delegated(),
                self.services.clock.now(),
                f"{request.method} {request.url.path}",
            )
        return RequestContext(request, self.services, scope, session, request.state.nonce)

    def _refuse_foreign_origin(self, request: Request) -> None:
        """Browsers say where a POST comes from; without any word (a program), the token alone decides."""
        origin = request.headers.get("origin")
        if origin is None or origin == "null":
            # Under `Referrer-Policy: no-referrer` browsers send `null` with our own forms (Fetch, 3.2.5): then their
            # `Sec-Fetch-Site` decides, which no page can set.
            unsaid = "same-origin" if origin is None else "unknown"
            if request.headers.get("sec-fetch-site", unsaid) not in ("same-origin", "none"):
                raise ForgedForm("the form comes from another site")
            return
        ours = urlsplit(self.public_url).netloc if self.public_url else request.headers.get("host", "")
        if urlsplit(origin).netloc != ours:
            raise ForgedForm(f"the form comes from another site ({origin[:100]})")
