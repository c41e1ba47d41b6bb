"""Samples: enough of them, from the raw path, each file used, each capture the same twice and readable elsewhere."""

from pathlib import Path
from typing import Any

import pytest
from scapy.utils import RawPcapReader

from tests.rules.pack.oracle import claimed
from tests.rules.pack.reading import PACK, Rule, alerting, load, recipes, rules, sources

SAMPLES = PACK / "samples"
CASE_KEYS = {"name", "log", "source", "recipe", "args", "events"}


def sample_of(rule: Rule) -> dict[str, Any]:
    return load(SAMPLES / rule.place / "sample.yml")


def cases(rule: Rule) -> list[dict[str, Any]]:
    sample = sample_of(rule)
    found: list[dict[str, Any]] = [*sample["true_positives"], *sample["true_negatives"]]
    return found


@pytest.mark.parametrize("rule", alerting(), ids=lambda rule: rule.name)
def test_enough_and_well_formed(rule: Rule) -> None:
    sample = sample_of(rule)
    assert sample["rule"] == rule.name
    assert set(sample) <= {"rule", "with", "true_positives", "true_negatives"}
    assert len(sample["true_positives"]) >= 1
    assert len(sample["true_negatives"]) >= (3 if rule.correlation else 2)
    for case in sample["true_positives"]:
        assert set(case) <= CASE_KEYS | {"alerts", "entity"}
        assert case["alerts"] >= 1
        assert case["entity"]
    for case in sample["true_negatives"]:
        assert set(case) <= CASE_KEYS
    names = [case["name"] for case in cases(rule)]
    assert len(set(names)) == len(names)
    assert set(rule.placeholders()) == set(sample.get("with", {}).get("lists", {}))


@pytest.mark.parametrize("rule", alerting(), ids=lambda rule: rule.name)
def test_files_are_all_used_and_claimed_by_the_source(rule: Rule) -> None:
    folder = SAMPLES / rule.place
    logs = {case["log"]: case["source"] for case in cases(rule) if "log" in case}
    assert {path.name for path in folder.iterdir()} == {"sample.yml", *logs}
    known = {path.stem: load(path) for path in sources()}
    for name, source in logs.items():
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        assert lines
        assert all(claimed(known[source], line) for line in lines)


@pytest.mark.parametrize("rule", alerting(), ids=lambda rule: rule.name)
def test_captures_are_composed_and_the_same_twice(rule: Rule, tmp_path: Path) -> None:
    for number, case in enumerate(c for c in cases(rule) if "recipe" in c):
        module, function = case["recipe"].split(".")
        first, second = tmp_path / f"{number}-a.pcap", tmp_path / f"{number}-b.pcap"
        for path in (first, second):
            getattr(recipes(module), function)(path, **case["args"])
        assert first.read_bytes() == second.read_bytes()
        with RawPcapReader(str(first)) as reader:
            times = [packet.sec * 10**6 + packet.usec for _, packet in reader]
        assert times
        assert times == sorted(times)


def test_no_sample_is_left_over() -> None:
    places = {path.parent.relative_to(SAMPLES) for path in SAMPLES.rglob("sample.yml")}
    assert places == {rule.place for rule in alerting()} <= {rule.place for rule in rules()}


def test_no_capture_lies_in_the_tree() -> None:
    assert [path for suffix in ("pcap", "pcapng", "cap") for path in PACK.rglob(f"*.{suffix}")] == []


def test_an_unknown_step_is_refused(tmp_path: Path) -> None:
    traffic = recipes("traffic")
    with pytest.raises(
        traffic.RecipeError, match=r"step 2: got \['nfs'\]; name one of conn, dns, ftp, http, smtp, tls"
    ):
        traffic.steps(tmp_path / "x.pcap", steps=[{"dns": {"client": "10.0.0.1", "query": "a.example"}}, {"nfs": {}}])
    assert not (tmp_path / "x.pcap").exists()
