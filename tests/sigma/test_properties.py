"""Random rules over random events, drawn to collide: the native engine answers as the reference does."""

import json
from collections.abc import Mapping

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.sigma.corpora import PIPELINES, WINDOWS
from tests.sigma.engines import NativeEngine, ReferenceEngine, explained
from tests.sigma.packs import LOGSOURCE, compiled, rule
from tests.sigma.reference import Event
from tests.sigma.strategies import DETECTIONS, EVENTS, LISTS, WINDOWS_EVENTS, WINDOWS_RULES, WindowsRule, examples

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
Fields = dict[str, object]


@examples(150)
@given(detections=st.lists(DETECTIONS, min_size=1, max_size=6), events=EVENTS)
def test_the_index_the_full_scan_and_the_reference_agree(detections: list[Fields], events: list[Fields]) -> None:
    pack, rules = made(detections)
    lines = [json.dumps(event, ensure_ascii=False).encode() for event in events]
    for line in lines:
        indexed = NativeEngine().matching(pack, [line], LOGSOURCE, LISTS)
        assert indexed == ReferenceEngine().matching(pack, [line], LOGSOURCE, LISTS)
        assert indexed == {one for one in rules if explained(pack, one, line, LOGSOURCE, LISTS)}


@examples(40)
@given(detections=st.lists(DETECTIONS, min_size=2, max_size=5), events=EVENTS)
def test_order_of_rules_and_of_fields_never_matters(detections: list[Fields], events: list[Fields]) -> None:
    first, _ = made(detections)
    numbered = list(enumerate(detections, start=1))
    documents = [rule(turned(detection), number) for number, detection in reversed(numbered)]
    second = compiled(documents, lists=list(LISTS)).data
    lines = [json.dumps(event, ensure_ascii=False).encode() for event in events]
    mirrored = [json.dumps(turned(event), ensure_ascii=False).encode() for event in events]
    engine = NativeEngine()
    for line, other in zip(lines, mirrored, strict=True):
        assert engine.matching(first, [line], LOGSOURCE, LISTS) == engine.matching(second, [other], LOGSOURCE, LISTS)


@examples(60)
@given(rules=st.lists(WINDOWS_RULES, min_size=1, max_size=6), events=st.lists(WINDOWS_EVENTS, min_size=1, max_size=6))
def test_gates_of_pipelines_and_header_and_body_agree(rules: list[WindowsRule], events: list[Fields]) -> None:
    documents = [rule(one.detection, at, logsource=one.logsource) for at, one in enumerate(rules, start=1)]
    built = compiled(documents, pipelines=PIPELINES)
    assume(built.linked.rules)
    for event in events:
        line = json.dumps(event).encode()
        indexed = NativeEngine().matching(built.data, [line], WINDOWS, {})
        assert indexed == ReferenceEngine().matching(built.data, [line], WINDOWS, {})
        scanned = {one.meta.id for one in built.linked.rules if explained(built.data, one.meta.id, line, WINDOWS, {})}
        assert indexed == scanned


ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "Σ",
        "ς",
        ".",
        r"\w",
        r"\W",
        r"\d",
        r"\s",
        r"\S",
        r"\b",
        "^",
        "$",
        r"\.",
        r"\$",
        "[ab]",
        "[^a]",
        "[a-cΣ]",
        r"[\w-]",
        "-",
    ]
)
QUANTIFIERS = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,3}", "*?", "+?"])
REGEXES = st.recursive(
    st.tuples(ATOMS, QUANTIFIERS).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map("|".join).map(lambda pair: f"(?:{pair})"),
        st.tuples(inner, QUANTIFIERS).map(lambda pair: f"({pair[0]}){pair[1]}"),
    ),
    max_leaves=6,
)


@examples(250)
@given(
    patterns=st.lists(st.tuples(REGEXES, st.sampled_from(["|re", "|re|i", "|re|m", "|re|s"])), min_size=1, max_size=8),
    texts=st.lists(st.text(alphabet="ab1 _-.Σσςά$\n", max_size=6), min_size=1, max_size=8),
)
def test_patterns_are_read_alike(patterns: list[tuple[str, str]], texts: list[str]) -> None:
    detections: list[Fields] = [{"s": {"f" + flag: pattern}, "condition": "s"} for pattern, flag in patterns]
    pack, _ = made(detections)
    events = [Event({"f": text}, LOGSOURCE, START + at * SECOND) for at, text in enumerate(texts)]
    assert NativeEngine().run(pack, events, {}) == ReferenceEngine().run(pack, events, {})


