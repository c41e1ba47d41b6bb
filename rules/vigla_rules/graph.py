"""Expressions → predicates and nodes, each distinct one once (hash-consed), children before parents."""

from collections.abc import Iterable

from vigla_rules.expressions import And, Expression, Not, Or, Predicate


class Graph:
    """Collects the predicates and nodes of a pack."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, object]] = []
        self._predicate_at: dict[Predicate, int] = {}
        self._node_at: dict[tuple[str, object], int] = {}
        self._seen: dict[int, tuple[Expression, int]] = {}  # by identity: selections share parts with their condition

    def add(self, expression: Expression) -> int:
        """Index of the node that stands for ``expression``."""
        if (before := self._seen.get(id(expression))) is not None:
            return before[1]
        match expression:
            case Predicate():
                at = self._node("p", self._predicate_at.setdefault(expression, len(self._predicate_at)))
            case Not():
                at = self._node("not", self.add(expression.child))
            case And():
                at = self._node("and", tuple([self.add(child) for child in expression.children]))
            case Or():
                at = self._node("or", tuple([self.add(child) for child in expression.children]))
        self._seen[id(expression)] = expression, at
        return at

    def field_names(self, more: Iterable[str]) -> list[str]:
        """Every field that a predicate asks, and ``more``, sorted."""
        names = {test.field for test in self._predicate_at if test.field is not None}
        others = {str(dict(test.arguments)["other"]) for test in self._predicate_at if test.op == "fieldref"}
        return sorted({*names, *others, *more})

    def predicates(self, fields: list[str]) -> list[dict[str, object]]:
        """The predicates as ``rules.json`` holds them, fields by their index."""
        index = {name: at for at, name in enumerate(fields)}
        return [_written(test, index) for test in self._predicate_at]

    def _node(self, kind: str, content: int | tuple[int, ...]) -> int:
        key = (kind, content)
        at = self._node_at.setdefault(key, len(self.nodes))
        if at == len(self.nodes):
            self.nodes.append({kind: list(content) if isinstance(content, tuple) else content})
        return at


def _written(test: Predicate, index: dict[str, int]) -> dict[str, object]:
    written: dict[str, object] = {"op": test.op, "field": None if test.field is None else index[test.field]}
    for key, value in test.arguments:
        if key == "parts" and isinstance(value, tuple):
            written[key] = [{"any": part[0]} if isinstance(part, tuple) else part for part in value]
        else:
            written[key] = index[str(value)] if key == "other" else value
    return written
