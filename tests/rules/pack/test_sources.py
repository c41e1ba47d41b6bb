"""Source definitions: the schema, a sample for each branch, and one line that is skipped."""

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest

import vigla_native
from tests.rules.pack.oracle import claimed
from tests.rules.pack.reading import PACK, ROOT, Rule, load, rules, sources, walk

SCHEMA = json.loads((ROOT / "tests" / "contract" / "source.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_definition_fits_the_schema(path: Path) -> None:
    definition = load(path)
    assert [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(definition)] == []
    assert definition["id"] == path.stem
    assert len(definition["samples"]) > len(definition["events"]), "a sample for each branch and one that is skipped"


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_every_sample_is_claimed_by_its_definition_and_no_other(path: Path) -> None:
    for sample in load(path)["samples"]:
        claims = [other.stem for other in sources() if claimed(load(other), sample["line"])]
        assert claims == [path.stem] if sample["events"] else set(claims) <= {path.stem}, sample["line"]


BREAKAGES = {
    "an unknown key": lambda d: d.update(encoding="greek"),
    "no parser": lambda d: d.pop("parse"),
    "an unknown kind": lambda d: d["parse"].update(kind="regex"),
    "a branch without log source": lambda d: d["events"][0].pop("logsource"),
    "an empty log source": lambda d: d["events"][0].update(logsource={}),
    "an unknown derivation": lambda d: d["events"][0].update(derive=["guess(line)"]),
    "a condition with two tests": lambda d: d["events"][0].update(when={"a": {"startswith": "b", "contains": "c"}}),
    "a table without its field": lambda d: d["events"][0].update(table={"activity": {"Add": "account_added"}}),
    "a title in one language": lambda d: d.update(title={"en": "firewall"}),
    "no line that is skipped": lambda d: d.update(samples=[s for s in d["samples"] if s["events"]]),
}


@pytest.mark.parametrize("name", BREAKAGES)
@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_the_schema_refuses(path: Path, name: str) -> None:
    definition = copy.deepcopy(load(path))
    BREAKAGES[name](definition)
    assert not VALIDATOR.is_valid(definition)


DERIVED = {
    "request": {"cs-method", "cs-uri", "cs-version"},
    "uri": {"cs-uri-stem", "cs-uri-query", "cs-uri-decoded", "cs-uri-shape", "cs-uri-number"},
}
KEY = re.compile(r"(?:^|\s)([a-z_]+)=")


def produced(logsource: dict[str, str]) -> set[str]:
    """Fields that definitions and aliases give an event of this log source; vendors' own as samples show them.

    What the sensor says of itself has the core's fields.
    """
    if logsource.get("product") == "vigla":
        return set(json.loads(vigla_native.fields())["vigla"][logsource["service"]])
    aliases = load(PACK / "aliases.yml")["aliases"]
    serving = [alias["fields"] for alias in aliases if logsource.items() <= alias["serves"].items()]
    names = {name for fields in serving for pair in fields.items() for name in pair if isinstance(name, str)}
    for definition in map(load, sources()):
        for branch in definition["events"]:
            if logsource.items() <= branch["logsource"].items():
                names |= {*branch.get("fields", {}), *branch.get("table", {})}
                names |= {name for call in branch.get("derive", []) for name in DERIVED[call.split("(")[0]]}
                names |= {key for sample in definition["samples"] for key in KEY.findall(sample["line"])}
    return names


@pytest.mark.parametrize(
    "rule", [r for r in rules() if r.body.get("logsource", {}).get("product") != "zeek"], ids=lambda rule: rule.name
)
def test_every_field_of_a_rule_on_logs_is_produced_for_its_log_source(rule: Rule) -> None:
    bodies = [rule.body]
    if rule.correlation:
        bodies = [
            other.body for other in rules() if other.name in rule.correlation["rules"] and "logsource" in other.body
        ]
    for body in bodies:
        if body["logsource"].get("product") == "zeek":
            continue
        asked = {key.split("|")[0] for key, _ in walk(body["detection"]) if not key.startswith(("selection", "filter"))}
        known = produced(body["logsource"])
        assert (asked - {"condition"}) | set(body["fields"]) <= known
