"""Whatever a file holds, the compiler answers with findings: nothing escapes, and the good rule beside it stays."""

from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rules.conftest import RULE
from tests.sigma.packs import compiled, rule
from vigla_rules.caching.codec import decode, encode
from vigla_rules.compiling import compile_trees
from vigla_rules.drafts import FileDrafts
from vigla_rules.files import RuleFile
from vigla_rules.layout import PackSettings, Tree

GOOD = rule({"s": {"f": "x"}, "condition": "s"}, 77, name="good")
WORDS = st.one_of(
    st.sampled_from(
        ["s", "s1", "1 of s*", "not s", "good", "any", "them", "5m", "f|contains", "f|re", "f|cidr", "|all", "f|expand"]
    ),
    st.text(max_size=6),
)
VALUES = st.recursive(
    st.one_of(WORDS, st.integers(), st.floats(), st.booleans(), st.none(), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=8,
)
KEYS = {
    "title": VALUES,
    "name": VALUES,
    "level": VALUES,
    "tags": VALUES,
    "fields": VALUES,
    "related": VALUES,
    "date": VALUES,
    "author": VALUES,
    "references": VALUES,
    "falsepositives": VALUES,
    "logsource": VALUES,
    "action": VALUES,
}
DETECTION = st.dictionaries(st.one_of(st.just("condition"), WORDS), VALUES, max_size=4)
CORRELATION = st.dictionaries(
    st.sampled_from(["type", "rules", "group-by", "timespan", "condition", "aliases", "generate", "x"]),
    st.one_of(VALUES, st.sampled_from(["event_count", "value_count", ["good"], {"gte": 2}])),
    max_size=7,
)
FILTER = st.dictionaries(st.one_of(st.sampled_from(["condition", "rules"]), WORDS), VALUES, max_size=4)
CHANGES = st.fixed_dictionaries(
    {}, optional={**KEYS, "id": VALUES, "detection": DETECTION, "correlation": CORRELATION, "filter": FILTER}
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=CHANGES)
def test_nothing_escapes(changes: dict[str, object]) -> None:
    hostile = {**rule({"s": {"f": "x"}, "condition": "s"}, 1), **changes}
    built = compiled([hostile, GOOD])
    assert "good" in {kept.meta.name for kept in built.linked.rules}
    assert all(finding.line >= 1 and finding.suggestion for finding in built.findings)
    if not built.refused:
        assert len(built.linked.rules) + len(built.linked.correlations) + len(built.linked.filters) == 2


CHANGED = st.lists(
    st.tuples(st.integers(0, len(RULE)), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=6
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=CHANGED)
def test_no_bytes_of_a_file_escape(changes: list[tuple[int, int, bytes]]) -> None:
    data = RULE.encode()
    for at, length, new in changes:
        data = data[:at] + new + data[at + length :]
    files = [RuleFile("bad.yml", "bad.yml", data), RuleFile("good.yml", "good.yml", yaml.safe_dump(GOOD).encode())]
    built = compile_trees([Tree(Path(), files, PackSettings(name="t"))], (), lambda _d, _t: None)
    assert "good" in {kept.meta.name for kept in built.linked.rules}
    assert all(finding.line >= 1 and finding.suggestion for finding in built.findings)
    again = FileDrafts(built.drafts, built.findings)
    assert decode(encode(again), "x") == decode(encode(decode(encode(again), "x")), "x")
