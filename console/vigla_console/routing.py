"""The registry of routes: each declares the permission it needs, and `create_app` refuses to start with one that does
not.

routes = Routes()

@routes.get("/alerts/{code}", needs=Permission.ALERTS_READ)
def alert(context: Context, code: str) -> Response: ...
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from fastapi import Request, Response

from vigla_console.context import RequestContext
from vigla_console.permissions import Permission

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Route:
    """``form``: the body is a form whose `csrf_token` is checked; otherwise the header `X-CSRF-Token` is."""

    method: str
    path: str
    needs: Permission
    handler: Callable[..., Any]
    form: bool
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Routes:
    """Declarations only; nothing runs until `app` mounts them. ``prefix`` goes before each path."""

    prefix: str = ""
    form: bool = True
    declared: list[Route] = field(default_factory=list)

    def get(self, path: str, *, needs: Permission, **options: Any) -> Callable[[Handler], Handler]:
        """Declares a GET; it changes nothing. ``options`` go to FastAPI (`response_model`, `status_code`, ...)."""
        return self._declare("GET", path, needs, options)

    def post(self, path: str, *, needs: Permission, **options: Any) -> Callable[[Handler], Handler]:
        return self._declare("POST", path, needs, options)

    def _declare(
        self, method: str, path: str, needs: Permission, options: dict[str, Any]
    ) -> Callable[[Handler], Handler]:
        def keep(handler: Handler) -> Handler:
            self.declared.append(Route(method, self.prefix + path, needs, handler, self.form, options))
            return handler

        return keep


class Site(Protocol):
    """What `web/` hands to `app`: its routes, how an error looks to a person, and its static files."""

    @property
    def routes(self) -> Sequence[Routes]: ...
    @property
    def static(self) -> str | None:
        """Folder served under `/static`, or None."""
        ...

    def error(self, request: Request, context: RequestContext | None, status: int, error: Exception) -> Response:
        """A page (or fragment) for 401 (→ log-in), 403, 404, 409, 422, 429, 500, 503. Headers are the middleware's."""
        ...
