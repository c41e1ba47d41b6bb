"""What one request works with: its Scope, and services built with that Scope. Pages and the API get this and nothing
else.

A handler takes ``context: Context``; the Scope was made once, from the session alone, before the handler ran.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request, Response

from vigla_console.alerts.interfaces import AlertStore
from vigla_console.alerts.models import Alert
from vigla_console.audit.interfaces import AuditLog
from vigla_console.clock import Clock
from vigla_console.errors import NotFound
from vigla_console.incidents.interfaces import CaseReader
from vigla_console.people.interfaces import Sessions
from vigla_console.people.models import Session
from vigla_console.permissions import Permission
from vigla_console.rules.models import RuleBook
from vigla_console.scope import Scope
from vigla_console.sensors.interfaces import SensorReader
from vigla_console.tenants.directory import TenantDirectory
from vigla_console.tenants.models import TenantId, User
from vigla_console.tenants.municipalities import Municipalities
from vigla_console.triage.service import Triage


class Services(Protocol):
    """What `app` composed: each store is built anew with the Scope of who asks."""

    @property
    def clock(self) -> Clock: ...
    @property
    def tenants(self) -> TenantDirectory: ...
    @property
    def municipalities(self) -> Municipalities: ...
    @property
    def rules(self) -> RuleBook: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def secure_cookies(self) -> bool: ...
    def alerts(self, scope: Scope) -> AlertStore: ...
    def cases(self, scope: Scope) -> CaseReader: ...
    def triage(self, scope: Scope) -> Triage: ...
    def sensors(self, scope: Scope) -> SensorReader: ...
    def audit(self, scope: Scope) -> AuditLog: ...
    def form_key(self) -> str: ...
    def delegated(self) -> frozenset[TenantId]: ...


@dataclass(frozen=True)
class RequestContext:
    """One request. ``session`` is None on public pages; ``nonce`` is this response's, for `script-src`."""

    request: Request
    services: Services
    scope: Scope
    session: Session | None
    nonce: str

    @property
    def user(self) -> User:
        """The signed-in person; only for routes that need a session."""
        if self.session is None:
            raise RuntimeError("this route is public: it has no user")
        return self.session.user

    @property
    def csrf_token(self) -> str:
        """For the hidden field `csrf_token` of every form; empty on public pages, whose forms are guarded by `Origin`
        alone.
        """
        return self.session.csrf_token if self.session else ""

    def form_key(self) -> str:
        """A new one-time key, for the hidden field `form_key`."""
        return self.services.form_key()

    def may(self, permission: Permission, tenant: TenantId) -> bool:
        return self.scope.may(permission, tenant)

    @property
    def clock(self) -> Clock:
        return self.services.clock

    @property
    def tenants(self) -> TenantDirectory:
        """All 332: names are public."""
        return self.services.tenants

    @property
    def municipalities(self) -> Municipalities:
        """Search, regions and tiles."""
        return self.services.municipalities

    @property
    def rules(self) -> RuleBook:
        return self.services.rules

    @property
    def sessions(self) -> Sessions:
        return self.services.sessions

    @cached_property
    def alerts(self) -> AlertStore:
        return self.services.alerts(self.scope)

    def alert(self, tenant: TenantId, event_id: str) -> Alert:
        """One alert of one municipality; raises ``NotFound``. Ids are only unique within a municipality."""
        found = self.services.alerts(self.scope.at(tenant)).get(event_id)
        if found is None:
            raise NotFound("no such alert")
        return found

    @cached_property
    def cases(self) -> CaseReader:
        return self.services.cases(self.scope)

    @cached_property
    def triage(self) -> Triage:
        return self.services.triage(self.scope)

    @cached_property
    def sensors(self) -> SensorReader:
        return self.services.sensors(self.scope)

    @cached_property
    def audit(self) -> AuditLog:
        return self.services.audit(self.scope)

    @property
    def cookie_name(self) -> str:
        """`__Host-` needs HTTPS; the demo on loopback has none."""
        return cookie_name(secure=self.services.secure_cookies)

    @property
    def session_token(self) -> str:
        return self.request.cookies.get(self.cookie_name, "")

    def remember(self, response: Response, token: str) -> None:
        """Sets the session cookie after a log-in."""
        secure = self.services.secure_cookies
        response.set_cookie(self.cookie_name, token, path="/", httponly=True, samesite="strict", secure=secure)

    def forget(self, response: Response) -> None:
        """Deletes the session cookie after a log-out."""
        secure = self.services.secure_cookies
        response.delete_cookie(self.cookie_name, path="/", httponly=True, samesite="strict", secure=secure)


def cookie_name(*, secure: bool) -> str:
    return "__Host-vigla" if secure else "vigla_demo"


def current(request: Request) -> RequestContext:
    """The context the guard of the route has made; a route without a guard has none."""
    return cast(RequestContext, request.state.context)


Context = Annotated[RequestContext, Depends(current)]
