"""The question put to a store: a small frozen tree, checked when it is made, compiled to SQL or to Elasticsearch's
DSL.
"""

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime

from vigla_console.alerts.fields import Field, FieldType
from vigla_console.tenants.models import TenantId

Value = str | int

MOST_NODES = 64
DEEPEST = 8
MOST_VALUES = 1000


class BadQuery(ValueError):
    """The tree is too large, or compares a field with a value of another type."""


@dataclass(frozen=True, slots=True)
class All:
    """Every alert."""


@dataclass(frozen=True, slots=True)
class And:
    parts: "tuple[Where, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    parts: "tuple[Where, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """True where ``part`` is false or the field is missing."""

    part: "Where"


@dataclass(frozen=True, slots=True)
class Equals:
    """Any of the field's values is exactly this."""

    field: Field
    value: Value


@dataclass(frozen=True, slots=True)
class AnyOf:
    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """Integers only, both ends included; None is open."""

    field: Field
    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class InNetwork:
    """Addresses only; IPv4 and IPv4-mapped IPv6 are one."""

    field: Field
    network: str


@dataclass(frozen=True, slots=True)
class Exists:
    field: Field


@dataclass(frozen=True, slots=True)
class Prefix:
    """Keywords only, case counts."""

    field: Field
    value: str


@dataclass(frozen=True, slots=True)
class Words:
    """Every folded word occurs somewhere in the alert; the last one as a prefix from three letters."""

    text: str


Where = All | And | Or | Not | Equals | AnyOf | Between | InNetwork | Exists | Prefix | Words


@dataclass(frozen=True, slots=True)
class AlertQuery:
    """Alerts with ``since <= @timestamp < until``; times aware, cut to milliseconds. Raises ``BadQuery``."""

    since: datetime | None = None
    until: datetime | None = None
    municipality: TenantId | None = None
    rule: str | None = None
    where: Where = field(default_factory=All)

    def __post_init__(self) -> None:
        for instant in (self.since, self.until):
            if instant is not None and instant.tzinfo is None:
                raise BadQuery("times in a query need a zone")
        nodes, values = _measure(self.where, 1)
        if nodes > MOST_NODES:
            raise BadQuery(f"a query of {nodes} nodes: at most {MOST_NODES}")
        if values > MOST_VALUES:
            raise BadQuery(f"a query of {values} values: at most {MOST_VALUES}")


def _measure(node: Where, depth: int) -> tuple[int, int]:
    if depth > DEEPEST:
        raise BadQuery(f"a query deeper than {DEEPEST}")
    match node:
        case And(parts) | Or(parts):
            below = [_measure(part, depth + 1) for part in parts]
            return 1 + sum(n for n, _ in below), sum(v for _, v in below)
        case Not(part):
            nodes, values = _measure(part, depth + 1)
            return 1 + nodes, values
        case Equals(of, value):
            _check_value(of, value)
            return 1, 1
        case AnyOf(of, several):
            for value in several:
                _check_value(of, value)
            return 1, len(several)
        case _:
            _check_leaf(node)
            return 1, 1


def _check_leaf(node: Where) -> None:
    match node:
        case Between(of, _, _):
            _need(of, FieldType.INTEGER, "a range")
        case Prefix(of, _):
            _need(of, FieldType.KEYWORD, "a prefix")
        case InNetwork(of, network):
            _need(of, FieldType.IP, "a network")
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError as error:
                raise BadQuery(f"{network!r} is no network: {error}") from None
        case _:
            pass


def _need(of: Field, wanted: FieldType, what: str) -> None:
    if of.type is not wanted:
        raise BadQuery(f"{what} needs a field of type {wanted}; {of.name} is {of.type}")


def _check_value(of: Field, value: Value) -> None:
    if of.type is FieldType.INTEGER:
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadQuery(f"{of.name} is compared with numbers, not with {value!r}")
        return
    if not isinstance(value, str):
        raise BadQuery(f"{of.name} is compared with text, not with {value!r}")
    if of.type is FieldType.IP:
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise BadQuery(f"{value!r} is no address; for a range use a network") from None
