"""Compiles the query tree to SQL over `alert a` and `alert_value`: bound parameters only, never a name from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vigla_console.alerts.fields import Field, FieldType
from vigla_console.alerts.indexed import network_range, pack_ip, search_terms
from vigla_console.alerts.models import millis
from vigla_console.alerts.query import (
    AlertQuery,
    All,
    And,
    AnyOf,
    Between,
    Equals,
    Exists,
    InNetwork,
    Not,
    Or,
    Prefix,
    Value,
    Where,
    Words,
)
from vigla_console.tenants.models import TenantId

Bound = str | int | bytes


@dataclass(frozen=True, slots=True)
class Sql:
    """A condition and the values of its question marks, in order."""

    text: str
    bound: tuple[Bound, ...] = ()


def stored(of: Field, value: Value) -> Bound:
    """How a value of ``of`` is kept in `alert_value`."""
    return pack_ip(str(value), of.name) if of.type is FieldType.IP else value


def compile_query(query: AlertQuery, tenants: Sequence[TenantId], field_ids: Mapping[str, int]) -> Sql:
    """The whole condition; ``tenants`` is the Scope already narrowed to the query's municipality."""
    parts = [Sql(f"a.tenant IN ({_marks(len(tenants))})", tuple(tenants))]
    if query.since is not None:
        parts.append(Sql("a.ts >= ?", (millis(query.since),)))
    if query.until is not None:
        parts.append(Sql("a.ts < ?", (millis(query.until),)))
    if query.rule is not None:
        parts.append(Sql("a.rule = ?", (query.rule,)))
    if not isinstance(query.where, All):
        parts.append(_where(query.where, field_ids))
    return _join(" AND ", parts)


def _where(node: Where, ids: Mapping[str, int]) -> Sql:
    match node:
        case All():
            return Sql("1")
        case And(parts):
            return _join(" AND ", [_where(part, ids) for part in parts]) if parts else Sql("1")
        case Or(parts):
            return _join(" OR ", [_where(part, ids) for part in parts]) if parts else Sql("0")
        case Not(part):
            inner = _where(part, ids)
            return Sql(f"({inner.text}) IS NOT TRUE", inner.bound)
        case Words(text):
            return _words(text)
        case _:
            return _leaf(node, ids)


def _leaf(
    node: Equals | AnyOf | Between | InNetwork | Exists | Prefix,
    ids: Mapping[str, int],
) -> Sql:
    of = node.field
    match node:
        case Equals(_, value):
            test = Sql("v.value = ?", (stored(of, value),))
        case AnyOf(_, values):
            test = Sql(f"v.value IN ({_marks(len(values))})", tuple(stored(of, value) for value in values))
        case Between(_, least, most):
            ends = [Sql(f"v.value {sign} ?", (end,)) for sign, end in ((">=", least), ("<=", most)) if end is not None]
            test = _join(" AND ", ends) if ends else Sql("1")
        case InNetwork(_, network):
            test = Sql("v.value BETWEEN ? AND ?", network_range(network))
        case Prefix(_, value):
            test = Sql("v.value >= ? AND substr(v.value, 1, ?) = ?", (value, len(value), value))
        case Exists():
            test = Sql("1")
    text = f"EXISTS (SELECT 1 FROM alert_value v WHERE v.alert = a.id AND v.field = ? AND {test.text})"  # noqa: S608
    return Sql(text, (ids[of.name], *test.bound))


def _words(text: str) -> Sql:
    whole, prefix = search_terms(text)
    terms = [f'"{word}"' for word in whole] + ([f'"{prefix}"*'] if prefix else [])
    if not terms:
        return Sql("1")
    return Sql("a.id IN (SELECT rowid FROM alert_words WHERE alert_words MATCH ?)", (" AND ".join(terms),))


def _join(glue: str, parts: Sequence[Sql]) -> Sql:
    text = glue.join(f"({part.text})" for part in parts)
    return Sql(text, tuple(value for part in parts for value in part.bound))


def _marks(count: int) -> str:
    return ", ".join("?" * count)
