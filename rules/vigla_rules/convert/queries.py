"""Our expressions → pySigma's condition tree → the Elasticsearch backends of sigma-cli.

The tree is built here, not by pySigma's parser, so that a query holds what the sensor evaluates: filters, pipelines
and encoders applied. What a language would answer differently is refused with its reason, and three things are written
out: case (keyword fields compare exactly), absent fields below `not` (two languages are three-valued), and anchors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, ClassVar

from sigma.backends.elasticsearch.elasticsearch_eql import EqlBackend
from sigma.backends.elasticsearch.elasticsearch_esql import ESQLBackend
from sigma.backends.elasticsearch.elasticsearch_lucene import LuceneBackend
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
)
from sigma.conversion.base import TextQueryBackend
from sigma.conversion.state import ConversionState
from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaType,
    SpecialChars,
)

from vigla_rules.convert.mapping import FieldMapping, Target, UnfaithfulError
from vigla_rules.convert.patterns import of_parts, of_regex
from vigla_rules.drafts import LogSource, RuleDraft
from vigla_rules.expressions import And, Expression, Not, Or, Predicate

_FRAMES = {"eq": ("", ""), "startswith": ("", "*"), "endswith": ("*", ""), "contains": ("*", "*")}
_WILD = {"*": SpecialChars.WILDCARD_MULTI, "?": SpecialChars.WILDCARD_SINGLE}
_NUMERIC = ("long", "float")
Part = str | tuple[str, ...]
Tree = ConditionItem | ConditionFieldEqualsValueExpression


class _Pattern(SigmaRegularExpression):
    """A pattern in Lucene's dialect: Python's ``re`` is not asked whether it is one."""

    def compile(self) -> None:
        """Nothing: it was made here."""


class _Eql(EqlBackend):
    """Patterns in raw strings, so that nothing in them is escaped twice, and compared as they are."""

    re_expression: ClassVar[str] = '{field} regex """{regex}"""'
    re_escape: ClassVar[tuple[str, ...]] = ()  # type: ignore[assignment]
    re_escape_escape_char: ClassVar[bool] = False  # type: ignore[misc]
    convert_or_as_in: ClassVar[bool] = False
    """Its list operator is for texts alone."""

    def convert_condition_field_eq_val_num(
        self,
        cond: ConditionFieldEqualsValueExpression,
        state: ConversionState,  # noqa: ARG002  # upstream's shape
    ) -> str:
        """`:` is for texts; a number is compared with `==`."""
        return f"{self.escape_and_quote_field(cond.field)} == {cond.value}"

    def convert_condition_field_eq_val_bool(
        self,
        cond: ConditionFieldEqualsValueExpression,
        state: ConversionState,  # noqa: ARG002
    ) -> str:
        """As a number."""
        return f"{self.escape_and_quote_field(cond.field)} == {str(cond.value).lower()}"


@dataclass(frozen=True, slots=True)
class Language:
    """One query language. ``three_valued``: `not` over an absent field is unknown, not true."""

    backend: Callable[[], TextQueryBackend]
    three_valued: bool
    folds_ascii: bool


LANGUAGES: Mapping[str, Language] = {
    "lucene": Language(LuceneBackend, three_valued=False, folds_ascii=False),
    "eql": Language(_Eql, three_valued=True, folds_ascii=True),
    "esql": Language(ESQLBackend, three_valued=True, folds_ascii=False),
}


@dataclass(frozen=True, slots=True)
class Converter:
    """Writes rules in one language for one index."""

    language: str
    mapping: FieldMapping
    index: str

    def query(self, rule: RuleDraft) -> str:
        """The rule as one query; raises ``UnfaithfulError``."""
        language = LANGUAGES[self.language]
        whole = And((*rule.gates, rule.condition))
        tree = _Builder(language, self.mapping, rule.logsource).whole(whole)
        backend = language.backend()
        state = ConversionState(processing_state={"index": self.index})
        query = backend.convert_condition(tree, state)
        return str(backend.finalize_query_default(None, query, 0, state))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Builder:
    language: Language
    mapping: FieldMapping
    logsource: LogSource

    def whole(self, expression: Expression) -> Tree:
        scope = [_leaf(path, self._exact(value)) for path, value in self.mapping.scope(self.logsource)]
        return _joined(ConditionAND, [*scope, self._tree(expression, below_not=False)])

    def _tree(self, expression: Expression, *, below_not: bool) -> Tree:
        match expression:
            case Predicate():
                return self._test(expression, below_not=below_not)
            case Not():
                return ConditionNOT([self._tree(expression.child, below_not=True)])
            case And() | Or():
                kind = ConditionAND if isinstance(expression, And) else ConditionOR
                return _joined(kind, [self._tree(child, below_not=below_not) for child in expression.children])

    def _test(self, test: Predicate, *, below_not: bool) -> Tree:
        if test.field is None:
            raise UnfaithfulError("keywords look at every value of an event: name a field")
        target = self.mapping.target(test.field, self.logsource)
        arguments: dict[str, Any] = dict(test.arguments)
        if test.op == "null" or (test.op == "exists" and not arguments["value"]):
            return _leaf(target.path, SigmaNull())
        if test.op == "exists" or (test.op == "contains" and not arguments["value"]):
            return self._present(target)
        leaf = _leaf(target.path, self._value(test.op, target, arguments))
        guarded = below_not and self.language.three_valued
        return _joined(ConditionAND, [self._present(target), leaf]) if guarded else leaf

    def _present(self, target: Target) -> Tree:
        if self.language.backend is _Eql:  # it has no word for presence but the negation of null
            return ConditionNOT([_leaf(target.path, SigmaNull())])
        return _leaf(target.path, SigmaExists(True))

    def _value(self, op: str, target: Target, arguments: dict[str, Any]) -> SigmaType:
        match op:
            case "eq" | "startswith" | "endswith" | "contains":
                before, after = _FRAMES[op]
                parts: list[Part] = [*((before,),) * bool(before), arguments["value"], *((after,),) * bool(after)]
                return self._text(target, parts, cased=bool(arguments.get("cased")))
            case "wildcard":
                return self._text(target, list(arguments["parts"]), cased=bool(arguments.get("cased")))
            case "num":
                return self._number(target, arguments["value"])
            case "bool":
                return self._boolean(target, arguments["value"])
            case "cidr":
                if target.type != "ip":
                    raise UnfaithfulError(f"{target.path} is no address in the index: a network cannot be asked")
                return SigmaCIDRExpression(arguments["value"])
            case "lt" | "lte" | "gt" | "gte":
                if target.type not in _NUMERIC:
                    raise UnfaithfulError(f"{target.path} is no number in the index: it cannot be compared")
                return SigmaCompareExpression(
                    SigmaNumber(arguments["value"]), SigmaCompareExpression.CompareOperators[op.upper()]
                )
            case "re":
                self._only_text(target, "a pattern")
                return _Pattern(of_regex(arguments["pattern"], arguments["flags"]))
        raise UnfaithfulError(_REFUSED.get(op, f"'{op}' has no counterpart in a query"))

    def _text(self, target: Target, parts: list[Part], *, cased: bool) -> SigmaType:
        plain = parts[0] if len(parts) == 1 and isinstance(parts[0], str) else None
        if target.type == "ip":
            if plain is None or not _is_address(plain):
                raise UnfaithfulError(f"{target.path} is an address in the index: only equality and networks are asked")
            return self._exact(plain)
        if target.type in _NUMERIC and plain is not None:
            return self._number(target, plain)
        if target.type == "boolean" and plain is not None and plain.lower() in ("true", "false"):
            return SigmaBool(plain.lower() == "true")
        self._only_text(target, "a part of a text")
        texts = "".join(part for part in parts if isinstance(part, str))
        folding = not cased and any(char.isalpha() for char in texts)
        literal = not set(texts) & set("*?") and ("?",) not in parts
        if literal and not cased and self.language.folds_ascii and texts.isascii():
            return _string(parts, SigmaString)
        if folding or len(parts) > 1 or not literal:
            return _Pattern(of_parts(parts, cased=cased))
        return self._exact(texts)

    def _number(self, target: Target, text: str) -> SigmaType:
        if target.type == "keyword":
            return self._exact(text)
        if target.type not in _NUMERIC:
            raise UnfaithfulError(f"{target.path} is no number in the index, the rule asks for {text}")
        try:
            return SigmaNumber(text)
        except ValueError:
            raise UnfaithfulError(f"{target.path} is a number in the index, the rule asks for {text!r}") from None

    def _exact(self, text: str) -> SigmaString:
        """A text compared as it stands: EQL's plain operator would fold it."""
        return _string([text], SigmaCasedString if self.language.backend is _Eql else SigmaString)

    def _boolean(self, target: Target, value: bool) -> SigmaType:
        if target.type == "boolean":
            return SigmaBool(value)
        return self._text(target, [str(value).lower()], cased=False)

    def _only_text(self, target: Target, what: str) -> None:
        if target.type != "keyword":
            raise UnfaithfulError(f"{target.path} is of type {target.type} in the index: {what} cannot be asked")


_REFUSED = {
    "empty": "the index holds no empty values",
    "fieldref": "two fields of one event cannot be compared without regard to case",
    "list": "its list is filled on the sensor: a query cannot know it",
    "time": "parts of a time cannot be asked",
}


def _leaf(field: str, value: SigmaType) -> Tree:
    return ConditionFieldEqualsValueExpression(field, value)


def _joined(kind: type[ConditionAND] | type[ConditionOR], members: list[Tree]) -> Tree:
    flat = [one for member in members for one in (member.args if isinstance(member, kind) else [member])]
    return flat[0] if len(flat) == 1 else kind(flat)  # type: ignore[return-value]


def _string(parts: list[Part], kind: type[SigmaString]) -> SigmaString:
    made = kind("")
    made.s = tuple(  # type: ignore[assignment]  # pySigma itself holds a tuple here
        _WILD[part[0]] if isinstance(part, tuple) else part for part in parts if part
    )
    return made


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
