"""Compiled rules before they are joined into one pack: plain values, picklable, without any pySigma object."""

from dataclasses import dataclass, field

from vigla_rules.expressions import Expression
from vigla_rules.extended import Extended
from vigla_rules.findings import At, Finding


@dataclass(frozen=True, slots=True)
class LogSource:
    """Sigma's log source; ``None`` leaves a part open."""

    product: str | None = None
    category: str | None = None
    service: str | None = None

    def serves(self, event: "LogSource") -> bool:
        """Whether a rule (or a table's row) with this log source serves events of ``event``'s."""
        mine, theirs = (self.product, self.category, self.service), (event.product, event.category, event.service)
        return all(part in (None, other) for part, other in zip(mine, theirs, strict=True))

    def to_json(self) -> dict[str, str | None]:
        """As in ``rules.json``."""
        return {"product": self.product, "category": self.category, "service": self.service}


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a rule says about itself.

    ``path`` is relative to the directory compiled; dates are ISO 8601; ``digest`` is the SHA-256 of the document.
    """

    id: str
    name: str
    path: str
    title: str
    description: str
    author: str
    license: str | None
    status: str | None
    level: str | None
    date: str | None
    modified: str | None
    tags: tuple[str, ...]
    references: tuple[str, ...]
    falsepositives: tuple[str, ...]
    fields: tuple[str, ...]
    similar: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a rule stands on disk, for findings made after its file was closed."""

    path: str
    lines: tuple[tuple[At, int, int], ...]

    def at(self, *keys: str | int) -> tuple[int, int]:
        """Line and column of the deepest known place on the way."""
        best = (1, 1)
        length = -1
        for place, line, column in self.lines:
            if len(place) > length and place == keys[: len(place)]:
                best, length = (line, column), len(place)
        return best


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """One Sigma rule. ``gates`` are the conditions that a pipeline added; ``lists`` the placeholders it names."""

    meta: Metadata
    placed: Placed
    logsource: LogSource
    gates: tuple[Expression, ...]
    condition: Expression
    selections: tuple[tuple[str, Expression], ...]
    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CorrelationDraft:
    """One correlation; ``rules`` and the keys of ``aliases`` are references by name or id as the author wrote them.

    ``expression`` is an extended condition over places in ``rules``.
    """

    meta: Metadata
    placed: Placed
    type: str
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    aliases: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    timespan_ms: int
    fields: tuple[str, ...]
    percentile: float | None
    condition: tuple[tuple[str, int | float], ...]
    expression: Extended | None
    generate: bool


@dataclass(frozen=True, slots=True)
class FilterDraft:
    """One Sigma filter; ``rules`` are references, or ``None`` for ``any``."""

    meta: Metadata
    placed: Placed
    logsource: LogSource
    rules: tuple[str, ...] | None
    condition: Expression
    lists: tuple[str, ...]


Draft = RuleDraft | CorrelationDraft | FilterDraft


@dataclass(frozen=True, slots=True)
class FileDrafts:
    """What one file gave."""

    drafts: list[Draft] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
