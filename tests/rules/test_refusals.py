"""Every refusal code of the closed list: a file, the line of its fault, and the good rule beside it that stays."""

from pathlib import Path

import pytest

from tests.rules.conftest import write
from vigla_rules.cli import main
from vigla_rules.compiling import compile_trees
from vigla_rules.findings import Code, Finding
from vigla_rules.layout import read_tree

HEAD = """\
title: Bad
id: 00000000-0000-4000-8000-000000000009
author: Vigla
logsource: {product: case}
"""
GOOD = HEAD.replace("Bad", "Good").replace("9\n", "1\n") + "name: good\ndetection: {s: {f: value}, condition: s}\n"
CORRELATION = """\
title: Bad
id: 00000000-0000-4000-8000-000000000009
author: Vigla
correlation:
    type: event_count
    rules: [good]
    timespan: 5m
    condition: {gte: 3}
"""
FILTER = HEAD + "filter:\n    rules: [nowhere]\n    s: {f: x}\n    condition: not s\n"


def detection(body: str) -> str:
    return HEAD + "detection:\n" + "".join(f"    {line}\n" for line in body.splitlines())


CASES: dict[str, tuple[Code, str, int]] = {
    "unknown modifier": (Code.UNKNOWN_MODIFIER, detection("s:\n    f|contain: x\ncondition: s"), 7),
    "not as modifier": (Code.UNKNOWN_MODIFIER, detection("s:\n    f|not: x\ncondition: s"), 7),
    "undeclared list": (Code.PLACEHOLDER, detection("s:\n    f|expand: '%nobody%'\ncondition: s"), 5),
    "host bits": (
        Code.BAD_CIDR,
        detection("s:\n    f|cidr:\n        - 10.0.0.0/8\n        - 10.0.0.1/8\ncondition: s"),
        9,
    ),
    "look-ahead": (Code.BAD_REGEX, detection("s:\n    f|re: a(?=b)\ncondition: s"), 7),
    "pattern and anchor": (Code.BAD_REGEX, detection("s:\n    f|re|startswith: a|b\ncondition: s"), 7),
    "a date": (Code.BAD_VALUE, detection("s:\n    f: 2026-01-01\ncondition: s"), 7),
    "null in a list": (Code.BAD_VALUE, detection("s:\n    f:\n        - a\n        - null\ncondition: s"), 9),
    "an empty list": (Code.BAD_VALUE, detection("s:\n    f: []\ncondition: s"), 7),
    "hour 25": (Code.BAD_VALUE, detection("s:\n    f|hour: 25\ncondition: s"), 7),
    "no match": (Code.NO_MATCH_SELECTOR, detection("s: {f: x}\ncondition: s and not 1 of filter_*"), 7),
    "undefined": (Code.UNDEFINED_IDENTIFIER, detection("s: {f: x}\ncondition: s or t"), 7),
    "notsel": (Code.RESERVED_NAME, detection("notsel: {f: x}\ncondition: notsel"), 6),
    "upper case": (Code.CONDITION_SYNTAX, detection("s: {f: x}\ncondition: s AND s"), 7),
    "2 of": (Code.CONDITION_SYNTAX, detection("s: {f: x}\ncondition: 2 of s*"), 7),
    "count()": (Code.AGGREGATION, detection("s: {f: x}\ncondition: s | count() by f > 5"), 7),
    "near": (Code.AGGREGATION, detection("s: {f: x}\nt: {f: y}\ncondition: s near t"), 8),
    "timeframe": (Code.LEGACY_TIMEFRAME, detection("s: {f: x}\ntimeframe: 5m\ncondition: s"), 7),
    "unknown rule": (Code.BAD_CORRELATION, CORRELATION.replace("[good]", "[nowhere]"), 6),
    "a cycle of one": (Code.BAD_CORRELATION, CORRELATION.replace("[good]", "[bad]"), 6),
    "an empty range": (Code.BAD_CORRELATION, CORRELATION.replace("{gte: 3}", "{gte: 3, lt: 3}"), 8),
    "months": (Code.BAD_CORRELATION, CORRELATION.replace("5m", "1M"), 7),
    "filter on nothing": (Code.BAD_FILTER, FILTER, 6),
    "filter without effect": (Code.BAD_FILTER, FILTER.replace("[nowhere]", "any").replace("case", "other"), 4),
    "5^n dashes": (Code.TOO_LARGE, detection(f"s:\n    f|windash: '{' '.join(['-a'] * 30)}'\ncondition: s"), 7),
    "a wall of parentheses": (Code.TOO_LARGE, detection(f"s: {{f: x}}\ncondition: {'(' * 60}s{')' * 60}"), 7),
    "values without end": (Code.TOO_LARGE, detection("s:\n    f:\n" + "        - x\n" * 41_000 + "condition: s"), 0),
    "deep": (Code.TOO_LARGE, HEAD + "detection: " + "[" * 100 + "]" * 100 + "\n", 5),
    "the id of another": (Code.DUPLICATE_ID, GOOD.replace("Good", "Bad").replace("name: good\n", ""), 2),
    "no YAML": (Code.YAML, HEAD + "detection: {s: [1\n", 6),
    "an alias": (Code.YAML, HEAD + "detection: &d {s: {f: x}, condition: s}\nmore: *d\n", 5),
    "a bomb": (Code.YAML, "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n", 1),
    "a key twice": (Code.YAML, HEAD + "level: low\nlevel: high\n", 6),
    "a NUL": (Code.YAML, HEAD + "level: lo\0w\n", 5),
    "a Python object": (Code.YAML, HEAD + "level: !!python/object/apply:os.system [x]\n", 5),
}


