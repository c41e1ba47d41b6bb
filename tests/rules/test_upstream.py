"""The workarounds around pySigma: each test fails once upstream is mended, and its workaround can go."""

import warnings

import pytest
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationCondition
from sigma.exceptions import SigmaError
from sigma.modifiers import SigmaBase64OffsetModifier, SigmaUTF16Modifier, SigmaWideModifier
from sigma.pipelines.sysmon.sysmon import sysmon_pipeline
from sigma.rule import SigmaRule
from sigma.types import SigmaNull, SigmaRegularExpression, SigmaString


def tree(detection: str) -> object:
    text = f"title: t\nlogsource: {{product: x}}\ndetection:\n{detection}"
    return SigmaRule.from_yaml(text).detection.parsed_condition[0].parsed


def test_an_identifier_that_begins_with_not_is_inverted() -> None:
    assert type(tree("  notsel: {f: x}\n  sel: {f: y}\n  condition: notsel\n")).__name__ == "ConditionNOT"


def test_a_pattern_that_matches_nothing_is_dropped() -> None:
    assert tree("  sel: {f: x}\n  condition: all of filter_*\n") is None
    kept = tree("  sel: {f: x}\n  condition: sel and not 1 of filter_*\n")
    assert kept.args[1].args == [None]  # type: ignore[attr-defined]


def test_an_empty_list_is_null() -> None:
    assert isinstance(tree("  sel: {f: []}\n  condition: sel\n").value, SigmaNull)  # type: ignore[attr-defined]


def test_a_part_of_a_time_out_of_range_is_accepted() -> None:
    assert tree("  sel: {f|hour: 25}\n  condition: sel\n") is not None


def test_base64offset_cuts_by_characters() -> None:
    made = SigmaBase64OffsetModifier(None, [], None).modify(SigmaString("άλφα"))  # type: ignore[arg-type]
    assert [str(value) for value in made.values] != ["zqzOu8+GzrE", "OrM67z4bOs", "M6szrvPhs6x"]


def test_utf16_writes_the_wrong_mark_and_wide_refuses_greek() -> None:
    made = SigmaUTF16Modifier(None, [], None).modify(SigmaString("a"))  # type: ignore[arg-type]
    assert "".join(str(part) for part in made.s).encode()[:3] == b"\xef\xbb\xbf"
    with pytest.raises(SigmaError):
        SigmaWideModifier(None, [], None).modify(SigmaString("ά"))  # type: ignore[arg-type]


def test_dashes_multiply() -> None:
    found = tree("  sel: {f|windash: -a -b -c -d}\n  condition: sel\n")
    assert len(found.value.values) == 5**4  # type: ignore[attr-defined]


def test_timeframe_is_taken_for_a_selection() -> None:
    text = "title: t\nlogsource: {product: x}\ndetection:\n  sel: {f: x}\n  timeframe: 5m\n  condition: sel\n"
    assert "timeframe" in SigmaRule.from_yaml(text).detection.detections


def test_correlation_thresholds_lose_their_fraction_and_take_one_operator() -> None:
    assert SigmaCorrelationCondition.from_dict({"gte": 3.5}).count == 3
    with pytest.raises(SigmaError):
        SigmaCorrelationCondition.from_dict({"gte": 3, "lte": 5})
    assert SigmaCorrelationCondition.from_dict({"gte": 3, "percentile": 150}).percentile == 150


def test_a_filter_on_an_unknown_rule_is_silent() -> None:
    text = (
        "title: t\nid: 00000000-0000-4000-8000-000000000001\nlogsource: {product: x}\n"
        "detection:\n  sel: {f: x}\n  condition: sel\n---\n"
        "title: f\nlogsource: {product: x}\nfilter:\n  rules: [nowhere]\n  s: {g: y}\n  condition: not s\n"
    )
    collection = SigmaCollection.from_yaml(text)
    assert not collection.errors
    assert collection.rules[0].detection.condition == ["sel"]  # type: ignore[union-attr]


CORRELATION = (
    "title: a\nid: 00000000-0000-4000-8000-000000000001\nname: a\nlogsource: {product: x}\n"
    "detection:\n  sel: {f: x}\n  condition: sel\n---\n"
    "title: c\nid: 00000000-0000-4000-8000-000000000002\nname: c\ncorrelation:\n  type: event_count\n  rules: [a]\n"
    "  group-by: [f]\n  timespan: 5m\n  condition: {gte: 2}\n"
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rules: [a]", "rules: [c]"),
        ("  group-by: [f]\n", "  group-by: [f]\n  aliases: {f: {elsewhere: g}}\n"),
        ("  timespan: 5m\n", "  timespan: 5m\n  window: tumbling\n"),
    ],
    ids=["itself", "alias of a rule that is not listed", "unknown key"],
)
def test_correlations_are_not_checked(old: str, new: str) -> None:
    assert old in CORRELATION
    collection = SigmaCollection.from_yaml(CORRELATION.replace(old, new))
    assert not collection.errors
    assert len(collection.rules) == 2


@pytest.mark.parametrize(
    ("logsource", "rule"),
    [("product: x, service: narrower", "a"), ("product: other", "a"), ("product: x", "c")],
    ids=["narrower log source", "other log source", "a correlation"],
)
def test_a_filter_without_effect_is_silent(logsource: str, rule: str) -> None:
    text = f"---\ntitle: f\nlogsource: {{{logsource}}}\nfilter:\n  rules: [{rule}]\n  s: {{g: y}}\n  condition: not s\n"
    collection = SigmaCollection.from_yaml(CORRELATION + text)
    assert not collection.errors
    assert collection["a"].detection.condition == ["sel"]  # type: ignore[union-attr]


def test_what_filters_and_pipelines_add_is_named_at_random() -> None:
    text = "---\ntitle: f\nlogsource: {product: x}\nfilter:\n  rules: [a]\n  s: {g: y}\n  condition: not s\n"
    named = set()
    for _ in range(2):
        named.update(SigmaCollection.from_yaml(CORRELATION + text)["a"].detection.detections)  # type: ignore[union-attr]
    assert len(named - {"sel"}) == 2
    added = set()
    for _ in range(2):
        rule = SigmaRule.from_yaml(
            "title: t\nlogsource: {category: process_creation, product: windows}\n"
            "detection: {s: {f: x}, condition: s}\n"
        )
        sysmon_pipeline().apply(rule)
        added.update(rule.detection.detections)
    assert len(added - {"s"}) == 2


def test_near_is_a_bare_syntax_error() -> None:
    with pytest.raises(SigmaError) as caught:
        tree("  s: {f: x}\n  t: {f: y}\n  condition: s near t\n")
    assert "temporal" not in str(caught.value)


@pytest.mark.parametrize("pattern", ["[a[b]", "[a&&b]", "a{x", "(?=a)b", "\\Z"])
def test_patterns_that_rust_reads_otherwise_are_accepted(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        SigmaRegularExpression(pattern)


def test_an_anchor_modifier_behind_a_pattern_is_grouped_wrongly() -> None:
    found = tree("  sel: {f|re|startswith: a|b}\n  condition: sel\n")
    assert str(found.value.regexp) == "a|b.*"  # type: ignore[attr-defined]
