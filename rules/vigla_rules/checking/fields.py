"""Which fields a log source has: from the core's table, the source definitions and the aliases of the pack."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from vigla_rules.drafts import CorrelationDraft, LogSource, RuleDraft
from vigla_rules.expressions import predicates
from vigla_rules.findings import Code, Finding, did_you_mean
from vigla_rules.layout import Tree
from vigla_rules.linking import Linked, refusal, warning


@dataclass(frozen=True, slots=True)
class Origin:
    """Events of one log source and the fields they have; ``is_open``: the device's own names stay beside ours."""

    logsource: LogSource
    fields: frozenset[str]
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class FieldTable:
    """Everything that produces events."""

    origins: tuple[Origin, ...]

    def known(self, logsource: LogSource) -> tuple[frozenset[str], bool] | None:
        """Fields of the events that a rule of this log source sees, and whether more may come; ``None``: no events."""
        serving = [origin for origin in self.origins if logsource.serves(origin.logsource)]
        if not serving:
            return None
        # Names of one device are fair in a rule for that device, not in one for every VPN.
        is_open = logsource.product is not None and any(origin.is_open for origin in serving)
        return frozenset().union(*(origin.fields for origin in serving)), is_open

    def is_open(self, logsource: LogSource) -> bool:
        """Whether some device's own names stay beside ours."""
        return any(origin.is_open for origin in self.origins if logsource.serves(origin.logsource))

    def near(self, logsource: LogSource) -> str:
        """The nearest log source that has events."""
        names = sorted({spelled(origin.logsource) for origin in self.origins})
        return did_you_mean(spelled(logsource), names, "add a source definition or an alias that produces it")


def read_fields(tree: Tree) -> FieldTable:
    """The table for one pack directory."""
    origins = core_origins()
    for name in tree.sources:
        origins += definition_origins(tree, name)
    return FieldTable((*origins, *aliased(tree.aliases, origins)))


def core_origins() -> list[Origin]:
    """What the core decodes or derives from traffic itself."""
    raw = _raw()
    common, added = frozenset(raw["common"]), frozenset(raw["added"])
    origins = [
        Origin(LogSource("zeek", None, service), common | added | frozenset(names))
        for service, names in raw["zeek"].items()
    ]
    origins += [
        Origin(LogSource("vigla", "behaviour", service), frozenset({"ts", *names}) | added)
        for service, names in raw["behaviour"].items()
    ]
    origins += [
        Origin(LogSource("vigla", None, service), frozenset({"ts", *names})) for service, names in raw["vigla"].items()
    ]
    return origins


def definition_origins(tree: Tree, name: str) -> list[Origin]:
    """What one source definition of a pack directory gives."""
    raw = _raw()
    return list(_branches(tree.sources[name], raw["derived"], frozenset(raw["added"])))


def aliased(rows: Iterable[object], origins: Iterable[Origin]) -> list[Origin]:
    """The further log sources that events of ``origins`` serve by the rows of ``aliases.yml``."""
    own = FieldTable(tuple(origins))
    found = []
    for row in rows:
        known = own.known(_logsource(row.get("event"))) if isinstance(row, dict) else None
        if isinstance(row, dict) and known is not None:
            found.append(Origin(_logsource(row.get("serves")), known[0] | frozenset(row["fields"])))
    return found


def _raw() -> dict[str, Any]:
    return tomllib.loads(files("vigla_rules").joinpath("data/fields.toml").read_text(encoding="utf-8"))


def check_fields(linked: Linked, table: FieldTable) -> Iterator[Finding]:
    """Fields that a rule, its entity or a correlation names and no event of its log source has."""
    by_id: dict[str, RuleDraft | CorrelationDraft] = {rule.meta.id: rule for rule in linked.rules}
    by_id |= {draft.meta.id: draft for draft in linked.correlations}
    for rule in linked.rules:
        yield from _rule(rule, table)
    for draft in linked.correlations:
        yield from _correlation(draft, table, by_id)


