"""``check``: everything a finished rule needs, each finding with its file and line."""

import json
from pathlib import Path

import pytest

from tests.rules.conftest import PACK_TOML, RULE, SAMPLE, TEXT, write
from vigla_rules.checking.check import check_tree
from vigla_rules.cli import main
from vigla_rules.findings import Finding
from vigla_rules.layout import LayoutError, read_tree

SAMPLE_YML = "samples/c2/tor_gateway/sample.yml"
ENGLISH = "texts/en/c2/tor_gateway.yml"
GOOD_TEXT = TEXT.format(title="x", word="x")


def errors(root: Path) -> list[Finding]:
    return [finding for finding in check_tree(read_tree(root), (), lambda _d, _t: None)[1] if finding.is_error]


@pytest.fixture
def locked(pack_dir: Path) -> Path:
    assert main(["lock", str(pack_dir)]) == 0
    return pack_dir


def test_a_finished_pack_has_no_errors(locked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert errors(locked) == []
    assert main(["check", str(locked)]) == 0
    assert "0 errors" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "says"),
    [
        ("query|endswith", "qeury|endswith", "unknown-field", 11, "did you mean 'query'?"),
        ("query|endswith", "Query|endswith", "unknown-field", 11, "did you mean 'query'?"),
        ("[id.orig_h, query]", "[src, query]", "unknown-field", 17, "has no field 'src'"),
        ("service: dns", "service: dsn", "unknown-logsource", 10, "did you mean"),
        ("fields: [id.orig_h, query]\n", "", "no-entity", 1, "`fields:`"),
        ("author: Vigla\n", "", "no-author", 1, "licence"),
        (
            "falsepositives: [A researcher of the university library]",
            "falsepositives: [Unknown]",
            "unfinished",
            15,
            "harm",
        ),
        ("status: experimental\n", "", "unfinished", 1, "no status"),
        ("attack.t1090.003", "attack.t109", "unknown-tag", 9, "attack.t109"),
        ("attack.command-and-control", "attack.comand-and-control", "unknown-tag", 9, "did you mean"),
        ("endswith: .onion", "endswit: .onion", "unknown-modifier", 13, "did you mean 'endswith'?"),
    ],
)
def test_findings_in_a_rule(locked: Path, old: str, new: str, code: str, line: int, says: str) -> None:
    write(locked / "detections/c2/tor_gateway.yml", RULE.replace(old, new))
    found = [finding for finding in errors(locked) if finding.code == code]
    assert found
    assert found[0].line == line
    assert any(says in str(finding) for finding in found)
    assert main(["check", "-q", str(locked)]) == 1


