"""The suite as a program: what it prints, when it fails, and that the published document is of these cases."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.sigma.conformance import engines_table, framed, read_case, read_cases, reasons_table, yaml_text

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs/sigma-conformance.md"
ENGINE = """
import json, pathlib, sys
rule = json.dumps([p.read_text(encoding="utf-8") for p in sorted(pathlib.Path(sys.argv[1]).iterdir())])
events = pathlib.Path(sys.argv[2]).read_bytes()
if "contain\\\\\\"" in rule:
    sys.exit("error: unknown modifier")
if b'"f": "ABC"' in events:
    print("matched")
"""


def test_the_tables_of_the_document_are_of_these_cases() -> None:
    cases, text = read_cases(), DOCUMENT.read_text(encoding="utf-8")
    assert engines_table(cases) in text, "write the tables again: python3 tests/sigma/conformance.py --tables"
    for engine in {engine for case in cases for engine in case.differs}:
        assert reasons_table(cases, engine) in text, engine


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"b": ["x", {"c": None, "d": [1.5, True]}], "e": {}}, "f|re": "a\\d: #\n'\"", "Ά": "σ"},
        framed({"detection": {"s": {"f": ["*", ""]}, "condition": ["s", "not s"]}}, 7),
    ],
)
def test_what_is_written_is_read_again(value: object) -> None:
    assert yaml.safe_load(yaml_text(value)) == value


def test_a_part_is_taken_away_by_null() -> None:
    assert "logsource" not in framed({"logsource": None, "x": None}, 1)
    assert "x" in framed({"logsource": None, "x": None}, 1)


def run(tmp_path: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    engine, cases = tmp_path / "engine.py", tmp_path / "cases.jsonl"
    engine.write_text(ENGINE, encoding="utf-8")
    cases.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    command = f"{sys.executable} {engine} {{rules}} {{events}}"
    return subprocess.run(
        [sys.executable, HERE / "conformance.py", "--cases", cases, "--command", command, "--engine", "it"],
        capture_output=True,
        text=True,
        check=False,
    )


MATCH = '{"clause": "a", "rule": {"detection": {"s": {"f": "abc"}, "condition": "s"}}, "event": {"f": "ABC"}, "verdict": true, "why": "folded"}'  # noqa: E501
REFUSED = '{"clause": "b", "rule": {"detection": {"s": {"f|contain": "x"}, "condition": "s"}}, "refused": "unknown-modifier", "why": "unknown"}'  # noqa: E501
ACCEPTED = '{"clause": "c", "rule": {"detection": {"s": {"f|not": "x"}, "condition": "s"}}, "refused": "unknown-modifier", "why": "not"}'  # noqa: E501


def test_an_engine_that_answers_as_the_suite_passes(tmp_path: Path) -> None:
    done = run(tmp_path, MATCH, REFUSED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].split() == ["all", "2", "2", "0", "0"]


def test_a_new_difference_fails_and_a_recorded_one_does_not(tmp_path: Path) -> None:
    done = run(tmp_path, MATCH, ACCEPTED)
    assert done.returncode == 1
    assert "the suite says refused, it says accepted  NEW" in done.stdout
    recorded = ACCEPTED[:-1] + ', "differs": {"it": {"verdict": "accepted", "whose": "theirs", "why": "knows not"}}}'
    done = run(tmp_path, MATCH, recorded)
    assert done.returncode == 0
    assert "accepted  knows not" in done.stdout


def test_events_may_be_bytes() -> None:
    case = read_case({"clause": "x", "why": "x", "yaml": "a", "event_base64": "/w==", "verdict": False})
    assert case.events == (b"\xff",)
