"""`vigla-sensor explain`: why a rule did or did not match, for people and for machines."""

import json
from pathlib import Path

import pytest

from tests.sensor.native.packs import pack
from vigla_sensor.cli import main
from vigla_sensor.cli.explanation import ENGLISH, GREEK, Paint, colored, language, lines

RULES = {
    "fields": ["Channel", "CommandLine", "EventID", "User"],
    "predicates": [
        {"op": "eq", "field": 0, "value": "Security"},
        {"op": "contains", "field": 1, "value": "whoami"},
        {"op": "eq", "field": 3, "value": "backup"},
        {"op": "contains", "field": None, "value": "x"},
    ],
    "nodes": [{"p": 0}, {"p": 1}, {"p": 2}, {"not": 2}, {"p": 3}, {"or": [1, 4]}, {"and": [5, 3]}],
    "rules": [
        {
            "id": "0d1f0f1a-6f2e-4c55-8a51-2f1c1a2b3c4d",
            "name": "who_am_i",
            "title": "Who Am I",
            "logsource": {"product": "windows", "category": "process_creation"},
            "gates": [0],
            "condition": 6,
            "selections": {"selection": 1, "filter_main_backup": 2},
        }
    ],
    "correlations": [
        {
            "id": "often",
            "title": "Often",
            "type": "event_count",
            "rules": ["0d1f0f1a-6f2e-4c55-8a51-2f1c1a2b3c4d"],
            "group_by": [],
            "timespan_ms": 1000,
            "field": [],
            "condition": [{"op": "gte", "value": 2}],
        }
    ],
}
EVENT = {
    "Event": {
        "System": {"EventID": 4688, "Channel": "Security"},
        "EventData": {"CommandLine": "C:\\whoami.exe\x1b[2J", "Channel": "hidden"},
    }
}


@pytest.fixture
def vpk(tmp_path: Path) -> Path:
    path = tmp_path / "rules.vpk"
    path.write_bytes(pack(RULES))
    return path


def explain(vpk: Path, event: object, *more: str, rule: str = "who_am_i") -> int:
    path = vpk.with_name("event.json")
    path.write_bytes(event if isinstance(event, bytes) else json.dumps(event).encode())
    return main(["explain", "--pack", str(vpk), "--rule", rule, *more, str(path)])


