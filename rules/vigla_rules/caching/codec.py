"""Drafts of one file ↔ JSON. Nothing is unpickled: what is read back can only become drafts, findings and text.

Expressions stand in one table, children before parents, so that what a selection shares with its condition is shared
again after reading. The path as findings print it is left out: the same file may be compiled from elsewhere.
"""

import json
from dataclasses import fields, is_dataclass
from typing import cast

from vigla_rules.drafts import (
    CorrelationDraft,
    Draft,
    FileDrafts,
    FilterDraft,
    LogSource,
    Metadata,
    Placed,
    RuleDraft,
)
from vigla_rules.expressions import And, Expression, Not, Or, Predicate
from vigla_rules.findings import At, Finding

_CLASSES = {
    kind.__name__: kind for kind in (CorrelationDraft, FilterDraft, Finding, LogSource, Metadata, Placed, RuleDraft)
}
_PLACED = ("Finding", "Placed")
"""Classes whose first field is the path."""
_NAMES = {name: tuple(each.name for each in fields(kind)) for name, kind in _CLASSES.items()}


def encode(found: FileDrafts) -> bytes:
    """The drafts and findings of one file; ``decode`` gives them back equal."""
    table = _Table()
    drafts = [_frozen(draft, table) for draft in found.drafts]
    findings = [_frozen(finding, table) for finding in found.findings]
    return json.dumps([table.rows, drafts, findings], separators=(",", ":")).encode()


def decode(data: bytes, path: str) -> FileDrafts:
    """What was encoded, seen under ``path``. Raises ``ValueError`` for anything else."""
    try:
        rows, drafts, findings = json.loads(data)
        table = _expressions(rows)
        return FileDrafts(
            cast("list[Draft]", [_thawed(draft, table, path) for draft in drafts]),
            cast("list[Finding]", [_thawed(finding, table, path) for finding in findings]),
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


class _Table:
    """Expressions by index, each object once."""

    def __init__(self) -> None:
        self.rows: list[list[object]] = []
        self._at: dict[int, int] = {}

    def add(self, expression: Expression) -> int:
        if id(expression) not in self._at:
            match expression:
                case Predicate():
                    row: list[object] = ["p", expression.op, expression.field, _plain(expression.arguments)]
                case Not():
                    row = ["n", self.add(expression.child)]
                case And() | Or():
                    kind = "a" if isinstance(expression, And) else "o"
                    row = [kind, *(self.add(child) for child in expression.children)]
            self._at[id(expression)] = len(self.rows)
            self.rows.append(row)
        return self._at[id(expression)]


def _plain(value: object) -> object:
    return [_plain(member) for member in value] if isinstance(value, tuple) else value


def _frozen(value: object, table: _Table) -> object:
    if isinstance(value, tuple):
        return [_frozen(member, table) for member in value]
    if isinstance(value, Predicate | And | Or | Not):
        return {"e": table.add(value)}
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        members = [_frozen(getattr(value, name), table) for name in _NAMES[kind]]
        return {"c": kind, "v": members[1:] if kind in _PLACED else members}
    return value


def _expressions(rows: list[list[object]]) -> list[Expression]:
    table: list[Expression] = []
    for kind, *content in rows:
        if kind == "p":
            op, field, arguments = content
            table.append(Predicate(op, field, _tuples(arguments)))  # type: ignore[arg-type]
        elif kind == "n":
            table.append(Not(table[content[0]]))  # type: ignore[call-overload]
        else:
            children = tuple([table[at] for at in content])  # type: ignore[call-overload]
            table.append(And(children) if kind == "a" else Or(children))
    return table


def _tuples(value: list[object]) -> tuple[object, ...]:
    return tuple([_tuples(member) if type(member) is list else member for member in value])


def _lines(rows: list[tuple[list[str | int], int, int]]) -> tuple[tuple[At, int, int], ...]:
    return tuple([(tuple(at), line, column) for at, line, column in rows])


def _thawed(value: object, table: list[Expression], path: str) -> object:
    if type(value) is list:
        return tuple([_thawed(member, table, path) if type(member) in (list, dict) else member for member in value])
    if type(value) is not dict:
        return value
    if (at := value.get("e")) is not None:
        return table[at]
    name = value["c"]
    if name == "Placed":  # the longest one: only numbers and keys below
        return Placed(path, _lines(value["v"][0]))
    members = [_thawed(m, table, path) if type(m) in (list, dict) else m for m in value["v"]]
    return _CLASSES[name](*([path] if name in _PLACED else []), *members)  # type: ignore[arg-type]
