"""What `vigla-console demo` prepares: stores, two log-ins, a sensor for each demo town. Passwords are new each time."""

import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from vigla_console.app import SECRET
from vigla_console.clock import Clock
from vigla_console.config import RulesSettings, ServerSettings, Settings, StorageSettings
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.migrate import migrate
from vigla_console.incidents.storage.delegations import SqlDelegations
from vigla_console.people.passwords import Passwords
from vigla_console.people.storage import SqlAccounts
from vigla_console.sensors.storage import SensorRegistry
from vigla_console.tenants.models import Binding, Role, TenantId

TOWNS = tuple(TenantId(town) for town in ("kalamata", "mytilini", "orestiada", "petroupoli"))
DELEGATING = TenantId("petroupoli")  # a large suburb that lets the centre close for it
OFFICERS_TOWN = TenantId("orestiada")
OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR


@dataclass(frozen=True, slots=True)
class Login:
    role: str
    login: str
    password: str


def demo_settings(directory: Path, port: int, pack: Path | None) -> Settings:
    """Loopback, embedded stores, no TLS: what no real hub starts with."""
    return Settings(
        server=ServerSettings(host="127.0.0.1", port=port),
        storage=StorageSettings(directory=directory),
        rules=RulesSettings(pack=pack),
        demo=True,
    )


def make_secret(directory: Path) -> None:
    """The hub's own secret, once; readable by its owner only."""
    path = directory / SECRET
    if not path.exists():
        path.touch(mode=OWNER_ONLY)
        path.write_bytes(secrets.token_bytes(32))


def prepare(directory: Path, clock: Clock, passwords: Passwords) -> list[Login]:
    """Fills an empty directory: `logins.txt`, `credentials/<town>-1`, cases.db. An existing demo gets new passwords."""
    directory.mkdir(parents=True, exist_ok=True)
    make_secret(directory)
    database = CaseDatabase.at(directory / "cases.db")
    migrate(database)
    accounts, registry = SqlAccounts(database, clock, passwords), SensorRegistry(database, clock)
    known = {user.login for user in accounts.all()}
    logins = []
    for login, name, role, binding in (
        ("officer", "Μαρία Παπαδοπούλου", "municipal officer of Ορεστιάδα", Binding(Role.OFFICER, OFFICERS_TOWN)),
        ("analyst", "Νίκος Γεωργίου", "analyst of the central SOC", Binding(Role.ANALYST)),
    ):
        password = secrets.token_urlsafe(12)
        if login in known:
            accounts.set_password(login, password)
        else:
            accounts.add(login, name, password, [binding], "el")
        logins.append(Login(role, login, password))
    SqlDelegations(database, clock).set(DELEGATING, on=True)
    folder = directory / "credentials"
    folder.mkdir(exist_ok=True)
    for town in TOWNS:
        path = folder / f"{town}-1"
        if not path.exists():
            path.touch(mode=OWNER_ONLY)
            path.write_text(registry.add(f"{town}-1", town))
    path = directory / "logins.txt"
    path.touch(mode=OWNER_ONLY)
    path.write_text("".join(f"  {one.login:<10} {one.password:<20} {one.role}\n" for one in logins))
    database.close()
    return logins
