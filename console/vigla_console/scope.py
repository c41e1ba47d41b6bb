"""Scope before data: which tenants this request may see and what it may do there. Made once per request, from the
session alone.

No value means "all": the centre's Scope lists every tenant, and an empty one sees nothing.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from vigla_console.permissions import ROLE_PERMISSIONS, Permission
from vigla_console.tenants.models import Role, TenantId, User


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as it will stand in history and audit: the body and role are text, true at the time."""

    id: str
    name: str
    role: str
    body: str


@dataclass(frozen=True, slots=True)
class Grant:
    """Permissions over some tenants, from one binding."""

    role: Role
    tenants: frozenset[TenantId]
    permissions: frozenset[Permission]


@dataclass(frozen=True, slots=True)
class Scope:
    """The tenants a request sees; ``clear`` ⊆ ``tenants`` are those whose internals it sees unmasked."""

    actor: Actor
    tenants: frozenset[TenantId]
    clear: frozenset[TenantId]
    purpose: str
    grants: tuple[Grant, ...] = ()
    central: bool = False
    delegated: frozenset[TenantId] = field(default=frozenset())

    def __post_init__(self) -> None:
        if not self.clear <= self.tenants:
            raise ValueError("a scope cannot see in clear what it cannot see")

    def may(self, permission: Permission, tenant: TenantId) -> bool:
        """Whether the actor holds ``permission`` at ``tenant``."""
        return any(permission in grant.permissions and tenant in grant.tenants for grant in self.grants)

    def may_somewhere(self, permission: Permission) -> bool:
        """Whether the actor holds ``permission`` at all: what a route asks before it knows the object."""
        return any(permission in grant.permissions for grant in self.grants)

    def narrowed(self, permission: Permission) -> frozenset[TenantId]:
        """The tenants at which the actor holds ``permission``."""
        return frozenset(t for grant in self.grants if permission in grant.permissions for t in grant.tenants)

    def at(self, tenant: TenantId) -> "Scope":
        """The same, narrowed to one tenant (to none, if it does not see it)."""
        one = frozenset({tenant})
        return replace(self, tenants=self.tenants & one, clear=self.clear & one, delegated=self.delegated & one)

    @property
    def digest(self) -> str:
        """Names this scope in cursors, caches and job results."""
        text = "\n".join((self.actor.id, *sorted(self.tenants), "|", *sorted(self.clear)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @staticmethod
    def of_user(
        user: User,
        every_tenant: frozenset[TenantId],
        delegated: frozenset[TenantId],
        now: datetime,
        purpose: str,
        *,
        body: str = "",
    ) -> "Scope":
        """What ``user`` may see now: expired bindings are gone, unknown tenants too."""
        grants = []
        for binding in user.bindings:
            if binding.expires is not None and binding.expires <= now:
                continue
            own = every_tenant if binding.tenant is None else every_tenant & {binding.tenant}
            grants.append(Grant(binding.role, own, ROLE_PERMISSIONS[binding.role]))
        seen = frozenset(t for g in grants if Permission.ALERTS_READ in g.permissions for t in g.tenants)
        local = frozenset(t for g in grants if not g.role.central for t in g.tenants)
        roles = ", ".join(sorted({grant.role.value for grant in grants})) or "none"
        central = any(grant.role.central for grant in grants)
        actor = Actor(user.id, user.name, roles, body or ("SOC" if central else ", ".join(sorted(local))))
        return Scope(actor, seen, seen & local, purpose, tuple(grants), central, delegated & seen)

    @staticmethod
    def of_sensor(sensor: str, tenant: TenantId) -> "Scope":
        """A sensor's credential: its own municipality, to write alerts into."""
        own = frozenset({tenant})
        return Scope(Actor(sensor, sensor, "sensor", tenant), own, own, "ingest")

    @staticmethod
    def of_job(job: str, tenant: TenantId) -> "Scope":
        """A job runs one tenant at a time."""
        own = frozenset({tenant})
        return Scope(Actor(f"job:{job}", job, "job", "hub"), own, own, job)

    @staticmethod
    def every_tenant(reason: str, tenants: Iterable[TenantId]) -> "Scope":
        """For aggregation over arrivals, clusters and migrations only (an import contract says who)."""
        known = frozenset(tenants)
        return Scope(Actor(f"job:{reason}", reason, "job", "hub"), known, known, reason, central=True)

    @staticmethod
    def nobody() -> "Scope":
        """Sees nothing: a request without a session."""
        return Scope(Actor("", "", "none", ""), frozenset(), frozenset(), "anonymous")