@pytest.mark.parametrize(
    ("path", "text", "code", "says"),
    [
        ("texts/el/c2/tor_gateway.yml", None, "no-text", "no text in 'el'"),
        (ENGLISH, None, "no-text", "no text in 'en'"),
        ("texts/el/c2/tor_gateway.yml", TEXT.format(title="Latin", word="x"), "text", "not Greek"),
        (ENGLISH, TEXT.format(title="x" * 71, word="x"), "text", "71 characters"),
        (ENGLISH, TEXT.format(title="x", word="{host}"), "text", "slot '{host}'"),
        (ENGLISH, GOOD_TEXT.replace("why: x\n", ""), "text", "'why' is missing"),
        (ENGLISH, GOOD_TEXT.replace(", x]", "]").replace(", x]", "]"), "text", "3 to 5"),
        (ENGLISH, GOOD_TEXT + "hint: x\n", "text", "unknown key 'hint'"),
        ("texts/en/c2/gone.yml", GOOD_TEXT, "no-rule", "a text for no rule"),
        (SAMPLE_YML, None, "no-sample", "no samples"),
        ("samples/c2/tor_gateway/other.log", None, "sample", "no file other.log"),
        (SAMPLE_YML, SAMPLE.replace("rule: tor_gateway", "rule: tor_gatway"), "no-rule", "did you mean"),
        (SAMPLE_YML, "\n".join(SAMPLE.splitlines()[:-1]), "sample", "1 true negatives"),
        (SAMPLE_YML, SAMPLE.replace("log: asked.log", "file: asked.log"), "sample", "unknown key 'file'"),
        (SAMPLE_YML, SAMPLE.replace("log: asked.log", "log: asked.log, source: x"), "sample", "'x' is not defined"),
        (SAMPLE_YML, SAMPLE.replace("log: other.log", "log: other.log, alerts: 2"), "sample", "expects alerts"),
        (
            "pack.toml",
            PACK_TOML.replace("roster.tor_gateway", "roster.tor_gatway"),
            "no-roster",
            "[roster.tor_gateway]",
        ),
        (
            "pack.toml",
            PACK_TOML.replace("roster.tor_gateway", "roster.tor_gatway"),
            "no-rule",
            "did you mean 'tor_gateway'?",
        ),
        ("sources/fw.yml", "id: other\nevents: []\n", "source", "write `id: fw`"),
        ("sources/fw.yml", "id: fw\nid: fw\n", "", "occurs twice"),
    ],
)
def test_findings_around_a_rule(locked: Path, path: str, text: str | None, code: str, says: str) -> None:
    if text is None:
        (locked / path).unlink()
    else:
        write(locked / path, text)
    if not code:
        with pytest.raises(LayoutError, match=says):
            read_tree(locked)
        return
    assert any(finding.code == code and says in str(finding) for finding in errors(locked)), errors(locked)


def test_fields_of_a_source_definition_and_names_of_one_device(locked: Path) -> None:
    write(
        locked / "sources/fw.yml",
        "id: fw\nevents:\n  - logsource: {product: fw, category: vpn}\n    fields: {src_ip: theirs}\n",
    )
    vpn = RULE.replace("{product: zeek, service: dns}", "{category: vpn}").replace("id.orig_h, query", "src_ip, devid")
    write(locked / "detections/c2/tor_gateway.yml", vpn.replace("query|endswith", "src_ip|endswith"))
    found = check_tree(read_tree(locked), (), lambda _d, _t: None)[1]
    assert not [finding for finding in found if finding.code == "unknown-field"]
    assert [finding.code for finding in found if "devid" in finding.reason] == ["vendor-field"]
    write(locked / "detections/c2/tor_gateway.yml", vpn)
    assert any(finding.code == "unknown-field" for finding in errors(locked)), "in a condition it must be ours"


def test_an_accented_literal_is_warned_with_both_spellings(locked: Path) -> None:
    write(locked / "detections/c2/tor_gateway.yml", RULE.replace(".onion.example", "Ελλάδα"))
    found = check_tree(read_tree(locked), (), lambda _d, _t: None)[1]
    assert [str(finding) for finding in found if finding.code == "greek-accent"]
    assert any("'Ελλάδα' does not match 'Ελλαδα'" in finding.reason for finding in found)


def test_json_is_one_list(locked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(locked / "detections/c2/tor_gateway.yml", RULE.replace("query|endswith", "qeury|endswith"))
    capsys.readouterr()
    assert main(["check", "--json", str(locked)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {"path", "line", "column", "severity", "code", "reason", "suggestion"} <= set(found[0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nme = 'x'\n", "unknown key 'nme'; did you mean 'name'?"),
        ("[lists.a]\ntype = 'number'\nel = 'x'\nen = 'x'\n", "lists.a needs type"),
        ("[lists.a]\ntype = 'ip'\n", "lists.a needs type"),
        ("[roster.a]\nclass = 'x'\n", "unknown key 'roster.a.class'"),
        ("name = 5\n", "name = 5 is no text"),
        ("name = \n", "mend the TOML"),
    ],
)
def test_pack_toml_is_strict(pack_dir: Path, text: str, says: str) -> None:
    write(pack_dir / "pack.toml", text)
    with pytest.raises(LayoutError, match=r"pack\.toml") as caught:
        read_tree(pack_dir)
    assert says in str(caught.value)
