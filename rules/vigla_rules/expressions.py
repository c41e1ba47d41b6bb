"""Conditions as our own types: what stands right behind pySigma's parser. No pySigma object goes beyond here."""

from collections.abc import Iterator
from dataclasses import dataclass

Argument = str | bool | int | tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Predicate:
    """One test on one field (``None``: on any value of the event).

    ``arguments`` are the further keys of a predicate in ``rules.json``, in the order they are written; a ``fieldref``
    names its other field by name here, by index there.
    """

    op: str
    field: str | None
    arguments: tuple[tuple[str, Argument], ...] = ()


@dataclass(frozen=True, slots=True)
class And:
    """All of them hold."""

    children: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of them holds."""

    children: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    child: "Expression"


Expression = Predicate | And | Or | Not


def all_of(children: list[Expression]) -> Expression:
    """Conjunction, flattened, equal members once, in their order."""
    return _joined(And, children)


def any_of(children: list[Expression]) -> Expression:
    """Disjunction, flattened, equal members once, in their order."""
    return _joined(Or, children)


def predicates(expression: Expression) -> Iterator[Predicate]:
    """Every predicate below, left to right."""
    if isinstance(expression, Predicate):
        yield expression
    elif isinstance(expression, Not):
        yield from predicates(expression.child)
    else:
        for child in expression.children:
            yield from predicates(child)


def size(expression: Expression) -> int:
    """Number of nodes."""
    if isinstance(expression, Predicate):
        return 1
    if isinstance(expression, Not):
        return 1 + size(expression.child)
    return 1 + sum(size(child) for child in expression.children)


def _joined(kind: type[And] | type[Or], children: list[Expression]) -> Expression:
    members: dict[Expression, None] = {}
    for child in children:
        if isinstance(child, kind):
            members.update(dict.fromkeys(child.children))
        else:
            members[child] = None
    if len(members) == 1:
        return next(iter(members))
    return kind(tuple(members))