def _rule(rule: RuleDraft, table: FieldTable) -> Iterator[Finding]:
    known = table.known(rule.logsource)
    if known is None:
        reason = f"no source produces events of {spelled(rule.logsource)}"
        yield warning_as_error(rule, "unknown-logsource", reason, table.near(rule.logsource), "logsource")
        return
    names, is_open = known
    asked = {test.field: None for test in predicates(rule.condition) if test.field is not None}
    needed = {*asked, *rule.meta.fields[:1]}  # what is only shown may be one device's own
    for name in dict.fromkeys([*asked, *rule.meta.fields]):
        if name in names:
            continue
        at = "detection" if name in asked else "fields"
        similar = [other for other in names if other.lower() == name.lower()]
        if similar or not (is_open or (name not in needed and table.is_open(rule.logsource))):
            reason = f"{spelled(rule.logsource)} has no field '{name}'"
            advice = did_you_mean(name, sorted(names), "see the source definitions for its fields")
            advice = f"did you mean '{similar[0]}'?" if similar else advice
            yield warning_as_error(rule, "unknown-field", reason, advice, at)
        else:
            reason = f"'{name}' is one device's own name, no definition maps it"
            yield warning(rule, "vendor-field", reason, "map it in the source definition if rules need it", at)


def _correlation(
    draft: CorrelationDraft, table: FieldTable, by_id: Mapping[str, RuleDraft | CorrelationDraft]
) -> Iterator[Finding]:
    aliases = {alias: dict(mapping) for alias, mapping in draft.aliases}
    for listed in draft.rules:
        rule = by_id[listed]
        if isinstance(rule, CorrelationDraft):
            names: frozenset[str] = frozenset({*rule.group_by, "value"})
            is_open = False
        elif (known := table.known(rule.logsource)) is None:
            continue
        else:
            names, is_open = known
        for name in [*draft.group_by, *draft.fields]:
            own = aliases.get(name, {}).get(listed, name)
            if own not in names and not is_open:
                reason = f"rule '{rule.meta.name}' has no field '{own}' to group or count by"
                advice = did_you_mean(own, sorted(names), "add an alias for that rule")
                yield warning_as_error(draft, "unknown-field", reason, advice, "correlation", "group-by")


def warning_as_error(draft: RuleDraft | CorrelationDraft, code: str, reason: str, suggestion: str, *at: str) -> Finding:
    """An error of ``check`` that does not refuse the rule; its code is none of the closed list."""
    found = refusal(draft, Code.BAD_VALUE, reason, suggestion, *at)
    return Finding(found.path, found.line, found.column, "error", code, reason, suggestion, found.rule_id, found.title)


def _branches(
    definition: Mapping[str, object], derived: Mapping[str, list[str]], added: frozenset[str]
) -> Iterator[Origin]:
    for branch in _dicts(definition.get("events")):
        names = {"ts", *_keys(branch.get("fields")), *_keys(branch.get("table"))}
        for call in branch.get("derive") or []:  # type: ignore[attr-defined]
            names.update(derived.get(str(call).split("(")[0], []))
        for source in (branch.get("logsource"), *(branch.get("also") or [])):  # type: ignore[misc]
            yield Origin(_logsource(source), frozenset(names) | added, is_open=True)


def _dicts(value: object) -> Iterable[Mapping[str, object]]:
    return [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []


def _keys(value: object) -> list[str]:
    return [str(key) for key in value] if isinstance(value, dict) else []


def _logsource(value: object) -> LogSource:
    parts = value if isinstance(value, dict) else {}
    return LogSource(parts.get("product"), parts.get("category"), parts.get("service"))


def spelled(logsource: LogSource) -> str:
    parts = (("product", logsource.product), ("category", logsource.category), ("service", logsource.service))
    return ", ".join(f"{key} {value}" for key, value in parts if value) or "any log source"