def refused(root: Path) -> list[Finding]:
    return compile_trees([read_tree(root)], (), lambda _d, _t: None).refused


def test_every_code_has_a_case() -> None:
    assert {code for code, _, _ in CASES.values()} == set(Code)


@pytest.mark.parametrize("name", CASES)
def test_the_fault_is_named_with_its_line_and_the_rest_stays(name: str, tmp_path: Path) -> None:
    code, text, line = CASES[name]
    write(tmp_path / "a_good.yml", GOOD)
    bad = write(tmp_path / "bad.yml", text)
    built = compile_trees([read_tree(tmp_path)], (), lambda _d, _t: None)
    (found,) = built.refused
    assert (found.path, found.code) == (str(bad), code.value), str(found)
    assert found.line == line or not line, str(found)
    assert found.reason
    assert found.suggestion
    assert [rule.meta.title for rule in built.linked.rules] == ["Good"]


def test_strict_fails_on_any_of_them_and_names_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "rules/good.yml", GOOD)
    for at, (_, text, _) in enumerate(CASES.values()):
        write(tmp_path / f"rules/{at:02d}.yml", text.replace("000000000009", f"{100 + at:012d}"))
    arguments = ["compile", str(tmp_path / "rules"), "-o", str(tmp_path / "p.vpk")]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert len(printed.err.splitlines()) == len(CASES)
    assert f"{len(CASES)} refused" in printed.out
    assert main([*arguments, "--strict"]) == 1


@pytest.mark.parametrize(
    ("data", "place", "says"),
    [
        (b"a: 1\n\xff\xfe\n", (2, 1), "byte 5 is not UTF-8"),
        (b"title: x\nid: \xed\xa0\x80\n", (2, 5), "byte 13 is not UTF-8"),
        (b'title: "\\ud800"\n', (1, 11), "invalid Unicode"),
        (b"\xef\xbb\xbf- x\n", (1, 1), "no map"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, place: tuple[int, int], says: str, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(data)
    (found,) = refused(tmp_path)
    assert (found.line, found.column) == place, str(found)
    assert says in found.reason