CORRELATED = st.lists(
    st.tuples(
        st.integers(0, 90),
        st.sampled_from("xyX"),
        st.sampled_from("abc"),
        st.sampled_from([1, 2.5, -0.75, 4, "3", "0.1", "many", None, [2], 10**6]),
    ),
    max_size=24,
)
CORRELATIONS = st.sampled_from(
    [
        {"type": "event_count", "rules": ["a"], "condition": {"gte": 3}},
        {"type": "event_count", "rules": ["a", "b"], "condition": {"gt": 2}},
        {"type": "event_count", "rules": ["a"], "condition": {"eq": 2}},
        {"type": "event_count", "rules": ["b"], "condition": {"lt": 2}},
        {"type": "event_count", "rules": ["a", "c"], "condition": {"gte": 2, "lte": 3}},
        {"type": "event_count", "rules": ["a", "c"], "condition": {"gt": 1.5, "neq": 3}},
        {"type": "value_count", "rules": ["a", "b", "c"], "condition": {"gte": 2, "field": "k"}},
        {"type": "value_count", "rules": ["a", "b", "c"], "condition": {"gte": 3, "field": ["k", "n"]}},
        {"type": "value_count", "rules": ["a", "b"], "condition": {"lte": 1, "field": "n"}},
        {"type": "value_sum", "rules": ["a", "b", "c"], "condition": {"gte": 5, "field": "n"}},
        {"type": "value_sum", "rules": ["a"], "condition": {"gt": 0, "lt": 0.3, "field": "n"}},
        {"type": "value_avg", "rules": ["a", "b"], "condition": {"lt": 1.75, "field": "n"}},
        {"type": "value_median", "rules": ["a", "b", "c"], "condition": {"neq": 2.5, "field": "n"}},
        {"type": "value_percentile", "rules": ["a", "b"], "condition": {"gte": 3.1, "percentile": 90, "field": "n"}},
        {"type": "value_percentile", "rules": ["c"], "condition": {"lte": 1, "percentile": 12.5, "field": "n"}},
        {"type": "temporal", "rules": ["a", "b"]},
        {"type": "temporal", "rules": ["a", "b", "c"], "condition": {"gte": 2}},
        {"type": "temporal", "condition": "a and not b"},
        {"type": "temporal", "condition": "a and b and not c"},
        {"type": "temporal", "condition": "a and (b or c)"},
        {"type": "temporal", "condition": "(a and not b) or (c and not (a or b))"},
        {"type": "temporal", "condition": "a or b", "rules": ["b", "a"]},
        {"type": "temporal_ordered", "rules": ["a", "b"]},
        {"type": "temporal_ordered", "rules": ["c", "a", "b"]},
        {"type": "temporal_ordered", "condition": "c and a and not b"},
        {"type": "temporal_ordered", "condition": "b and not (a and c)"},
        {"type": "temporal_ordered", "condition": "a and b or b and c"},
    ]
)
PARENTS = st.sampled_from(
    [
        None,
        {"type": "event_count", "rules": ["it"], "condition": {"gte": 2}},
        {"type": "event_count", "rules": ["it", "a"], "condition": {"eq": 2}},
        {"type": "temporal_ordered", "rules": ["it", "b"]},
        {"type": "temporal", "condition": "it and not c"},
        {"type": "value_sum", "rules": ["it"], "condition": {"gte": 4, "field": "value"}},
    ]
)
SPANS = st.sampled_from(["5s", "20s", "1m"])


@examples(300)
@given(body=CORRELATIONS, parent=PARENTS, spans=st.tuples(SPANS, SPANS), grouped=st.booleans(), happened=CORRELATED)
def test_native_correlates_as_the_reference(
    body: Mapping[str, object],
    parent: Mapping[str, object] | None,
    spans: tuple[str, str],
    grouped: bool,
    happened: list[tuple[int, str, str, object]],
) -> None:
    by = {"group-by": ["u"]} if grouped else {}
    bodies = [
        {**body, "timespan": spans[0], **by},
        *([] if parent is None else [{**parent, "timespan": spans[1], **by}]),
    ]
    pack = correlated(bodies)
    seen = [Event({"u": u, "k": k, "n": n}, LOGSOURCE, START + at * SECOND) for at, u, k, n in happened]
    assert NativeEngine().run(pack, seen, {}) == ReferenceEngine().run(pack, seen, {})


@examples(40)
@given(body=CORRELATIONS, happened=CORRELATED, data=st.data())
def test_order_of_events_and_of_rules_never_matters(
    body: Mapping[str, object], happened: list[tuple[int, str, str, object]], data: st.DataObject
) -> None:
    bodies = [{**body, "timespan": "20s", "group-by": ["u"]}]
    apart = [(at * 50 + n, u, k, v) for n, (at, u, k, v) in enumerate(happened)]  # equal times keep their order
    seen = [Event({"u": u, "k": k, "n": n}, LOGSOURCE, START + at * SECOND // 50) for at, u, k, n in apart]
    engine = NativeEngine()
    first = engine.run(correlated(bodies), seen, {})
    assert engine.run(correlated(bodies, turn=True), data.draw(st.permutations(seen)), {}) == first


def correlated(bodies: list[dict[str, object]], *, turn: bool = False) -> bytes:
    """A pack of the rules ``a``, ``b``, ``c`` and of correlations ``it`` and ``above``."""
    whole = {key: value for key, value in rule({}, 9).items() if key not in ("detection", "logsource", "id")}
    rules = [
        rule({"s": {"k": word}, "condition": "s"}, number, name=word) for number, word in enumerate("abc", start=1)
    ]
    named = [
        {**whole, "id": f"00000000-0000-4000-8000-00000000001{at}", "name": name, "correlation": body}
        for at, (name, body) in enumerate(zip(("it", "above"), bodies, strict=False))
    ]
    documents = [*rules, *named]
    built = compiled(documents[::-1] if turn else documents)
    assert not built.refused, built.refused
    return built.data


def made(detections: list[Fields]) -> tuple[bytes, list[str]]:
    """A pack of the rules that compile, and their ids."""
    documents = [rule(detection, number) for number, detection in enumerate(detections, start=1)]
    built = compiled(documents, lists=list(LISTS))
    assume(built.linked.rules)
    return built.data, [one.meta.id for one in built.linked.rules]


def turned(table: Mapping[str, object]) -> dict[str, object]:
    """The same mapping, its keys the other way round."""
    return dict(reversed(list(table.items())))
