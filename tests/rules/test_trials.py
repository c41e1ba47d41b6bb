"""``test``: samples through a sensor and through the reference, with a sensor made of the reference for these tests."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.rules.conftest import RULE, SAMPLE, write
from tests.sigma.reference import Event, Reference
from vigla_rules.cli import main
from vigla_rules.commands.test import find_reference, print_results, run_samples
from vigla_rules.layout import read_tree
from vigla_rules.terminal import ProgressBar
from vigla_rules.trials.evaluator import ModuleEvaluator
from vigla_rules.trials.mutants import mutants, only
from vigla_rules.trials.recipes import RecipeError, run_recipe
from vigla_rules.trials.replay import Alert, Input, ReplayError, SensorReplay, configuration
from vigla_rules.vpk import read_pack

REFERENCE = Path(__file__).parents[1] / "sigma/reference.py"


@dataclass
class LineSensor:
    """Takes each line of a file as the query of a DNS event; ``blind`` makes it miss what it should see."""

    blind: bool = False
    given: list[Input] = field(default_factory=list)

    def alerts(self, pack: Path, given: Input) -> Sequence[Alert]:
        self.given.append(given)
        pack_read = read_pack(pack)
        if self.blind and pack_read.manifest["name"] != "tap":
            return []
        reference = Reference(pack_read.json("rules.json"), given.lists)
        found = []
        for number, line in enumerate(given.path.read_text(encoding="utf-8").splitlines()):
            fields = {"query": line, "id.orig_h": "10.0.0.5"}
            moment = datetime.fromtimestamp(1_700_000_000 + number, UTC)
            event = Event(fields, {"product": "zeek", "service": "dns"}, (1_700_000_000 + number) * 10**9)
            found += [alert(rule, fields, moment) for rule in reference.matches(event)]
        return found


def alert(rule: str, fields: dict[str, str], moment: datetime) -> Alert:
    """The parts of an alert document that a trial reads."""
    return {
        "@timestamp": moment.isoformat(),
        "event": {"action": "match"},
        "rule": {"uuid": rule},
        "vigla": {
            "event": fields,
            "entity": {"field": "id.orig_h", "kind": "ip", "value": "10.0.0.5"},
            "matched": [{"field": "query", "actual": fields["query"]}],
        },
    }


def run(root: Path, sensor: LineSensor, rule: str | None = None):  # type: ignore[no-untyped-def]
    folder = root.parent / "work"
    folder.mkdir(exist_ok=True)
    evaluator = ModuleEvaluator(REFERENCE)
    return run_samples(read_tree(root), rule, sensor, evaluator, folder, ProgressBar("test"))[1]


@pytest.fixture
def samples(pack_dir: Path) -> Path:
    folder = pack_dir / "samples/c2/tor_gateway"
    write(folder / "asked.log", "www.example\nabc.onion.example\n")
    write(folder / "other.log", "onion.example.com\n")
    write(folder / "contains.log", "x.onion.example.net\n")
    return pack_dir


def test_samples_that_behave(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = run(samples, LineSensor())
    outcomes = [outcome for result in results for outcome in result.outcomes]
    assert [(o.native, o.reference, o.behaves) for o in outcomes] == [(1, 1, True), (0, 0, True), (0, 0, True)]
    print_results(results)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["id", "rule", "positives", "negatives", "native", "reference", "mutants", "ms"]
    assert printed[1].split()[:6] == ["00000000", "tor_gateway", "1/1", "2/2", "1", "1"]
    assert printed[-1] == "3 of 3 samples behave, 0 of 0 mutants caught, 1 rules"


def test_a_rule_that_misses_says_the_event_and_the_field(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(samples / "detections/c2/tor_gateway.yml", RULE.replace(".onion.example", ".onion.invalid"))
    results = run(samples, LineSensor())
    print_results(results)
    printed = capsys.readouterr().out
    assert "0 alerts, expected at least 1" in printed
    assert "tor_gateway: query 'abc.onion.example' missed endswith {'value': '.onion.invalid'} in {" in printed
    assert "2 of 3 samples behave" in printed


def test_a_rule_that_fires_wrongly_says_what_matched(samples: Path) -> None:
    write(samples / "detections/c2/tor_gateway.yml", RULE.replace("|endswith", "|contains"))
    outcomes = run(samples, LineSensor())[0].outcomes
    assert [outcome.behaves for outcome in outcomes] == [True, True, False]
    assert any("x.onion.example.net" in problem for problem in outcomes[2].problems)


def test_engines_that_differ_fail_the_case(samples: Path) -> None:
    outcomes = run(samples, LineSensor(blind=True))[0].outcomes
    assert not outcomes[0].behaves
    assert "native found 0, the reference 1" in outcomes[0].problems


def test_counts_entities_lists_and_networks_are_asked(samples: Path) -> None:
    text = SAMPLE.replace("log: asked.log", "log: asked.log, alerts: 2, entity: 10.0.0.6")
    text += "with: {lists: {users: [a]}, local_networks: [192.0.2.0/24]}\n"
    write(samples / "samples/c2/tor_gateway/sample.yml", text)
    sensor = LineSensor()
    problems = run(samples, sensor)[0].outcomes[0].problems
    assert "1 alerts, expected 2" in problems
    assert "entity '10.0.0.5', expected '10.0.0.6'" in problems
    assert sensor.given[0].lists == {"users": ["a"]}
    assert sensor.given[0].local_networks == ("192.0.2.0/24",)


def test_an_input_that_gives_no_event_says_so(samples: Path) -> None:
    write(samples / "samples/c2/tor_gateway/asked.log", "")
    assert any(
        "no event came of the input" in problem for problem in run(samples, LineSensor())[0].outcomes[0].problems
    )


def test_one_rule_by_name_and_an_unknown_one(samples: Path) -> None:
    assert len(run(samples, LineSensor(), "tor_gateway")) == 1
    with pytest.raises(ValueError, match="did you mean 'tor_gateway'"):
        run(samples, LineSensor(), "tor_gatewy")


def test_a_recipe_writes_the_capture_and_its_failure_is_the_case_s(samples: Path) -> None:
    recipes = samples / "samples/recipes"
    write(recipes / "__init__.py", "")
    write(
        recipes / "names.py",
        "def lines(path, text):\n    path.write_text(text)\n\ndef broken(path):\n    raise OSError('x')\n",
    )
    text = SAMPLE.replace("log: asked.log", 'recipe: names.lines, args: {text: "abc.onion.example"}')
    write(samples / "samples/c2/tor_gateway/sample.yml", text.replace("log: other.log", "recipe: names.broken"))
    outcomes = run(samples, LineSensor())[0].outcomes
    assert outcomes[0].behaves
    assert outcomes[1].problems == ("recipe 'names.broken' failed: OSError: x",)
    with pytest.raises(RecipeError, match=r"names\.gone"):
        run_recipe(recipes, "names.gone", {}, samples / "x.pcap")


def test_the_configuration_says_what_the_case_says(tmp_path: Path) -> None:
    given = Input(
        tmp_path / "a.log", "fortigate", 2026, "Europe/Athens", None, {"users": ['say "x"', "χρήστης"]}, ("10.0.0.0/8",)
    )
    read = tomllib.loads(configuration(given))
    assert read["sensor"]["local_networks"] == ["10.0.0.0/8"]
    assert read["files"] == [
        {"path": str(tmp_path / "a.log"), "source": "fortigate", "year": 2026, "zone": "Europe/Athens"}
    ]
    assert read["lists"] == {"users": ['say "x"', "χρήστης"]}


def test_a_sensor_that_fails_is_quoted(tmp_path: Path) -> None:
    program = write(tmp_path / "sensor", "#!/bin/sh\necho 'x.vpk: no pack' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(ReplayError, match=r"x\.vpk: no pack"):
        SensorReplay((str(program),), tmp_path).alerts(tmp_path / "x.vpk", Input(tmp_path / "a.log"))


def test_the_sensor_is_called_as_documented(tmp_path: Path) -> None:
    program = write(tmp_path / "sensor", '#!/bin/sh\nprintf \'{"a": "%s"}\\n\' "$*"\n')
    program.chmod(0o755)
    given = Input(tmp_path / "a.jsonl", logsource="zeek/dns")
    alert = SensorReplay((str(program),), tmp_path).alerts(tmp_path / "p.vpk", given)[0]
    assert alert["a"] == (
        f"replay {tmp_path}/a.jsonl --pack {tmp_path}/p.vpk --config {tmp_path}/p-a.toml --out - --logsource zeek/dns"
    )


def test_without_a_sensor_the_command_says_what_to_do(
    samples: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vigla_rules.commands.test.find_sensor", lambda: None)
    assert main(["test", str(samples)]) == 1
    assert "no `vigla-sensor`" in capsys.readouterr().err


def test_the_reference_is_found_from_the_pack() -> None:
    assert find_reference(Path(__file__).parents[2] / "rules/pack") == REFERENCE
    assert find_reference(Path("/")) is None


TWO_PARTS = RULE.replace("    condition: selection", "    small:\n        Z: 0\n    condition: selection and not small")


def test_a_part_that_no_sample_needs_is_named(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(samples / "detections/c2/tor_gateway.yml", TWO_PARTS)
    result = run(samples, LineSensor())[0]
    assert result.mutants == 3
    assert result.survivors == ["tor_gateway: without (not of 1)"]
    print_results([result], mutants=True)
    printed = capsys.readouterr().out
    assert "no sample notices tor_gateway: without (not of 1)" in printed
    assert "2 of 3 mutants caught" in printed


def test_mutants_of_a_correlation() -> None:
    rules = {
        "fields": ["u"],
        "predicates": [{"op": "eq", "field": 0, "value": "x"}],
        "nodes": [{"p": 0}],
        "rules": [{"id": "r", "name": "r", "condition": 0}, {"id": "other", "name": "other", "condition": 0}],
        "correlations": [
            {
                "id": "c", "name": "c", "type": "value_count", "rules": ["r"], "group_by": ["u"], "timespan_ms": 1000,
                "field": ["u"], "condition": [{"op": "gte", "value": 3}],
            }
        ],
    }  # fmt: skip
    assert [rule["id"] for rule in only(rules, "c")["rules"]] == ["r"]
    assert [mutant.change for mutant in mutants(rules, "c")] == [
        "c: gte 2",
        "c: gte 4",
        "c: without group-by",
        "c: a tenth of the timespan",
        "c: ten times the timespan",
        "c: counting events",
    ]
    assert rules["correlations"][0]["condition"] == [{"op": "gte", "value": 3}], "the pack itself is as it was"
