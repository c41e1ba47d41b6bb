"""The composition root: from settings to a running application. Backends are chosen here and nowhere else."""

import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from vigla_console import __version__
from vigla_console.alerts.cursors import CursorSigner
from vigla_console.alerts.elasticsearch import Cluster, ElasticsearchAlertStore
from vigla_console.alerts.interfaces import AlertStore
from vigla_console.alerts.sqlite import AlertFile, SqliteAlertStore
from vigla_console.answers import Answers, no_store
from vigla_console.api.cases import routes as api_routes
from vigla_console.audit.interfaces import AuditLog
from vigla_console.audit.storage import AuditVerifier, SqlAuditLog
from vigla_console.clock import Clock, SystemClock
from vigla_console.config import BadConfig, ElasticsearchSettings, Settings
from vigla_console.context import Context
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.migrate import require_migrated
from vigla_console.guard import Gate
from vigla_console.headers import BodyLimit, SecurityHeaders
from vigla_console.incidents.interfaces import CaseReader
from vigla_console.incidents.storage.arrivals import Aggregation, ArrivalWriter
from vigla_console.incidents.storage.changes import SqlCaseWriter
from vigla_console.incidents.storage.delegations import SqlDelegations
from vigla_console.incidents.storage.overdue import mark_overdue
from vigla_console.incidents.storage.prune import prune
from vigla_console.incidents.storage.reader import SqlCases
from vigla_console.ingest.routes import IngestRoutes, Turnstile
from vigla_console.ingest.service import IngestService
from vigla_console.ingest.unpack import Limits
from vigla_console.people.passwords import Passwords
from vigla_console.people.storage import SqlSessions
from vigla_console.permissions import Permission
from vigla_console.routing import Route, Routes, Site
from vigla_console.rules.models import RuleBook
from vigla_console.rules.pack import no_pack, read_pack
from vigla_console.scope import Scope
from vigla_console.sensors.models import Sensor
from vigla_console.sensors.storage import SensorRegistry, SqlSensors
from vigla_console.tenants.directory import TenantDirectory
from vigla_console.tenants.models import TenantId
from vigla_console.tenants.municipalities import Municipalities
from vigla_console.tenants.municipalities import load as load_municipalities
from vigla_console.triage.service import TriageService
from vigla_console.web.site import site as web_site
from vigla_console.worker import Chore, Worker

LOG = logging.getLogger(__name__)
SECRET = "secret.key"  # noqa: S105  a file's name
EVERY_MINUTE, EVERY_HOUR = 60.0, 3600.0


class UnguardedRoute(RuntimeError):
    """A route without a declared permission: the application does not start."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Implements `context.Services`: every store is made anew with the Scope of who asks."""

    settings: Settings
    clock: Clock
    database: CaseDatabase
    alert_store: Callable[[Scope], AlertStore]
    close_alerts: Callable[[], None]
    signer: CursorSigner
    municipalities: Municipalities
    tenants: TenantDirectory
    rules: RuleBook
    sessions: SqlSessions

    @property
    def secure_cookies(self) -> bool:
        return not self.settings.demo

    def alerts(self, scope: Scope) -> AlertStore:
        return self.alert_store(scope)

    def cases(self, scope: Scope) -> CaseReader:
        return SqlCases(scope, self.database, self.signer, self.clock)

    def triage(self, scope: Scope) -> TriageService:
        return TriageService(scope, SqlCaseWriter(scope, self.database, self.clock), self.audit(scope), self.clock)

    def sensors(self, scope: Scope) -> SqlSensors:
        return SqlSensors(scope, self.database)

    def audit(self, scope: Scope) -> AuditLog:
        return SqlAuditLog(scope, self.database, self.clock)

    def form_key(self) -> str:
        return secrets.token_urlsafe(16)

    def delegated(self) -> frozenset[TenantId]:
        return SqlDelegations(self.database, self.clock).delegated()

    def worker(self) -> Worker:
        """Aggregation, timers and audit heads over every tenant."""
        incidents = self.settings.incidents
        everyone = Scope.every_tenant("aggregation", self.tenants.ids())
        rules = Aggregation.of(incidents.gap_hours, incidents.shared.items(), incidents.common_indicators)
        verifier = AuditVerifier(self.database, self.clock)
        return Worker(
            self.alert_store(everyone),
            ArrivalWriter(self.database, self.clock, rules),
            (
                Chore(EVERY_MINUTE, lambda: mark_overdue(self.database, self.clock)),
                Chore(EVERY_HOUR, verifier.record_heads),
                Chore(EVERY_HOUR, lambda: prune(self.database, self.clock)),
            ),
        )

    def ingest(self, arrived: Callable[[], None]) -> Routes:
        limits = self.settings.ingest
        bounds = Limits(limits.lines, limits.line_bytes, limits.wire_bytes, limits.unpacked_bytes)

        def alarm(sensor: Sensor, claimed: str, count: int) -> None:
            scope = Scope.of_sensor(sensor.id, sensor.tenant)
            self.audit(scope).record(
                "ingest.tenant_mismatch", f"{count} × {claimed}", [sensor.tenant], result="refused"
            )

        service = IngestService(
            store=self.alert_store,
            registry=SensorRegistry(self.database, self.clock),
            tenants=self.tenants,
            limits=bounds,
            alarm=alarm,
            arrived=arrived,
        )
        return IngestRoutes(service, bounds, self.clock, Turnstile(limits.waiting)).routes()

    def close(self) -> None:
        self.close_alerts()
        self.database.close()


