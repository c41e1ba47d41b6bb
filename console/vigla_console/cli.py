"""`vigla-console`: serve, migrate, demo, user, tenant, sensor, verify-audit, elasticsearch. Exit codes: 0 fine, 1
findings, 2 usage.
"""

import argparse
import getpass
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from vigla_console.alerts.elasticsearch import Cluster
from vigla_console.alerts.elasticsearch_setup import check, setup, templates_folder
from vigla_console.alerts.interfaces import StoreUnavailable
from vigla_console.app import connect, create_app
from vigla_console.audit.storage import AuditVerifier
from vigla_console.clock import SystemClock
from vigla_console.config import BadConfig, Settings, read_settings
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.migrate import NotMigrated, migrate, require_migrated
from vigla_console.demo import demo_settings, make_secret, prepare
from vigla_console.errors import NotFound, Refused
from vigla_console.incidents.storage.delegations import SqlDelegations
from vigla_console.people.passwords import Passwords
from vigla_console.people.storage import SqlAccounts
from vigla_console.rules.pack import BadPack
from vigla_console.scope import Scope
from vigla_console.sensors.storage import SensorRegistry, SqlSensors
from vigla_console.tenants.models import Binding, Role, TenantId, tenant_id
from vigla_console.tenants.municipalities import load

