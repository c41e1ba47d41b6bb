"""Samples: ``samples/<area>/<rule>/sample.yml``, read strictly and checked for what each rule must prove."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vigla_rules.checking.fields import warning_as_error
from vigla_rules.compiling import text_key
from vigla_rules.documents import plain, read_mapping
from vigla_rules.drafts import CorrelationDraft, RuleDraft
from vigla_rules.findings import Finding, Refusal, did_you_mean
from vigla_rules.layout import Tree
from vigla_rules.linking import Linked

INPUTS = ("log", "capture", "recipe", "events")
_CASE_KEYS = ("name", "source", "year", "zone", "args", "alerts", "entity", *INPUTS)
_WITH_KEYS = ("lists", "local_networks", "zones", "countries", "calendar")
MIN_NEGATIVES = 2
Rule = RuleDraft | CorrelationDraft


class SampleError(ValueError):
    """A sample that cannot be used: what and what to do; the path is the reader's."""


@dataclass(frozen=True, slots=True)
class Case:
    """One input and what the rule must say to it. ``alerts``: ``None`` = at least one, for positives."""

    name: str
    positive: bool
    kind: str
    input: object
    folder: Path
    source: str | None = None
    year: int | None = None
    zone: str | None = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    alerts: int | None = None
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """All cases of one rule and what the municipality is taken to have filled in."""

    path: Path
    rule: str
    lists: Mapping[str, list[str]]
    local_networks: tuple[str, ...] | None
    cases: tuple[Case, ...]


def read_sample(path: Path) -> Sample:
    """Reads one file; raises ``SampleError``."""
    try:
        raw = plain(read_mapping(path.read_bytes()))
    except Refusal as refusal:
        raise SampleError(f"line {refusal.place[0]}: {refusal.reason}; {refusal.suggestion}") from None
    assert isinstance(raw, dict)  # noqa: S101  # read_mapping gave a mapping
    _only(raw, ("rule", "with", "true_positives", "true_negatives"))
    given = raw.get("with") or {}
    if not isinstance(given, dict):
        raise SampleError("'with' is no map; write `with: {lists: {...}}`")
    _only(given, _WITH_KEYS)
    cases = [
        _case(entry, path.parent, positive=positive)
        for key, positive in (("true_positives", True), ("true_negatives", False))
        for entry in _list(raw, key)
    ]
    networks = given.get("local_networks")
    lists = {str(name): [str(value) for value in values] for name, values in (given.get("lists") or {}).items()}
    return Sample(
        path, str(raw.get("rule", "")), lists, tuple(networks) if networks is not None else None, tuple(cases)
    )


def read_samples(tree: Tree) -> tuple[list[Sample], list[Finding]]:
    """Every sample of a pack directory, and what is wrong with those that cannot be read."""
    samples, findings = [], []
    for path in sorted((tree.root / "samples").rglob("sample.yml")):
        try:
            samples.append(read_sample(path))
        except SampleError as error:
            reason, _, advice = str(error).partition("; ")
            findings.append(Finding(str(path), 1, 1, "error", "sample", reason, advice or "see docs/pack-format.md"))
    return samples, findings


def check_samples(linked: Linked, tree: Tree) -> Iterator[Finding]:
    """At least one positive and two negatives for every rule that raises alerts, and the files they name."""
    samples, findings = read_samples(tree)
    yield from findings
    rules: list[Rule] = [*linked.rules, *linked.correlations]
    known = {key: rule for rule in rules for key in (rule.meta.name, rule.meta.id, Path(rule.meta.path).stem)}
    proven: set[str] = set()
    for sample in samples:
        rule = known.get(sample.rule)
        if rule is None:
            advice = did_you_mean(sample.rule, sorted(known), "name a rule of this pack")
            yield Finding(str(sample.path), 1, 1, "error", "no-rule", f"rule '{sample.rule}' is not known", advice)
            continue
        proven.add(rule.meta.id)
        positives = sum(case.positive for case in sample.cases)
        negatives = len(sample.cases) - positives
        if positives < 1 or negatives < MIN_NEGATIVES:
            reason = f"{positives} true positives and {negatives} true negatives"
            advice = f"at least 1 and {MIN_NEGATIVES}; each condition needs a negative that fails without it"
            yield Finding(str(sample.path), 1, 1, "error", "sample", reason, advice, rule.meta.id, rule.meta.title)
        for case in sample.cases:
            if case.kind in ("log", "capture") and not (case.folder / str(case.input)).is_file():
                reason = f"case '{case.name}': no file {case.input}"
                yield Finding(str(sample.path), 1, 1, "error", "sample", reason, "write it beside sample.yml")
            if case.source is not None and case.source not in tree.sources:
                reason = f"case '{case.name}': source '{case.source}' is not defined"
                advice = did_you_mean(case.source, sorted(tree.sources), "name a definition under sources/")
                yield Finding(str(sample.path), 1, 1, "error", "sample", reason, advice)
    for rule in rules:
        if rule.meta.id not in proven and rule.meta.id not in linked.quiet:
            advice = f"write samples/{text_key(rule.meta)}/sample.yml"
            yield warning_as_error(rule, "no-sample", "no samples", advice, "title")


def _case(entry: object, folder: Path, *, positive: bool) -> Case:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise SampleError("a case without a name; write `{name: ..., log: ...}`")
    _only(entry, _CASE_KEYS)
    kinds = [kind for kind in INPUTS if kind in entry]
    if len(kinds) != 1:
        raise SampleError(f"case '{entry['name']}' has {len(kinds)} inputs; name one of {', '.join(INPUTS)}")
    alerts = entry.get("alerts")
    if not positive and alerts not in (None, 0):
        raise SampleError(f"negative '{entry['name']}' expects alerts; move it to true_positives")
    return Case(
        name=entry["name"],
        positive=positive,
        kind=kinds[0],
        input=entry[kinds[0]],
        folder=folder,
        source=entry.get("source"),
        year=entry.get("year"),
        zone=entry.get("zone"),
        arguments=entry.get("args") or {},
        alerts=alerts if positive else 0,
        entity=None if entry.get("entity") is None else str(entry["entity"]),
    )


def _list(raw: Mapping[str, object], key: str) -> list[object]:
    value = raw.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise SampleError(f"'{key}' is no list; write its cases as a list")
    return value


def _only(table: Mapping[str, object], allowed: tuple[str, ...]) -> None:
    for key in table:
        if key not in allowed:
            raise SampleError(
                f"unknown key '{key}'; {did_you_mean(key, list(allowed), f'known: {chr(44).join(allowed)}')}"
            )
