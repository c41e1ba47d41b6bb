"""``check`` on the rules themselves: what cannot be indexed, names that look alike, pySigma's validators with lines."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.rules.conftest import PACK_TOML, RULE, write
from tests.sigma.packs import compiled, rule
from vigla_rules.checking.check import check_tree
from vigla_rules.checking.cost import check_cost
from vigla_rules.checking.names import check_names
from vigla_rules.cli import main
from vigla_rules.engine import EngineError, RuleCost, index_report
from vigla_rules.findings import Finding
from vigla_rules.layout import read_tree

NOTHING_REQUIRED = {
    "only a negation": {"s": {"f": "value"}, "condition": "not s"},
    "one-character wildcards": {"s": {"f": "??"}, "condition": "s"},
    "presence": {"s": {"f|exists": True}, "condition": "s"},
    "absence": {"s": {"f": None}, "condition": "s"},
    "a comparison": {"s": {"f|gte": 5}, "condition": "s"},
    "one alternative that is open": {"a": {"f": "value"}, "b": {"g|exists": True}, "condition": "a or b"},
}
REQUIRED = {
    "a value": {"s": {"f": "value"}, "condition": "s"},
    "a value beside a negation": {"s": {"f": "value"}, "n": {"g": "x"}, "condition": "s and not n"},
}


@pytest.mark.parametrize("name", NOTHING_REQUIRED)
def test_a_rule_without_a_witness_is_named_with_its_cost(name: str) -> None:
    built = compiled([rule(NOTHING_REQUIRED[name])])
    (found,) = check_cost(built.linked, index_report(built.data))
    assert (found.code, found.severity) == ("not-indexed", "warning")
    assert "every event of product case" in found.reason
    assert f"up to {2 if 'alternative' in name else 1} questions" in found.reason


@pytest.mark.parametrize("name", REQUIRED)
def test_a_rule_with_a_witness_is_not(name: str) -> None:
    built = compiled([rule(REQUIRED[name])])
    assert not list(check_cost(built.linked, index_report(built.data)))


def test_the_command_names_it_with_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = write(tmp_path / "rules/a.yml", RULE.replace("condition: selection", "condition: not selection"))
    assert main(["check", str(tmp_path / "rules")]) == 0
    printed = capsys.readouterr().out
    assert f"{bad}:11:1: warning[not-indexed] cannot be indexed: every event of product zeek, service dns" in printed


def test_without_the_core_the_other_checks_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(_pack: bytes) -> list[RuleCost]:
        raise EngineError("vigla_native is not installed")

    monkeypatch.setattr("vigla_rules.commands.check.index_report", absent)
    write(tmp_path / "rules/a.yml", RULE.replace("author: Vigla\n", ""))
    assert main(["check", str(tmp_path / "rules")]) == 0
    printed = capsys.readouterr()
    assert "rules that cannot be indexed are not named: vigla_native is not installed" in printed.err
    assert "warning[no-author]" in printed.out


def test_the_core_says_why_it_refuses_a_pack() -> None:
    with pytest.raises(EngineError, match="the core refuses the pack"):
        index_report(b"no pack")


def named(*detections: dict[str, object], lists: Sequence[str] = ()) -> list[Finding]:
    built = compiled([rule(one, at) for at, one in enumerate(detections, start=1)], lists=lists)
    assert not built.refused
    return list(check_names(built.linked, set(lists)))


def test_a_field_that_differs_in_case_alone() -> None:
    usual = {"s": {"CommandLine": "x"}, "condition": "s"}
    (found,) = named(usual, usual, {"s": {"Commandline": "x"}, "condition": "s"})
    assert found.code == "field-case"
    assert found.suggestion == "did you mean 'CommandLine', as in most rules?"
    assert found.title == "Rule 3"
    assert not named(usual, usual)


def test_an_accented_literal_prints_both_spellings_until_both_are_there() -> None:
    (found,) = named({"s": {"f|contains": "Ελλάδα"}, "condition": "s"})
    assert "'Ελλάδα' does not match 'Ελλαδα'" in found.reason
    assert found.suggestion == "list both: ['Ελλάδα', 'Ελλαδα']"
    assert not named({"s": {"f|contains": ["Ελλάδα", "ΕΛΛΑΔΑ"]}, "condition": "s"})
    assert not named({"s": {"f|re": "Ελλάδα"}, "condition": "s"}), "a pattern sees the original"


def test_the_name_of_a_list_as_plain_text() -> None:
    (found,) = named({"s": {"f": "%users%"}, "condition": "s"}, lists=["users"])
    assert (found.code, found.suggestion) == ("list-as-text", "add the modifier `expand`")
    assert not named({"s": {"f": "%users%"}, "condition": "s"}), "no such list: an environment variable"
    assert not named({"s": {"f|expand": "%users%"}, "condition": "s"}, lists=["users"])


WARNED = {
    "all-on-one": ({"s": {"f|contains|all": "value"}, "condition": "s"}, "drop it"),
    "compare-list": ({"s": {"f|gte": [1, 2]}, "condition": "s"}, "keep the widest"),
    "contains-empty": ({"s": {"f|contains": ""}, "condition": "s"}, "`exists: true`"),
    "inline-flags": ({"s": {"f|re": "(?i)abc"}, "condition": "s"}, "use the modifier"),
    "unused-selection": ({"s": {"f": "value"}, "t": {"f": "x"}, "condition": "s"}, "drop it"),
}


@pytest.mark.parametrize("code", WARNED)
def test_what_is_accepted_and_warned(code: str) -> None:
    detection, advice = WARNED[code]
    built = compiled([rule(detection)])
    assert len(built.linked.rules) == 1
    (found,) = [finding for finding in built.findings if finding.code == code]
    assert found.severity == "warning"
    assert advice in found.suggestion
    assert found.line > 6, "inside the detection"


@pytest.mark.parametrize(("condition", "narrows"), [("s", True), ("not s", False), ("not(s)", False), ("some", True)])
def test_a_filter_without_not(condition: str, narrows: bool) -> None:
    one = {"title": "f", "id": "00000000-0000-4000-8000-0000000000ff", "author": "v", "logsource": {"product": "case"}}
    section = {
        "rules": ["rule_1"],
        "some" if condition == "some" else "s": {"g": "x"},
        "condition": condition,
    }
    built = compiled([rule({"s": {"f": "x"}, "condition": "s"}), {**one, "filter": section}])
    assert bool([found for found in built.findings if found.code == "filter-narrows"]) is narrows


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("query|endswith: .onion.example", "query: '*.onion.example'", "pysigma-WildcardInsteadOfEndswith", 13),
        ("query|endswith: .onion.example", "query: 'a**b'", "pysigma-DoubleWildcard", 13),
        ("attack.t1090.003]", "attack.t1090.003, attack.t1090.003]", "pysigma-DuplicateTag", 9),
        (
            "[https://attack.mitre.org/techniques/T1090/003/]",
            "[https://x.example, https://x.example]",
            "pysigma-DuplicateReferences",
            6,
        ),
    ],
)
def test_pysigmas_validators_have_a_line(pack_dir: Path, old: str, new: str, code: str, line: int) -> None:
    assert old in RULE
    write(pack_dir / "detections/c2/tor_gateway.yml", RULE.replace(old, new))
    found = check_tree(read_tree(pack_dir), (), lambda _d, _t: None)[1]
    assert [finding.line for finding in found if finding.code == code] == [line], [str(f) for f in found]


def test_validators_ask_no_network(pack_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_arguments: object, **_named: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refused)
    monkeypatch.setattr("socket.getaddrinfo", refused)
    write(pack_dir / "detections/c2/tor_gateway.yml", RULE.replace("attack.t1090.003", "attack.t9999"))
    found = check_tree(read_tree(pack_dir), (), lambda _d, _t: None)[1]
    assert [finding.line for finding in found if finding.code == "unknown-tag"] == [9]


@pytest.mark.parametrize(
    "tag", ["attack.t1110.001", "attack.t0883", "attack.ics.t0855", "attack.g0016", "attack.impact"]
)
def test_known_tags(pack_dir: Path, tag: str) -> None:
    write(pack_dir / "detections/c2/tor_gateway.yml", RULE.replace("attack.t1090.003", tag))
    found = check_tree(read_tree(pack_dir), (), lambda _d, _t: None)[1]
    assert not [finding for finding in found if finding.code == "unknown-tag"]


def test_lists_of_the_pack_are_known_to_check(pack_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(pack_dir / "pack.toml", PACK_TOML + '[lists.hosts]\ntype = "host"\nel = "x"\nen = "x"\n')
    write(
        pack_dir / "detections/c2/tor_gateway.yml", RULE.replace("query|endswith: .onion.example", "query: '%hosts%'")
    )
    main(["check", "--json", str(pack_dir)])
    assert "list-as-text" in {found["code"] for found in json.loads(capsys.readouterr().out)}