DEFAULT_CONFIG = Path("/etc/vigla/console.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; says what went wrong on standard error."""
    parsed = _parser().parse_args(arguments, argparse.Namespace(config=DEFAULT_CONFIG))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    run: Callable[[argparse.Namespace], int] = parsed.run
    try:
        return run(parsed)
    except (BadConfig, NotMigrated, BadPack, Refused, NotFound, StoreUnavailable, ValueError, OSError) as error:
        print(f"vigla-console: {error}", file=sys.stderr)
        return 2


def _serve(parsed: argparse.Namespace) -> int:
    settings = read_settings(parsed.config)
    settings.refuse_insecure()
    _run(settings)
    return 0


def _run(settings: Settings) -> None:
    server = settings.server
    uvicorn.run(
        create_app(settings),
        host=server.host,
        port=server.port,
        ssl_certfile=str(server.tls_certificate) if server.tls_certificate else None,
        ssl_keyfile=str(server.tls_key) if server.tls_key else None,
        server_header=False,
        proxy_headers=server.behind_tls_proxy,
        forwarded_allow_ips="127.0.0.1",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=10,
    )


def _migrate(parsed: argparse.Namespace) -> int:
    directory = read_settings(parsed.config).storage.directory
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_secret(directory)
    print(f"case database is at {migrate(CaseDatabase.at(directory / 'cases.db'))}")
    return 0


def _demo(parsed: argparse.Namespace) -> int:
    settings = demo_settings(parsed.data, parsed.port, parsed.pack)
    settings.refuse_insecure()
    for login in prepare(parsed.data, SystemClock(), Passwords()):
        print(f"  {login.login:<10} {login.password:<20} {login.role}", flush=True)
    print(f"  http://127.0.0.1:{parsed.port}", flush=True)
    _run(settings)
    return 0


def _database(parsed: argparse.Namespace) -> CaseDatabase:
    path = read_settings(parsed.config).storage.directory / "cases.db"
    if not path.exists():
        raise NotMigrated(f"{path} does not exist: run `vigla-console migrate`")
    database = CaseDatabase.at(path)
    require_migrated(database)
    return database


def _user_add(parsed: argparse.Namespace) -> int:
    accounts = SqlAccounts(_database(parsed), SystemClock(), Passwords())
    bindings = [_binding(text) for text in parsed.role]
    password = parsed.password_file.read_text().strip() if parsed.password_file else getpass.getpass("password: ")
    user = accounts.add(parsed.login, parsed.name or parsed.login, password, bindings, parsed.language)
    print(f"{user.login}: {', '.join(parsed.role)}")
    return 0


def _binding(text: str) -> Binding:
    role, _, tenant = text.partition("@")
    try:
        wanted = Role(role)
    except ValueError:
        raise Refused(f"no role {role!r}: {', '.join(Role)}") from None
    return Binding(wanted, _known_tenant(tenant)) if tenant else Binding(wanted)


def _known_tenant(text: str) -> TenantId:
    if load().get(text) is None:
        raise Refused(f"no tenant {text!r}: `vigla-console tenant find {text}` looks for it by name")
    return tenant_id(text)


def _user_list(parsed: argparse.Namespace) -> int:
    for user in SqlAccounts(_database(parsed), SystemClock(), Passwords()).all():
        roles = ", ".join(f"{b.role}@{b.tenant}" if b.tenant else b.role.value for b in user.bindings)
        print(f"{user.login:<24} {user.name:<32} {roles}{' (disabled)' if user.disabled else ''}")
    return 0


def _tenant_list(parsed: argparse.Namespace) -> int:
    del parsed
    for one in load():
        print(f"{one.id:<32} {one.elstat_code}  {one.name_el}")
    return 0


def _tenant_find(parsed: argparse.Namespace) -> int:
    found = load().find(parsed.text)
    for one in found:
        print(f"{one.id:<32} {one.elstat_code}  {one.name_el} ({one.region})")
    return 0 if found else 1


def _tenant_delegate(parsed: argparse.Namespace) -> int:
    tenant = _known_tenant(parsed.tenant)
    SqlDelegations(_database(parsed), SystemClock()).set(tenant, on=not parsed.revoke)
    print(
        f"{tenant}: the centre {'no longer closes' if parsed.revoke else 'may close'} its alerts, critical ones never"
    )
    return 0


def _sensor_add(parsed: argparse.Namespace) -> int:
    tenant = _known_tenant(parsed.tenant)
    credential = SensorRegistry(_database(parsed), SystemClock()).add(parsed.sensor, tenant)
    print(f"{parsed.sensor} of {tenant}. Its credential, shown only now:", file=sys.stderr)
    print(credential)
    return 0


def _sensor_rotate(parsed: argparse.Namespace) -> int:
    print(SensorRegistry(_database(parsed), SystemClock()).rotate(parsed.sensor))
    return 0


def _sensor_list(parsed: argparse.Namespace) -> int:
    clock = SystemClock()
    everyone = Scope.every_tenant("sensor list", [tenant_id(one.id) for one in load()])
    for sensor in SqlSensors(everyone, _database(parsed)).sensors():
        print(f"{sensor.id:<32} {sensor.tenant:<24} {sensor.state(clock.now())}")
    return 0


def _verify_audit(parsed: argparse.Namespace) -> int:
    faults = AuditVerifier(_database(parsed), SystemClock()).faults()
    if parsed.json:
        print(json.dumps({"faults": faults}, ensure_ascii=False))
    else:
        print("\n".join(faults) or "every chain of the audit log holds")
    return 1 if faults else 0


def _cluster(parsed: argparse.Namespace) -> Cluster:
    settings = read_settings(parsed.config)
    if not settings.elasticsearch.url.startswith("https://"):
        raise BadConfig(f"{parsed.config}: elasticsearch.url must start with https://")
    return connect(settings.elasticsearch, SystemClock())


def _elasticsearch_setup(parsed: argparse.Namespace) -> int:
    for path in setup(_cluster(parsed), parsed.templates):
        print(f"put {path}")
    return 0


def _elasticsearch_check(parsed: argparse.Namespace) -> int:
    findings = check(_cluster(parsed), parsed.templates)
    if parsed.json:
        print(json.dumps({"findings": findings}, ensure_ascii=False))
    else:
        print("\n".join(findings) or "Elasticsearch is set up and has room")
    return 1 if findings else 0


class _Words(argparse.ArgumentParser):
    """Takes `--config` before and after the command's words alike."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.add_argument("--config", type=Path, default=argparse.SUPPRESS, help=f"default {DEFAULT_CONFIG}")


def _parser() -> argparse.ArgumentParser:
    parser = _Words(prog="vigla-console", description="Vigla's hub.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text)
        made.set_defaults(run=run)
        return made

    command("serve", _serve, "run the hub")
    command("migrate", _migrate, "make or update the case database and the hub's secret")
    demo = command("demo", _demo, "a hub on loopback with two log-ins and four towns' sensors")
    demo.add_argument("--data", type=Path, required=True, metavar="DIR")
    demo.add_argument("--port", type=int, default=8443)
    demo.add_argument("--pack", type=Path)
    verify = command("verify-audit", _verify_audit, "check every chain of the audit log")
    verify.add_argument("--json", action="store_true")
    _groups(commands)
    return parser


def _groups(commands: "argparse._SubParsersAction[_Words]") -> None:
    def under(name: str, text: str) -> "argparse._SubParsersAction[_Words]":
        return commands.add_parser(name, help=text).add_subparsers(required=True, metavar="COMMAND")

    user = under("user", "accounts")
    add = user.add_parser("add", help="a new account; its password is asked for")
    add.set_defaults(run=_user_add)
    add.add_argument("login")
    add.add_argument("--name", default="")
    add.add_argument("--language", choices=("el", "en"), default="el")
    add.add_argument(
        "--role", action="append", required=True, metavar="ROLE[@TENANT]", help="more than once if need be"
    )
    add.add_argument("--password-file", type=Path)
    user.add_parser("list").set_defaults(run=_user_list)
    tenant = under("tenant", "municipalities")
    tenant.add_parser("list").set_defaults(run=_tenant_list)
    find = tenant.add_parser("find", help="by name, code or id")
    find.set_defaults(run=_tenant_find)
    find.add_argument("text")
    delegate = tenant.add_parser("delegate", help="let the centre close for a municipality")
    delegate.set_defaults(run=_tenant_delegate)
    delegate.add_argument("tenant")
    delegate.add_argument("--revoke", action="store_true")
    sensor = under("sensor", "sensors and their credentials")
    enrol = sensor.add_parser("add", help="prints the credential, once")
    enrol.set_defaults(run=_sensor_add)
    enrol.add_argument("sensor")
    enrol.add_argument("--tenant", required=True)
    rotate = sensor.add_parser("rotate", help="a new credential; the old one ends at once")
    rotate.set_defaults(run=_sensor_rotate)
    rotate.add_argument("sensor")
    sensor.add_parser("list").set_defaults(run=_sensor_list)
    cluster = under("elasticsearch", "an existing cluster as alert store")
    for name, run, text in (
        ("setup", _elasticsearch_setup, "apply the index templates"),
        ("check", _elasticsearch_check, "templates, closed indices, shard budget"),
    ):
        made = cluster.add_parser(name, help=text)
        made.set_defaults(run=run)
        made.add_argument("--templates", type=Path, default=templates_folder(), help="default %(default)s")
        made.add_argument("--json", action="store_true")
