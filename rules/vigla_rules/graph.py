"""Expressions → predicates and nodes, each distinct one once (hash-consed), children before parents."""

from collections.abc import Mapping

from vigla_rules.expressions import And, Expression, Not, Or, Predicate


class Graph:
    """Collects the predicates and nodes of a pack. ``fields`` gives every field name its index."""

    def __init__(self, fields: Mapping[str, int]) -> None:
        self.fields = fields
        self.predicates: list[dict[str, object]] = []
        self.nodes: list[dict[str, object]] = []
        self._predicate_at: dict[Predicate, int] = {}
        self._node_at: dict[tuple[str, object], int] = {}

    def add(self, expression: Expression) -> int:
        """Index of the node that stands for ``expression``."""
        match expression:
            case Predicate():
                return self._node("p", self._predicate(expression))
            case Not():
                return self._node("not", self.add(expression.child))
            case And():
                return self._node("and", tuple(self.add(child) for child in expression.children))
            case Or():
                return self._node("or", tuple(self.add(child) for child in expression.children))

    def _node(self, kind: str, content: int | tuple[int, ...]) -> int:
        key = (kind, content)
        if key not in self._node_at:
            self._node_at[key] = len(self.nodes)
            self.nodes.append({kind: list(content) if isinstance(content, tuple) else content})
        return self._node_at[key]

    def _predicate(self, test: Predicate) -> int:
        if test not in self._predicate_at:
            self._predicate_at[test] = len(self.predicates)
            written: dict[str, object] = {
                "op": test.op,
                "field": None if test.field is None else self.fields[test.field],
            }
            for key, value in test.arguments:
                if key == "parts" and isinstance(value, tuple):
                    written[key] = [{"any": part[0]} if isinstance(part, tuple) else part for part in value]
                else:
                    written[key] = self.fields[str(value)] if key == "other" else value
            self.predicates.append(written)
        return self._predicate_at[test]
