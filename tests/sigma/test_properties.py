"""Random rules over random events, drawn to collide: the native engine answers as the reference does."""

from collections.abc import Mapping

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.sigma.engines import NativeEngine, ReferenceEngine
from tests.sigma.packs import LOGSOURCE, compiled, rule
from tests.sigma.reference import Event

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
FIELDS = ["f", "g", "h"]
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "a",
            "A",
            "ab",
            "abc",
            "bc",
            "c\nd",
            "Σ",
            "σς",
            "ΟΔΟΣ",
            "οδος",
            "ά",
            "1",
            "12",
            "1.5",
            "true",
            "-1",
            "\\",
            "a\\b",
            "10.0.0.1",
            "2001:db8::1",
            "2026-03-01T23:30:00+02:00",
            "a b",
            "a  b",
            "/x",
            "-x y",
        ]
    ),
    st.text(alphabet="abΣσς1*?\\ ", max_size=5),
)
SCALARS = st.one_of(TEXTS, st.sampled_from([1, 12, -1, 1.5, 0, True, False, None]))
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3))
EVENTS = st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3), min_size=1, max_size=6)
ONE_OR_MORE = lambda member: st.one_of(member, st.lists(member, min_size=1, max_size=3))  # noqa: E731
PATTERNS = st.sampled_from(["a", "^a", "b$", "a.c", "[ab]+$", "Σ", "(a|σ)b?", "\\d", "\\w{2}", "^$", "a\\\\b", "."])
ITEMS = st.one_of(
    st.tuples(st.sampled_from(["", "|contains", "|startswith", "|endswith"]), ONE_OR_MORE(TEXTS)),
    st.tuples(st.sampled_from(["|contains|all", "|startswith|all", "|contains|neq", "|neq"]), ONE_OR_MORE(TEXTS)),
    st.tuples(
        st.sampled_from(["|cased", "|contains|cased", "|endswith|cased", "|cased|startswith"]), ONE_OR_MORE(TEXTS)
    ),
    st.tuples(st.just(""), st.sampled_from([1, 12, 1.5, -1, True, False, None])),
    st.tuples(st.sampled_from(["|re", "|re|i", "|re|m", "|re|s"]), ONE_OR_MORE(PATTERNS)),
    st.tuples(st.sampled_from(["|lt", "|lte", "|gt", "|gte"]), st.sampled_from([0, 1, 1.5, 12, -1])),
    st.tuples(st.just("|exists"), st.booleans()),
    st.tuples(
        st.sampled_from(["|fieldref", "|fieldref|startswith", "|fieldref|contains", "|fieldref|neq"]),
        st.sampled_from(FIELDS),
    ),
    st.tuples(
        st.just("|cidr"), ONE_OR_MORE(st.sampled_from(["10.0.0.0/8", "10.0.0.1/32", "2001:db8::/32", "0.0.0.0/0"]))
    ),
    st.tuples(st.sampled_from(["|windash", "|contains|windash"]), st.sampled_from(["-x", "/x", "a -x"])),
    st.tuples(st.sampled_from(["|hour", "|day", "|week|gte"]), st.sampled_from([1, 9, 21])),
)
SELECTIONS = st.one_of(
    st.lists(st.tuples(st.sampled_from(FIELDS), ITEMS), min_size=1, max_size=3).map(
        lambda items: {field + modifier: value for field, (modifier, value) in items}
    ),
    st.lists(st.sampled_from(["a", "ab", "Σ", "a*c", "\\"]), min_size=1, max_size=2),
)
CONDITIONS = st.sampled_from(
    [
        "s1",
        "not s1",
        "s1 and s2",
        "s1 or s2",
        "s1 and not s2",
        "not (s1 or s2) and s3",
        "1 of s*",
        "all of s*",
        "not 1 of s*",
        "s1 and (s2 or not s3)",
        "1 of s1* or all of s2*",
    ]
)
DETECTIONS = st.fixed_dictionaries({"s1": SELECTIONS, "s2": SELECTIONS, "s3": SELECTIONS, "condition": CONDITIONS})


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(detections=st.lists(DETECTIONS, min_size=1, max_size=6), events=EVENTS)
def test_native_answers_as_the_reference(detections: list[dict[str, object]], events: list[dict[str, object]]) -> None:
    pack, seen = made(detections, events)
    assert NativeEngine().run(pack, seen, {}) == ReferenceEngine().run(pack, seen, {})


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(detections=st.lists(DETECTIONS, min_size=2, max_size=5), events=EVENTS)
def test_order_of_rules_and_of_fields_never_matters(
    detections: list[dict[str, object]], events: list[dict[str, object]]
) -> None:
    first, seen = made(detections, events)
    numbered = list(enumerate(detections, start=1))
    second = compiled([rule(turned(detection), number) for number, detection in reversed(numbered)]).data
    mirrored = [Event(turned(event.fields), event.logsource, event.ts) for event in seen]
    engine = NativeEngine()
    assert engine.run(first, seen, {}) == engine.run(second, mirrored, {})


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


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    patterns=st.lists(st.tuples(REGEXES, st.sampled_from(["|re", "|re|i", "|re|m", "|re|s"])), min_size=1, max_size=8),
    texts=st.lists(st.text(alphabet="ab1 _-.Σσςά$\n", max_size=6), min_size=1, max_size=8),
)
def test_patterns_are_read_alike(patterns: list[tuple[str, str]], texts: list[str]) -> None:
    detections: list[dict[str, object]] = [{"s": {"f" + flag: pattern}, "condition": "s"} for pattern, flag in patterns]
    pack, seen = made(detections, [{"f": text} for text in texts])
    assert NativeEngine().run(pack, seen, {}) == ReferenceEngine().run(pack, seen, {})


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


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
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


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
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


def made(detections: list[dict[str, object]], events: list[dict[str, object]]) -> tuple[bytes, list[Event]]:
    """A pack of the rules that compile, and the events a second apart."""
    built = compiled([rule(detection, number) for number, detection in enumerate(detections, start=1)])
    assume(built.linked.rules)
    return built.data, [Event(fields, LOGSOURCE, START + at * SECOND) for at, fields in enumerate(events)]


def turned(table: Mapping[str, object]) -> dict[str, object]:
    """The same mapping, its keys the other way round."""
    return dict(reversed(list(table.items())))
