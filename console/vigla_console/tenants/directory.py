"""Every tenant the hub knows, by id: municipalities from the project's own list, made once at start."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vigla_console.errors import NotFound
from vigla_console.tenants.models import Tenant, TenantId, TenantKind, tenant_id
from vigla_console.tenants.municipalities import Municipalities


@dataclass(frozen=True, slots=True)
class TenantDirectory:
    """Every tenant by id, in the order of the list. Raises ``ValueError`` for an id that occurs twice."""

    tenants: Sequence[Tenant]
    _by_id: dict[TenantId, Tenant] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_id = {tenant.id: tenant for tenant in self.tenants}
        if len(by_id) != len(self.tenants):
            raise ValueError("the tenant directory holds an id twice")
        object.__setattr__(self, "_by_id", by_id)

    def __iter__(self) -> Iterator[Tenant]:
        return iter(self.tenants)

    def __contains__(self, tenant: object) -> bool:
        return tenant in self._by_id

    def ids(self) -> frozenset[TenantId]:
        return frozenset(self._by_id)

    def get(self, tenant: str) -> Tenant:
        """Raises ``NotFound``."""
        try:
            return self._by_id[TenantId(tenant)]
        except KeyError:
            raise NotFound(f"no tenant {tenant!r}: see `vigla-console tenant list`") from None

    @staticmethod
    def of(municipalities: Municipalities) -> "TenantDirectory":
        """The directory of these municipalities."""
        return TenantDirectory(
            tuple(
                Tenant(
                    id=tenant_id(row.id),
                    kind=TenantKind.MUNICIPALITY,
                    name_el=row.name_el,
                    name_el_genitive=row.name_el_genitive,
                    name_en=row.name_en,
                    region=row.region,
                    population=row.population_2021,
                )
                for row in municipalities
            )
        )
