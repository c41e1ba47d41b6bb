"""The console's one TOML file as frozen, checked objects. An unknown key is an error with the nearest known one.

Secrets are files, never values. Nothing is opened here but the TOML file itself.
"""

import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_type_hints


class BadConfig(ValueError):
    """A setting is unknown, missing, of the wrong type, or forbidden together with another."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the hub listens. Outside the demo it needs TLS: its own certificate, or a proxy on the same machine."""

    host: str = "127.0.0.1"
    port: int = 8443
    public_url: str = ""  # as browsers see it, https://vigla.example; checked against `Origin`
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    behind_tls_proxy: bool = False


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """``directory`` holds cases.db, alerts.db and secret.key; `alerts` chooses the store."""

    directory: Path = Path("/var/lib/vigla-console")
    alerts: str = "sqlite"


@dataclass(frozen=True, slots=True)
class ElasticsearchSettings:
    """An existing cluster, 8.19 or 9. The password is read from a file at start."""

    url: str = ""
    ca_file: Path | None = None
    username: str = "vigla_hub"
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class RulesSettings:
    """The pack whose texts are shown; without one, alerts show only what their documents carry."""

    pack: Path | None = None


@dataclass(frozen=True, slots=True)
class IncidentSettings:
    """``gap_hours`` parts groups; ``shared`` lists, per tenant, hosts and addresses that never join incidents."""

    gap_hours: int = 24
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    common_indicators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Limits of `/ingest/v1/alerts` (delivery.md 5) and the bound of what waits for the one writer."""

    lines: int = 500
    line_bytes: int = 256 * 1024
    wire_bytes: int = 1_000_000
    unpacked_bytes: int = 8_000_000
    waiting: int = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything. ``demo`` is set by the command line only, never by the file."""

    server: ServerSettings = ServerSettings()
    storage: StorageSettings = StorageSettings()
    elasticsearch: ElasticsearchSettings = ElasticsearchSettings()
    rules: RulesSettings = RulesSettings()
    incidents: IncidentSettings = IncidentSettings()
    ingest: IngestSettings = IngestSettings()
    demo: bool = False

    def refuse_insecure(self) -> None:
        """Raises ``BadConfig`` naming the first reason why this must not face anybody."""
        loopback = is_loopback(self.server.host)
        if self.demo:
            if not loopback:
                raise BadConfig(f"the demo listens on loopback only, not on {self.server.host}")
            return
        if self.storage.alerts not in ("sqlite", "elasticsearch"):
            raise BadConfig(f'storage.alerts = "{self.storage.alerts}": use "sqlite" or "elasticsearch"')
        if self.server.behind_tls_proxy:
            if not loopback:
                raise BadConfig("server.behind_tls_proxy needs server.host = 127.0.0.1: the proxy is on this machine")
        elif self.server.tls_certificate is None or self.server.tls_key is None:
            raise BadConfig("no TLS: set server.tls_certificate and server.tls_key, or server.behind_tls_proxy = true")
        if not self.server.public_url.startswith("https://"):
            raise BadConfig("server.public_url must be the https:// address that browsers use")
        if self.storage.alerts == "elasticsearch":
            self._refuse_elasticsearch()

    def _refuse_elasticsearch(self) -> None:
        if not self.elasticsearch.url.startswith("https://"):
            raise BadConfig("elasticsearch.url must start with https://")
        if self.elasticsearch.password_file is None:
            raise BadConfig("elasticsearch.password_file is missing: the password is read from a file")


def is_loopback(host: str) -> bool:
    """Whether ``host`` is a loopback address; a name other than localhost is not."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_settings(path: Path) -> Settings:
    """Raises ``BadConfig`` saying file, key and what to do."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(f"{path}: {error}") from error
    if "demo" in document:
        raise BadConfig(f"{path}: demo is a command (`vigla-console demo`), not a setting")
    settings: Settings = _build(Settings, document, str(path), "")
    return settings


def _build(kind: type[Any], table: Mapping[str, Any], where: str, prefix: str) -> Any:
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known here: {', '.join(sorted(known))}"
            raise BadConfig(f"{where}: unknown key {prefix}{key}; {hint}")
    values = {}
    for name, declared in known.items():
        if name in table:
            values[name] = _value(hints[name], table[name], where, prefix + name)
        elif declared.default is MISSING and declared.default_factory is MISSING:
            raise BadConfig(f"{where}: {prefix}{name} is missing")
    return kind(**values)


def _value(hint: Any, value: Any, where: str, name: str) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise BadConfig(f"{where}: {name} must be a table")
        return _build(hint, value, where, f"{name}.")
    if hint is Path or Path in get_args(hint):
        wanted, made = str, Path
    elif hint == tuple[str, ...]:
        return _texts(value, where, name)
    elif hint == Mapping[str, tuple[str, ...]]:
        if not isinstance(value, dict):
            raise BadConfig(f"{where}: {name} must be a table of lists")
        return {key: _texts(inner, where, f"{name}.{key}") for key, inner in value.items()}
    else:
        wanted, made = hint, hint
    if type(value) is not wanted:
        raise BadConfig(f"{where}: {name} must be {_WORDS[wanted]}, not {value!r}")
    return made(value)


def _texts(value: Any, where: str, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadConfig(f"{where}: {name} must be a list of text")
    return tuple(value)


_WORDS = {str: "text", int: "a whole number", bool: "true or false"}
