"""Hostile and broken YAML: one finding each, with its line, and nothing escapes."""

import pytest

from tests.sigma.packs import compiled, rule
from vigla_rules.documents import MAX_BYTES, read_documents
from vigla_rules.findings import Code, Refusal

GOOD = rule({"s": {"f": "x"}, "condition": "s"}, 2)


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (b"a: [1", Code.YAML, "did not find"),
        (b"a: 1\nb: 2\na: 3\n", Code.YAML, "key 'a' occurs twice"),
        (b"x: &a [1]\ny: *a\n", Code.YAML, "an alias"),
        (b"a: &a [*a]\n", Code.YAML, "an alias"),
        (b"? [a]\n: 1\n", Code.YAML, "a key is not a word"),
        (b"a: \xff\n", Code.YAML, "byte 3 is not UTF-8"),
        (b"a: 2026-13-45\n", Code.YAML, "month"),
        (b"a: !!python/object:os.system x\n", Code.YAML, "could not determine a constructor"),
        (b"a: \x00\n", Code.YAML, "not readable"),
        (b"a: " + b"[" * 80 + b"]" * 80, Code.TOO_LARGE, "nested deeper than 64"),
        (b"[" * 200_000, Code.TOO_LARGE, "nested deeper than 64"),
        (b"- " * 100_000, Code.TOO_LARGE, "nested deeper than 64"),
        (b"".join(b" " * at + b"a:\n" for at in range(400)), Code.TOO_LARGE, "nested deeper than 64"),
        (b"a: [" + b"1," * 45_000 + b"]", Code.TOO_LARGE, "more than 10000 values"),
        (b" " * (MAX_BYTES + 1), Code.TOO_LARGE, "bytes"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else str(value),
)
def test_refused(data: bytes, code: Code, reason: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_documents(data)
    assert caught.value.code is code
    assert reason in caught.value.reason


def test_places_are_those_of_the_keys() -> None:
    document = read_documents(b"# comment\na:\n  b:\n    - x\n    - {c: 1}\n")[0]
    assert document.place(()) == (2, 1)
    assert document.place(("a", "b")) == (3, 3)
    assert document.place(("a", "b", 1)) == (5, 7)
    assert document.place(("a", "b", 1, "c")) == (5, 8)
    assert document.place(("a", "no", "such")) == (2, 1), "the deepest place that exists"


@pytest.mark.parametrize("text", ["a: [1", "- x\n", "word", "title: 5\n", "title: x\ndetection: [1]\nlogsource: 5\n"])
def test_a_broken_file_stops_nothing_else(text: str) -> None:
    built = compiled([text, GOOD])
    assert [finding.path for finding in built.refused] == ["rule_1.yml"]
    assert [draft.meta.title for draft in built.linked.rules] == ["Rule 2"]


def test_a_finding_reads_as_path_line_column_code_reason_suggestion() -> None:
    text = (
        "title: A rule\nid: 00000000-0000-4000-8000-000000000001\nauthor: Vigla\n"
        "logsource: {product: case}\ndetection:\n    selection:\n        name|contain: x\n    condition: selection\n"
    )
    assert str(compiled([text]).refused[0]) == (
        "rule_1.yml:7:9: error[unknown-modifier] modifier 'contain'; did you mean 'contains'? "
        "(A rule, 00000000-0000-4000-8000-000000000001)"
    )


def test_several_documents_and_their_actions() -> None:
    text = """
action: global
logsource: {product: case}
author: Vigla
---
title: One
id: 00000000-0000-4000-8000-000000000001
detection: {s: {f: x}, condition: s}
---
action: repeat
id: 00000000-0000-4000-8000-000000000002
title: Two
detection: {s: {f: y}}
---
action: reset
---
title: Three
id: 00000000-0000-4000-8000-000000000003
detection: {s: {f: z}, condition: s}
"""
    built = compiled([text])
    assert [draft.meta.title for draft in built.linked.rules] == ["One", "Two"]
    assert built.linked.rules[1].meta.author == "Vigla"
    assert [(finding.title, finding.code) for finding in built.refused] == [("Three", "bad-value")], (
        "no log source left"
    )
    assert built.refused[0].line == 17


def test_duplicate_ids_keep_the_first() -> None:
    built = compiled([GOOD, {**GOOD, "title": "Again"}])
    assert [finding.code for finding in built.refused] == ["duplicate-id"]
    assert "rule_1.yml" in built.refused[0].reason
    assert [draft.meta.title for draft in built.linked.rules] == ["Rule 2"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "no id"),
        ({"id": "5"}, "UUID"),
        ({"title": None}, "title"),
        ({"level": "severe"}, "level"),
        ({"status": "done"}, "status"),
        ({"date": "yesterday"}, "date"),
        ({"tags": "attack.t1"}, "tags"),
        ({"logsource": {}}, "log source"),
        ({"detection": None}, "no map"),
    ],
)
def test_metadata_is_checked(change: dict, reason: str) -> None:  # type: ignore[type-arg]
    document = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    built = compiled([document])
    assert [finding.code for finding in built.refused] == ["bad-value"]
    assert reason in built.refused[0].reason


def test_warnings_name_their_line() -> None:
    detection = {
        "s": {"f|contains|all": "x", "g|contains": "", "h|re": "(?i)x", "i|gt": [1, 2]},
        "unused": {"f": "x"},
        "condition": "s",
    }
    built = compiled([{**rule(detection), "author": ""}])
    assert not built.refused
    codes = {finding.code for finding in built.findings}
    assert codes == {"all-on-one", "contains-empty", "inline-flags", "compare-list", "unused-selection", "no-author"}
    assert all(finding.line > 1 for finding in built.findings)


@pytest.mark.parametrize(
    ("detection", "code"),
    [
        ({"s": {"f": "x"}, "condition": "not " * 1900 + "s"}, "too-large"),
        ({"s": {"f": "x"}, "condition": " or ".join(["s"] * 1500)}, None),
        ({"s": {"f": "x"}, "condition": " and not ".join(["s"] * 700)}, None),
        ({"s": {"f": "x"}, "condition": "s " * 5000}, "too-large"),
        ({"s": {"f|windash": [f"-a{n} -b -c" for n in range(200)]}, "condition": "s"}, "too-large"),
        ({"s": {"f": [f"v{n}" for n in range(9000)]}, "condition": "s"}, None),
    ],
    ids=["nots", "ors", "and-nots", "words", "dashes", "values"],
)
def test_large_conditions_end_in_an_answer(detection: dict, code: str | None) -> None:  # type: ignore[type-arg]
    built = compiled([rule(detection, 1), GOOD])
    assert [finding.code for finding in built.refused] == ([code] if code else [])
    assert built.linked.rules[-1].meta.title == "Rule 2"