def open_hub(settings: Settings, clock: Clock, passwords: Passwords) -> Hub:
    """Opens the stores; raises ``BadConfig`` or ``NotMigrated`` saying what to do."""
    directory = settings.storage.directory
    signer = CursorSigner(read_secret(directory))
    database = CaseDatabase.at(directory / "cases.db")
    require_migrated(database)
    municipalities = load_municipalities()
    store, close = _alert_store(settings, signer, clock)
    return Hub(
        settings=settings,
        clock=clock,
        database=database,
        alert_store=store,
        close_alerts=close,
        signer=signer,
        municipalities=municipalities,
        tenants=TenantDirectory.of(municipalities),
        rules=read_pack(settings.rules.pack) if settings.rules.pack else no_pack(),
        sessions=SqlSessions(database, clock, passwords),
    )


def _alert_store(
    settings: Settings, signer: CursorSigner, clock: Clock
) -> tuple[Callable[[Scope], AlertStore], Callable[[], None]]:
    if settings.storage.alerts == "elasticsearch":
        cluster = connect(settings.elasticsearch, clock)
        return lambda scope: ElasticsearchAlertStore(scope, cluster, signer), cluster.client.close
    file = AlertFile(settings.storage.directory / "alerts.db")
    return lambda scope: SqliteAlertStore(scope, file, signer), file.close


def connect(settings: ElasticsearchSettings, clock: Clock) -> Cluster:
    """The configured cluster; raises ``BadConfig`` if its password cannot be read."""
    path = settings.password_file
    if path is None:
        raise BadConfig("elasticsearch.password_file is missing: the password is read from a file")
    try:
        password = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadConfig(f"elasticsearch.password_file {path}: {error.strerror}") from error
    return Cluster.connect(settings.url, settings.ca_file, clock, user=(settings.username, password))


def read_secret(directory: Path) -> bytes:
    """The hub's own secret, made by `migrate`; there is no default one."""
    path = directory / SECRET
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadConfig(f"{path}: {error.strerror}; run `vigla-console migrate` first") from error


def create_app(
    settings: Settings,
    *,
    site: Site | None = None,
    clock: Clock | None = None,
    passwords: Passwords | None = None,
) -> FastAPI:
    """The whole application. Raises ``BadConfig`` if it would be insecure, ``UnguardedRoute`` if a route needs
    nothing.
    """
    settings.refuse_insecure()
    hub = open_hub(settings, clock or SystemClock(), passwords or Passwords())
    worker = hub.worker()
    shown = site or web_site()
    app = FastAPI(
        title="Vigla console",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan(hub, worker),
    )
    app.state.hub = hub
    app.state.worker = worker
    gate = Gate(hub, settings.server.public_url)
    guarded = [
        route
        for table in (_own_routes(app), hub.ingest(worker.ring), api_routes(), *shown.routes)
        for route in table.declared
    ]
    for route in guarded:
        _mount(app, gate, route)
    if shown.static is not None:
        app.mount("/static", StaticFiles(directory=shown.static), name="static")
    Answers(shown, https=not settings.demo).register(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders, https=not settings.demo)
    require_guards(app, guarded)
    return app


def _mount(app: FastAPI, gate: Gate, route: Route) -> None:
    app.add_api_route(
        route.path,
        route.handler,
        methods=[route.method],
        dependencies=[Depends(gate.guard(route))],
        include_in_schema=route.path.startswith(("/api/", "/ingest/")),
        **({"response_model": None} | route.options if not route.path.startswith("/api/") else route.options),
    )


def require_guards(app: FastAPI, guarded: list[Route]) -> None:
    """Raises ``UnguardedRoute`` for whatever answers requests without having declared what it needs."""
    known = {(route.method, route.path) for route in guarded}
    for route in app.routes:
        if isinstance(route, Mount) and route.path == "/static":
            continue
        if not isinstance(route, APIRoute):
            raise UnguardedRoute(f"{route!r} is not in the registry: declare it with `Routes` and the right it needs")
        for method in route.methods or ():
            if (method, route.path) not in known:
                raise UnguardedRoute(f"{method} {route.path} needs no right: declare it with `Routes`")


def _own_routes(app: FastAPI) -> Routes:
    """Health for the machine's supervisor, and the description of the API."""
    routes = Routes()

    @routes.get("/health", needs=Permission.PUBLIC)
    def health(request: Request) -> Response:
        hub: Hub = request.app.state.hub
        everyone = Scope.every_tenant("health", hub.tenants.ids())
        state = hub.alert_store(everyone).health().status
        return no_store({"status": state, "aggregation_failures": request.app.state.worker.failures})

    @routes.get("/api/openapi.json", needs=Permission.SIGNED_IN)
    def openapi(context: Context) -> dict[str, Any]:  # noqa: ARG001  the context is the proof of a session
        return app.openapi()

    return routes


def _lifespan(hub: Hub, worker: Worker) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(hub.close)
            worker.start()
            stack.callback(worker.stop)
            yield

    return run