def test_the_tree_says_what_holds_at_each_node(vpk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(vpk, EVENT, "--language", "en") == 0
    assert capsys.readouterr().out == (
        "Who Am I (0d1f0f1a-6f2e-4c55-8a51-2f1c1a2b3c4d): matches\n"
        "as windows/process_creation\n"
        "  class of the event\n"
        '    true     Channel is "security"  (found: "Security")\n'
        "  condition\n"
        "    true     all of\n"
        "      true     any of\n"
        '        true     selection: CommandLine contains "whoami"  (found: "C:\\whoami.exe\\x1b[2J")\n'
        '        true     any field contains "x"  (found: nothing)\n'
        "      true     not\n"
        '        missing  filter_main_backup: User is "backup"\n'
    )
    assert explain(vpk, EVENT, "--language", "el") == 0
    said = capsys.readouterr().out
    assert "Who Am I (0d1f0f1a-6f2e-4c55-8a51-2f1c1a2b3c4d): ταιριάζει" in said
    assert 'λείπει  filter_main_backup: User είναι "backup"' in said


def test_the_raw_tree(vpk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(vpk, EVENT, "--json", "--logsource", "windows") == 0
    tree = json.loads(capsys.readouterr().out)
    assert (tree["matches"], tree["event"]) == (False, {"number": 1, "of": 1})
    assert tree["views"][0]["serves"] is False
    assert tree["views"][0]["condition"]["verdict"] == "true"


def test_the_log_source_of_the_event_may_be_said(vpk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(vpk, EVENT, "--language", "en", "--logsource", "windows/security") == 0
    said = capsys.readouterr().out
    assert "does not match" in said
    assert "as windows/security: this rule does not serve it" in said
    assert explain(vpk, EVENT, "--logsource", "product=windows,category=process_creation", "--language", "en") == 0
    assert "): matches\n" in capsys.readouterr().out
    assert explain(vpk, EVENT, "--logsource", "windows/") == 2


def test_hits_printed_events_and_other_layouts(vpk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hit = {
        "logsource": {"product": "windows", "category": "process_creation"},
        "event": {"CommandLine": "whoami", "Channel": "Security"},
    }
    for event in (
        hit,
        {"_path": "json", "ts": 1.0, "CommandLine": "whoami", "Channel": "Security"},
        b"\xff\xfe" + json.dumps(EVENT, indent=2).encode("utf-16-le"),
        b'{"CommandLine": "whoami \\ud800", "Channel": "Security"}',
        b'{"CommandLine": "no", "CommandLine": "whoami", "Channel": "Security"}',
    ):
        assert explain(vpk, event, "--language", "en") == 0
        assert "): matches\n" in capsys.readouterr().out, event
    assert explain(vpk, {"_path": "dns", "query": "x"}, "--language", "en") == 0
    assert "as zeek/dns: this rule does not serve it" in capsys.readouterr().out


def test_of_several_events_one_is_chosen(vpk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    several = b'{"CommandLine": "whoami", "Channel": "Security"}\n{"CommandLine": "no"}'
    assert explain(vpk, several, "--number", "2", "--language", "en") == 0
    said = capsys.readouterr().out
    assert "does not match\nevent 2 of 2\n" in said
    assert explain(vpk, several, "--number", "3") == 1
    assert "there is no event 3: the input holds 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("who_am_y", "did you mean 'who_am_i'?"),
        ("0d1f0f1a-6f2e-4c55-8a51-2f1c1a2b3c4e", "did you mean '0d1f0f1a-6f2e-4c55-8a51-2f1c1a2b3c4d'?"),
        ("Who Am You", "did you mean 'Who Am I'?"),
        ("something else entirely", "an id, name or title of its 1 rules"),
        ("often", "'often' is a correlation: it counts hits of rules and reads no event; explain one of 0d1f0f1a"),
    ],
)
def test_an_unknown_rule_is_answered_with_the_nearest(
    vpk: Path, capsys: pytest.CaptureFixture[str], rule: str, why: str
) -> None:
    assert explain(vpk, EVENT, rule=rule) == 1
    assert why in capsys.readouterr().err


def test_what_is_no_event_is_refused_with_its_line(vpk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(vpk, b"{}\n[1]") == 1
    assert "line 2: it is JSON and no object" in capsys.readouterr().err
    assert explain(vpk, b"") == 1
    assert "the input holds 0" in capsys.readouterr().err


def test_colors_are_for_terminals_and_can_be_refused() -> None:
    assert colored({}, terminal=True)
    assert not colored({}, terminal=False)
    assert not colored({"NO_COLOR": "1"}, terminal=True)
    assert colored({"NO_COLOR": ""}, terminal=True)
    assert not colored({"TERM": "dumb"}, terminal=True)


def test_the_language_is_the_locale_s() -> None:
    assert language({"LANG": "el_GR.UTF-8"}) == "el"
    assert language({"LC_ALL": "C", "LANG": "el_GR.UTF-8"}) == "en"
    assert language({}) == "en"


def test_every_operator_has_words_and_colors_wrap_verdicts_only() -> None:
    assert set(ENGLISH.operators) == set(GREEK.operators)
    test = {"field": "f", "op": "eq", "value": "v" * 500, "actual": list(range(20)), "verdict": "true"}
    source = {"product": "p", "category": None, "service": None}
    view = {"logsource": source, "alias": False, "serves": True, "guard": True, "gates": [], "condition": test}
    tree = {"rule": "r", "title": "t", "matches": True, "inactive_lists": ["vips"], "views": [view]}
    tree["event"] = {"number": 1, "of": 1}
    said = "\n".join(lines(tree, ENGLISH, Paint(on=True)))
    assert "\x1b[32mtrue   \x1b[0m" in said
    assert "the list vips is not filled" in said
    assert "v" * 160 + "…" in said
    assert "and 12 more" in said
    assert "\x1b" not in "\n".join(lines(tree, ENGLISH, Paint(on=False)))
