"""TOML to `Settings`: types are read from the dataclasses, an unknown key is an error that names the nearest."""

import dataclasses
import difflib
import ipaddress
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from vigla_sensor.config.errors import ConfigError, Place
from vigla_sensor.config.secrets import SecretRef
from vigla_sensor.config.settings import Settings

_T = typing.TypeVar("_T")
_TENANT = re.compile(r"[a-z][a-z0-9_]{1,39}")
_SENSOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_MIN_SPOOL_BYTES = 1024 * 1024
_MOST_VLAN = 4094


def load(path: Path) -> Settings:
    """Reads and checks a configuration file. Relative paths in it are relative to the file's folder.

    Raises `ConfigError` for everything that is wrong with it, the file's absence included.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Place(str(path), 0, ""), f"cannot be read: {error}") from error
    return parse(text, str(path), path.resolve().parent)


def parse(text: str, file: str = "sensor.toml", base: Path | None = None) -> Settings:
    """Reads and checks a configuration's text; `file` is for messages, `base` for relative paths."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise ConfigError(Place(file, int(line[1]) if line else 0, ""), f"not valid TOML: {error}") from error
    reader = _Reader(text, file, base or Path())
    settings = reader.table(Settings, document, ())
    reader.check(settings)
    return settings


@dataclasses.dataclass(frozen=True, slots=True)
class _Reader:
    text: str
    file: str
    base: Path

    def place(self, key: tuple[str, ...]) -> Place:
        """The line of a key: the first that assigns its last part after the last table header that leads to it."""
        leaf = next((part for part in reversed(key) if not part.startswith("[")), "")
        parents = [part for part in key[:-1] if not part.startswith("[")]
        found, inside = 0, not parents
        assign = re.compile(rf"\s*[\"']?{re.escape(leaf)}[\"']?\s*=|.*[{{,]\s*{re.escape(leaf)}\s*=")
        header = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+")
        for number, line in enumerate(self.text.splitlines(), 1):
            if match := header.match(line):
                name = match[1].split(".")
                inside = name == parents[: len(name)]
                if name == [*parents, leaf]:
                    found = found or number
            elif inside and assign.match(line):
                found = found or number
        return Place(self.file, found, ".".join(key).replace(".[", "["))

    def fail(self, key: tuple[str, ...], problem: str) -> ConfigError:
        return ConfigError(self.place(key), problem)

    def table(self, kind: type[_T], value: object, key: tuple[str, ...]) -> _T:
        if not isinstance(value, dict):
            raise self.fail(key, f"must be a table, not {_named(value)}")
        hints = typing.get_type_hints(kind)
        fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        for name in value:
            if name not in fields:
                near = difflib.get_close_matches(name, fields, 1, 0.5)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(sorted(fields))}"
                raise self.fail((*key, name), f"unknown key{hint}")
        read = {name: self.value(hints[name], found, (*key, name)) for name, found in value.items()}
        for name, field in fields.items():
            required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            if required and name not in read:
                where = ".".join(key) or "the file"
                raise ConfigError(
                    Place(self.file, self.place(key).line if key else 0, ".".join((*key, name))),
                    f"is missing: add it to {where}",
                )
        return kind(**read)

    def value(self, hint: object, value: object, key: tuple[str, ...]) -> object:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is types.UnionType or origin is typing.Union:
            return self.value(next(kind for kind in arguments if kind is not type(None)), value, key)
        if origin is tuple:
            if not isinstance(value, list):
                raise self.fail(key, f"must be a list, not {_named(value)}")
            return tuple(self.value(arguments[0], item, (*key, f"[{index}]")) for index, item in enumerate(value))
        if origin is dict:
            if not isinstance(value, dict):
                raise self.fail(key, f"must be a table, not {_named(value)}")
            return {name: self.value(arguments[1], item, (*key, name)) for name, item in value.items()}
        if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint is not SecretRef:
            return self.table(hint, value, key)
        return self.scalar(hint, value, key)

    def scalar(self, hint: object, value: object, key: tuple[str, ...]) -> object:
        if hint is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if hint in (Path, SecretRef):
            if not isinstance(value, str) or not value:
                raise self.fail(key, f"must be text, not {_named(value)}")
            try:
                return self.base / value if hint is Path else self._secret(value)
            except ValueError as error:
                raise self.fail(key, str(error)) from error
        if not isinstance(hint, type) or type(value) is not hint:
            raise self.fail(key, f"must be {_NAMES.get(hint, str(hint))}, not {_named(value)}")
        return value

    def _secret(self, text: str) -> SecretRef:
        found = SecretRef.parse(text)
        return SecretRef("file", str(self.base / found.name)) if found.kind == "file" else found

    def check(self, settings: Settings) -> None:
        """What types do not say."""
        identity, spool, sinks = settings.sensor, settings.spool, settings.sinks
        self._when(
            not _SENSOR.fullmatch(identity.id),
            ("sensor", "id"),
            f"{identity.id!r} must be 1 to 64 letters, digits, '.', '_' or '-'",
        )
        self._when(
            not _TENANT.fullmatch(identity.organization.id),
            ("sensor", "organization", "id"),
            f"{identity.organization.id!r} must match [a-z][a-z0-9_]{{1,39}}: never a hyphen, use '_'",
        )
        for index, network in enumerate(identity.local_networks):
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise self.fail(("sensor", "local_networks", f"[{index}]"), f"{error}") from error
        for index, interface in enumerate(settings.interfaces):
            wrong = [vlan for vlan in interface.vlans if not 1 <= vlan <= _MOST_VLAN]
            self._when(bool(wrong), ("interfaces", f"[{index}]", "vlans"), f"{wrong} must lie from 1 to {_MOST_VLAN}")
        self._when(spool.max_bytes < _MIN_SPOOL_BYTES, ("spool", "max_bytes"), f"must be at least {_MIN_SPOOL_BYTES}")
        for name in ("min_free_bytes", "ballast_bytes", "dead_bytes"):
            self._when(getattr(spool, name) < 0, ("spool", name), "must not be negative")
        self._when(settings.lateness_ms < 0, ("lateness_ms",), "must not be negative")
        self._when(settings.heartbeat_seconds < 1, ("heartbeat_seconds",), "must be at least 1")
        for name, sink in (("hub", sinks.hub), ("elasticsearch", sinks.elasticsearch)):
            if sink is not None:
                self._when(sink.timeout_seconds <= 0, ("sinks", name, "timeout_seconds"), "must be positive")
                self._url(sink.url, ("sinks", name, "url"))

    def _when(self, wrong: bool, key: tuple[str, ...], problem: str) -> None:
        if wrong:
            raise self.fail(key, problem)

    def _url(self, url: str, key: tuple[str, ...]) -> None:
        parts = urlsplit(url)
        self._when(
            parts.scheme not in ("http", "https") or not parts.hostname,
            key,
            f"{url!r} must be an address such as https://hub.example:8443",
        )
        self._when(
            parts.username is not None or parts.password is not None,
            key,
            "holds a user or password: name a file with the credential instead",
        )
        self._when(
            parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"),
            key,
            f"{url!r} is not encrypted; plain http is accepted for this machine's own loopback only",
        )


_NAMES: Mapping[object, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _named(value: object) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (int, "a whole number"),
        (float, "a number"),
        (str, "text"),
        (list, "a list"),
        (dict, "a table"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)
