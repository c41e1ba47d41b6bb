"""``bench``: counts that hold on any machine; no speed is asserted."""

import json
from pathlib import Path

import pytest

from tests.rules.conftest import RULE, write
from vigla_rules.cli import main
from vigla_rules.commands.bench import dearest
from vigla_rules.engine import EngineError, RuleCost, match_file

LINES = [{"query": "a.onion.example"}, {"query": "b.example"}, {"query": "c.ONION.example", "other": 5}]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    write(tmp_path / "rules/a.yml", RULE)
    never = RULE.replace("0001\n", "0002\n").replace("tor_gateway", "never").replace("Tor Gateway", "Never")
    write(tmp_path / "rules/b.yml", never.replace("condition: selection", "condition: not selection"))
    assert main(["compile", str(tmp_path / "rules"), "-o", str(tmp_path / "p.vpk")]) == 0
    return tmp_path / "p.vpk"


@pytest.fixture
def events(tmp_path: Path) -> Path:
    lines = "\n".join(json.dumps(line) for line in LINES)
    return write(tmp_path / "events.jsonl", f"{lines}\n\nno JSON\n")


def test_it_counts_events_matches_and_candidates(pack: Path, events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["bench", str(pack), str(events), "--logsource", "zeek/dns", "--repeat", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["events"], found["runs"], found["matches"], found["matching_rules"]) == (3, 2, 3, 2)
    assert found["counters"]["jsonl.lines"] == 5
    assert found["candidates_per_event"] >= 1, "the rule that cannot be indexed is one for every event"
    assert [one["title"] for one in found["always"]] == ["Never Looked Up"]
    assert [(one["title"], one["hits"]) for one in found["dearest"]] == [
        ("Never Looked Up", 1),
        ("Tor Gateway Looked Up", 2),
    ]


def test_the_table_is_in_the_users_language(
    pack: Path, events: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["bench", str(pack), str(events), "--logsource", "zeek/dns"]) == 0
    printed = capsys.readouterr().out
    assert "3 events × 1 against 2 rules" in printed
    assert "1 lines are no events" in printed
    assert "1 rules cannot be indexed (questions each):\n  Never Looked Up (1)" in printed
    monkeypatch.setenv("LC_ALL", "el_GR.UTF-8")
    assert main(["bench", str(pack), str(events), "--logsource", "zeek/dns"]) == 0
    assert "3 συμβάντα × 1 με 2 κανόνες" in capsys.readouterr().out


def test_another_log_source_matches_nothing(pack: Path, events: Path) -> None:
    assert not match_file(pack.read_bytes(), events, {"product": "zeek", "service": "ssl"}).matches


def test_what_cannot_be_read_is_said(pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(pack), str(tmp_path / "gone.jsonl"), "--logsource", "zeek/dns"]) == 1
    assert "gone.jsonl" in capsys.readouterr().err
    assert main(["bench", str(write(tmp_path / "x.vpk", "x")), str(tmp_path / "gone"), "--logsource", "a"]) == 1
    assert "no pack" in capsys.readouterr().err
    with pytest.raises(EngineError):
        match_file(b"no pack", tmp_path, {"product": "x"})


def test_dearest_first() -> None:
    costs = [
        RuleCost("a", False, 1, 0.1, 5),
        RuleCost("b", True, 0, 1.0, 2),
        RuleCost("c", False, 1, 0.1, 9),
        RuleCost("d", True, 0, 1.0, 2),
    ]
    assert [cost.rule for cost in dearest(costs)] == ["b", "d", "c", "a"]
