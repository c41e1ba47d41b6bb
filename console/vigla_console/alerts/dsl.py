"""Compiles the query tree to Elasticsearch's DSL. Pure; no tenant is in it: the index names of the Scope are."""

from typing import Any

from vigla_console.alerts.indexed import search_terms
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
    Where,
    Words,
)

SEARCH_TEXT = "vigla.search_text"
NONE: dict[str, Any] = {"match_none": {}}
EVERY: dict[str, Any] = {"match_all": {}}

Clause = dict[str, Any]


def compile_query(query: AlertQuery) -> Clause:
    """A `bool` of filters: nothing is scored."""
    filters: list[Clause] = []
    times: dict[str, Any] = {}
    if query.since is not None:
        times["gte"] = millis(query.since)
    if query.until is not None:
        times["lt"] = millis(query.until)
    if times:
        filters.append({"range": {"@timestamp": {**times, "format": "epoch_millis"}}})
    if query.rule is not None:
        filters.append({"term": {"rule.uuid": query.rule}})
    if not isinstance(query.where, All):
        filters.append(_where(query.where))
    return {"bool": {"filter": filters}} if filters else EVERY


def _where(node: Where) -> Clause:
    match node:
        case All():
            return EVERY
        case And(parts):
            return {"bool": {"filter": [_where(part) for part in parts]}} if parts else EVERY
        case Or(parts):
            return {"bool": {"should": [_where(part) for part in parts], "minimum_should_match": 1}} if parts else NONE
        case Not(part):
            return {"bool": {"must_not": [_where(part)]}}
        case Words(text):
            return _words(text)
        case _:
            return _leaf(node)


def _leaf(node: Equals | AnyOf | Between | InNetwork | Exists | Prefix) -> Clause:
    name = node.field.name
    match node:
        case Equals(_, value):
            return {"term": {name: value}}
        case AnyOf(_, values):
            return {"terms": {name: list(values)}} if values else NONE
        case Between(_, least, most):
            ends = {sign: end for sign, end in (("gte", least), ("lte", most)) if end is not None}
            return {"range": {name: ends}} if ends else {"exists": {"field": name}}
        case InNetwork(_, network):
            return {"term": {name: network}}
        case Prefix(_, value):
            return {"prefix": {name: value}} if value else {"exists": {"field": name}}
        case Exists():
            return {"exists": {"field": name}}


def _words(text: str) -> Clause:
    whole, prefix = search_terms(text)
    parts: list[Clause] = [{"term": {SEARCH_TEXT: word}} for word in whole]
    if prefix:
        parts.append({"prefix": {SEARCH_TEXT: prefix}})
    return {"bool": {"filter": parts}} if parts else EVERY
