"""What the hub knows about a rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RuleText:
    """The five blocks in one language; slots `{field}` are filled from the alert by the page, escaped and bounded."""

    title: str
    summary: str
    what: str
    why: str
    now: Sequence[str]
    escalate: str
    innocent: str


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """Metadata of a rule or correlation; ``fields``: the first present is the entity. ``timespan_ms`` is 0 for plain
    rules.
    """

    id: str
    name: str
    title: str
    description: str
    author: str
    license: str
    level: str
    tags: Sequence[str]
    references: Sequence[str]
    falsepositives: Sequence[str]
    fields: Sequence[str]
    path: str
    mandatory: bool
    timespan_ms: int
    group_by: Sequence[str]
    source: str  # the original YAML, "" if the pack has none


class RuleBook(Protocol):
    """Never raises for an unknown rule: an alert of an older pack is still shown."""

    @property
    def version(self) -> str: ...
    @property
    def ecs(self) -> Mapping[str, str]:
        """Where a field of an event stands in the alert document: `c-ip` → `source.ip`."""

    def rule(self, rule_id: str) -> RuleInfo | None: ...
    def text(self, rule_id: str, language: str) -> RuleText | None: ...
    def rules(self) -> Mapping[str, RuleInfo]: ...
