"""Nouns of tenancy. A tenant id is a frozen slug without a hyphen, so that no id is a pattern prefix of another index
name.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

TenantId = NewType("TenantId", str)

SLUG = re.compile(r"[a-z][a-z0-9_]{1,39}", re.ASCII)


def tenant_id(text: str) -> TenantId:
    """The id in ``text``; raises ``ValueError`` if it is not a slug ``[a-z][a-z0-9_]{1,39}``."""
    if not SLUG.fullmatch(text):
        raise ValueError(f"{text!r} is no tenant id: use 2 to 40 of a-z, 0-9 and _, starting with a letter")
    return TenantId(text)


class TenantKind(StrEnum):
    """What a tenant is; access never follows from it."""

    NATIONAL = "national"
    REGION = "region"
    MUNICIPALITY = "municipality"
    ENTITY = "entity"


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whom the hub serves. Codes, aliases, search and tiles of municipalities are in `tenants/municipalities.py`."""

    id: TenantId
    kind: TenantKind
    name_el: str
    name_el_genitive: str
    name_en: str
    region: str = ""
    population: int = 0

    @property
    def title_el(self) -> str:
        """The body's full Greek name, as in «Δήμος Καλαμάτας»."""
        return f"Δήμος {self.name_el_genitive}" if self.kind is TenantKind.MUNICIPALITY else self.name_el

    def title(self, language: str) -> str:
        """The body's full name in ``el`` or ``en``."""
        if language == "el":
            return self.title_el
        return f"Municipality of {self.name_en}" if self.kind is TenantKind.MUNICIPALITY else self.name_en


class Role(StrEnum):
    """What a person may be: the first three at a tenant, the others at the centre."""

    VIEWER = "viewer"
    OFFICER = "officer"
    ADMIN = "admin"
    ANALYST = "analyst"
    LEAD = "lead"
    AUDITOR = "auditor"
    HUB_ADMIN = "hub_admin"

    @property
    def central(self) -> bool:
        """Held at the centre, over every tenant, never at one."""
        return self in (Role.ANALYST, Role.LEAD, Role.AUDITOR, Role.HUB_ADMIN)


@dataclass(frozen=True, slots=True)
class Binding:
    """A role at one tenant (``tenant`` is None exactly for the central roles) until ``expires``."""

    role: Role
    tenant: TenantId | None = None
    expires: datetime | None = None

    def __post_init__(self) -> None:
        if self.role.central != (self.tenant is None):
            place = "is held at the centre, not at a tenant" if self.role.central else "needs the tenant it is held at"
            raise ValueError(f"role {self.role} {place}")


@dataclass(frozen=True, slots=True)
class User:
    """A person's account as the rest of the console sees it; the password hash never leaves `people/`."""

    id: str
    login: str
    name: str
    language: str
    bindings: tuple[Binding, ...]
    disabled: bool = False

    @property
    def central(self) -> bool:
        """Works at the centre: first page is the picture (S1), not one municipality's home (M1)."""
        return any(binding.role.central for binding in self.bindings)
