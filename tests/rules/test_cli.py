"""The command line: exit codes, messages, JSON."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rules.conftest import RULE, write
from vigla_rules.cli import main
from vigla_rules.vpk import read_pack

BAD = RULE.replace("endswith", "endwith").replace("0001\n", "0002\n").replace("Tor Gateway", "Another")


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_refused_rule_is_named_and_counted_and_the_rest_compiles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "rules/a.yml", RULE)
    bad = write(tmp_path / "rules/b.yml", BAD)
    target = tmp_path / "out" / "p.vpk"
    assert main(["compile", str(tmp_path / "rules"), "-o", str(target)]) == 0
    printed = capsys.readouterr()
    assert f"{bad}:13:9: error[unknown-modifier] modifier 'endwith'; did you mean 'endswith'?" in printed.err
    assert "1 rules, 0 correlations, 0 filters; 1 refused" in printed.out
    manifest = read_pack(target).manifest
    assert manifest["refused"] == [
        {
            "id": "00000000-0000-4000-8000-000000000002",
            "title": "Another Looked Up",
            "path": "b.yml",
            "code": "unknown-modifier",
            "reason": "modifier 'endwith'",
        }
    ]
    assert not list(target.parent.glob("*.part"))


def test_strict_fails_on_a_refusal(tmp_path: Path) -> None:
    write(tmp_path / "rules/b.yml", BAD)
    assert main(["compile", str(tmp_path / "rules"), "-o", str(tmp_path / "p.vpk"), "--strict"]) == 1
    write(tmp_path / "rules/b.yml", RULE)
    assert main(["compile", str(tmp_path / "rules"), "-o", str(tmp_path / "p.vpk"), "--strict"]) == 0


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "rules/b.yml", BAD)
    assert main(["compile", str(tmp_path / "rules"), "-o", str(tmp_path / "p.vpk"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["counts"]["rules"] == 0
    assert printed["refused"][0]["code"] == "unknown-modifier"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["compile", "nowhere", "-o", "p.vpk"], 1, "no such directory"),
        (["compile", ".", "-o", "p.vpk", "--pipeline", "sysmn"], 2, "did you mean 'sysmon'?"),
        (["check", "nowhere"], 1, "no such directory"),
        (["test", "."], 2, "no pack directory"),
    ],
)
@pytest.mark.usefixtures("_elsewhere")
def test_messages(arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == code
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["compile"], ["compile", "x"], ["nonsense"]])
def test_usage_is_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_a_pipeline_of_pysigma_in_yaml(tmp_path: Path) -> None:
    pipeline = write(
        tmp_path / "p.yml",
        "name: x\npriority: 1\ntransformations:\n  - {id: f, type: field_name_mapping, mapping: {query: dns.name}}\n",
    )
    write(tmp_path / "rules/a.yml", RULE)
    arguments = ["compile", str(tmp_path / "rules"), "-o", str(tmp_path / "p.vpk"), "--pipeline", str(pipeline)]
    assert main(arguments) == 0
    assert "dns.name" in read_pack(tmp_path / "p.vpk").json("rules.json")["fields"]
    write(pipeline, "transformations: 5\n")
    assert main(arguments) == 2


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vigla_rules", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("vigla-rules 0.")


def test_a_large_tree_is_read_by_several_processes_in_order(tmp_path: Path) -> None:
    for number in range(320):
        text = RULE.replace("000000000001", f"{number:012d}").replace("tor_gateway", f"rule_{number}")
        write(tmp_path / f"rules/{number:03d}.yml", text)
    assert main(["compile", str(tmp_path / "rules"), "-o", str(tmp_path / "p.vpk")]) == 0
    rules = read_pack(tmp_path / "p.vpk").json("rules.json")["rules"]
    assert [rule["path"] for rule in rules] == [f"{number:03d}.yml" for number in range(320)]  # type: ignore[union-attr]


UPSTREAM = (
    RULE.replace("0001\n", "0009\n")
    .replace("name: tor_gateway\n", "")
    .replace("Tor Gateway", "Upstream")
    .replace("author: Vigla", "author: Someone")
)


@pytest.mark.parametrize(
    ("prefer", "titles"),
    [("ours", ["Tor Gateway Looked Up", "Else Looked Up"]), ("upstream", ["Upstream Looked Up", "Else Looked Up"])],
)
def test_a_release_pack_takes_one_of_two_similar_rules(
    pack_dir: Path, tmp_path: Path, prefer: str, titles: list[str]
) -> None:
    related = "related: [{id: 00000000-0000-4000-8000-000000000009, type: similar}]\nlevel: high"
    write(pack_dir / "detections/c2/tor_gateway.yml", RULE.replace("level: high", related))
    checkout = tmp_path / "sigmahq"
    write(checkout / "LICENSE.Detection.Rules.md", "the license")
    write(checkout / "rules/network/upstream.yml", UPSTREAM)
    write(checkout / "rules-threat-hunting/else.yml", UPSTREAM.replace("0009\n", "0008\n").replace("Upstream", "Else"))
    target = tmp_path / "p.vpk"
    assert main(["compile", str(pack_dir), "--sigmahq", str(checkout), "--prefer", prefer, "-o", str(target)]) == 0
    pack = read_pack(target)
    rules = pack.json("rules.json")["rules"]
    assert [rule["title"] for rule in rules] == titles  # type: ignore[union-attr]
    other = rules[-1]  # type: ignore[index]
    assert (other["author"], other["license"], other["ruleset"]) == ("Someone", "DRL-1.1", "sigmahq")
    assert pack.members["rules/sigmahq/LICENSE.Detection.Rules.md"] == b"the license"
    assert "rules/sigmahq/rules-threat-hunting/else.yml" in pack.members


def test_what_is_no_checkout_is_said(pack_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", str(pack_dir), "--sigmahq", str(tmp_path), "-o", str(tmp_path / "p.vpk")]) == 1
    assert "no SigmaHQ checkout" in capsys.readouterr().err
