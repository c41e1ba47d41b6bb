"""``convert``: EQL run by Elastic's own Python implementation, ES|QL by its words, and what is refused."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import eql
import pytest
from eql import parser

from tests.rules.conftest import RULE, write
from tests.rules.convert_cases import CASES, DNS, HTTP, PACK, Case, alert, matching
from tests.sigma.packs import compiled, rule
from vigla_rules.cli import main
from vigla_rules.convert.mapping import TYPES, UnfaithfulError, ecs_mapping, own_names
from vigla_rules.convert.patterns import MAX_LENGTH, of_regex
from vigla_rules.convert.queries import LANGUAGES, Converter
from vigla_rules.layout import read_tree
from vigla_sensor.alert.ecs import EcsTable

INDEX = "vigla-alerts-*"


@pytest.fixture(scope="module")
def ecs() -> Mapping[str, Any]:
    return read_tree(PACK).ecs


def converted(language: str, ecs: Mapping[str, Any], detection: dict[str, Any], logsource: dict[str, str] = DNS) -> str:
    built = compiled([rule(detection, logsource=logsource)], lists=["users"])
    assert not built.refused
    return Converter(language, ecs_mapping(ecs), INDEX).query(built.linked.rules[0])


def run_eql(query: str, documents: list[dict[str, Any]]) -> list[int]:
    """Places of the documents that a query finds."""
    with parser.elasticsearch_syntax:
        parsed = parser.parse_query(query)
        seen = []
        for at, document in enumerate(documents):
            engine = eql.PythonEngine({"flatten": False})
            hits: list[object] = []
            engine.add_output_hook(hits.append)
            engine.add_query(parsed)
            engine.stream_event(eql.Event.from_data(document))
            engine.finalize()
            seen += [at] if hits else []
    return seen


LOOSER = {"cased", "cased, whole", "a pattern is a search and keeps case", "a pattern without regard to case"}
"""The Python implementation folds case in `==` and patterns too and leaves their end open; Elasticsearch does not."""


@pytest.mark.parametrize("name", CASES)
def test_eql_finds_what_the_rule_finds(name: str, ecs: Mapping[str, Any]) -> None:
    case = CASES[name]
    built = compiled([rule(case.detection, logsource=case.logsource)])
    expected = matching(built.data, case)
    assert 0 < len(expected) < len(case.events)
    documents = [alert(EcsTable.of(ecs), case.logsource, event) for event in case.events]
    query = converted("eql", ecs, case.detection, case.logsource)
    found = run_eql(query, documents)
    if name in LOOSER:
        found = [at for at in found if at in expected]
    assert found == expected, query


ESQL = {
    "equality folds case": r'dns.question.name rlike "[Aa][Pp][Ii]\\.[Ee][Xx][Aa][Mm][Pp][Ll][Ee]"',
    "digits and signs alone": r'dns.question.name rlike ".*1\\.2.*"',
    "cased": r'dns.question.name rlike ".*Ab.*"',
    "cased, whole": r'dns.question.name=="Ab"',
    "only a negation": (r'not (dns.question.name is not null and dns.question.name rlike ".*[Gg][Oo][Oo][Dd].*")'),
    "absent and present": r"dns.question.name is null and dns.question.type is not null",
    "not absent": r"not dns.question.name is null",
    "numbers": r"(http.response.status_code in (200, 302)) and http.request.body.bytes>=1000",
    "booleans": r"tls.established==true and not (tls.resumed is not null and tls.resumed==true)",
    "addresses and networks": (
        r'(cidr_match(source.ip, "10.0.0.0/8") or cidr_match(source.ip, "2001:db8::/32"))'
        r' and not (destination.ip is not null and destination.ip=="192.0.2.1")'
    ),
    "an open pattern": r'dns.question.name rlike ".*a([0-9]){1,}(\\\"){0,1}[^b-d].*"',
}


@pytest.mark.parametrize("name", ESQL)
def test_esql_says_it_in_these_words(name: str, ecs: Mapping[str, Any]) -> None:
    case = CASES[name]
    service = f"zeek.{case.logsource['service']}"
    head = (
        f'from {INDEX} metadata _id, _index, _version | where event.module=="zeek" and event.dataset=="{service}" and '
    )
    assert converted("esql", ecs, case.detection, case.logsource) == head + ESQL[name]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CASES)
def test_every_case_has_a_query_in_every_language(name: str, language: str, ecs: Mapping[str, Any]) -> None:
    case: Case = CASES[name]
    assert "dns." in (query := converted(language, ecs, case.detection, case.logsource)) or case.logsource != DNS, query


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "keywords": ({"s": ["word"], "condition": "s"}, "keywords look at every value"),
    "a field without a name": ({"s": {"nothing": "x"}, "condition": "s"}, "'nothing' has no ECS name"),
    "a field of another log source": ({"s": {"method": "x"}, "condition": "s"}, "'method' has no ECS name"),
    "a list": ({"s": {"query|expand": "%users%"}, "condition": "s"}, "filled on the sensor"),
    "two fields": ({"s": {"query|fieldref": "qtype_name"}, "condition": "s"}, "two fields of one event"),
    "an hour": ({"s": {"ts|hour": 7}, "condition": "s"}, "'ts' has no ECS name"),
    "an hour of a named field": ({"s": {"query|hour": 7}, "condition": "s"}, "parts of a time"),
    "an empty value": ({"s": {"query": ""}, "condition": "s"}, "no empty values"),
    "a part of an address": ({"s": {"id.orig_h|startswith": "10."}, "condition": "s"}, "source.ip is an address"),
    "a name as address": ({"s": {"id.orig_h": "server"}, "condition": "s"}, "source.ip is an address"),
    "a pattern on an address": ({"s": {"id.orig_h|re": "^10"}, "condition": "s"}, "source.ip is of type ip"),
    "a number as address": ({"s": {"id.orig_h": 5}, "condition": "s"}, "source.ip is no number"),
    "a network on a text": ({"s": {"query|cidr": "10.0.0.0/8"}, "condition": "s"}, "dns.question.name is no address"),
    "a bound on a text": ({"s": {"query|gt": 5}, "condition": "s"}, "dns.question.name is no number"),
    "a word as number": ({"s": {"id.orig_p": "http"}, "condition": "s"}, "source.port is a number"),
    "a part of a number": ({"s": {"id.orig_p|startswith": "80"}, "condition": "s"}, "source.port is of type long"),
    "a word boundary": ({"s": {"query|re": "a\\bc"}, "condition": "s"}, "is not known to Lucene's"),
    "an anchor inside": ({"s": {"query|re": "a(^b|c)"}, "condition": "s"}, "'beginning' inside a pattern"),
    "flags inside": ({"s": {"query|re": "a(?i:b)"}, "condition": "s"}, "flags inside a pattern"),
    "anchors of lines": ({"s": {"query|re|m": "^a$"}, "condition": "s"}, "an anchor of a line"),
    "a class in a class": ({"s": {"query|re": "[\\Dx]"}, "condition": "s"}, "a negated class"),
    "a wide range": ({"s": {"query|re|i": "[\\u0100-\\uffff]"}, "condition": "s"}, "a wide range"),
    "a long pattern": ({"s": {"query|contains": "a1" * 300}, "condition": "s"}, f"Elasticsearch takes {MAX_LENGTH}"),
}


@pytest.mark.parametrize("language", ["lucene", "esql"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_no_query_says_alike_is_refused(name: str, language: str, ecs: Mapping[str, Any]) -> None:
    detection, reason = REFUSED[name]
    with pytest.raises(UnfaithfulError, match=re.escape(reason)):
        converted(language, ecs, detection)


@pytest.mark.parametrize(
    ("pattern", "flags", "text", "holds"),
    [
        ("a.c", "", "xabcx", True),
        ("a.c", "", "a\nc", False),
        ("a.c", "s", "a\nc", True),
        ("^abc$", "", "abc", True),
        ("^abc$", "", "abcd", False),
        ("^a|b$", "", "ax", True),
        ("^a|b$", "", "xa", False),
        ("^a|b$", "", "xb", True),
        ("a{2,3}?b", "", "xaab", True),
        ("[^a-c]z", "", "az", False),
        ("(?:ab)+", "i", "xABx", True),
        ("\\w\\s\\d", "", "a 1", True),
        ("\\W", "", "abc", False),
        ("ς", "i", "Σ", True),
        ("ς", "", "σ", False),
        ("a\\.b\\/c", "", "xa.b/cx", True),
    ],
)
def test_a_pattern_as_lucene_reads_it(pattern: str, flags: str, text: str, holds: bool) -> None:
    """Of whole values, `.` also across lines; in these cases Python's dialect reads the same."""
    assert bool(re.fullmatch(of_regex(pattern, flags), text, re.DOTALL)) is holds


def test_types_of_the_table_are_known(ecs: Mapping[str, Any]) -> None:
    assert {row["type"] for row in ecs["fields"]} <= set(TYPES)


def test_own_names_need_no_table(ecs: Mapping[str, Any]) -> None:
    built = compiled(
        [rule({"s": {"cs-uri-query|contains": "x1", "status_code": 200}, "condition": "s"}, logsource=HTTP)]
    )
    query = Converter("lucene", own_names(ecs), "logs-*").query(built.linked.rules[0])
    assert query == "cs-uri-query:/.*[Xx]1.*/ AND status_code:200"


def test_a_filter_is_in_the_query(ecs: Mapping[str, Any]) -> None:
    about = {"title": "f", "id": "00000000-0000-4000-8000-0000000000ff", "author": "v", "logsource": DNS}
    section = {"rules": ["rule_1"], "known": {"query": "1"}, "condition": "not known"}
    built = compiled([rule({"s": {"query": "2"}, "condition": "s"}, logsource=DNS), {**about, "filter": section}])
    query = Converter("lucene", ecs_mapping(ecs), INDEX).query(built.linked.rules[0])
    assert query.endswith("dns.question.name:2 AND (NOT dns.question.name:1)")


def test_the_command_prints_queries_and_reasons(pack_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(pack_dir / "ecs.yml", "fields: [{field: query, ecs: dns.question.name, type: keyword}]\n")
    other = RULE.replace("0001\n", "0002\n").replace("tor_gateway", "other").replace("query|endswith", "uid|endswith")
    write(pack_dir / "detections/c2/other.yml", other.replace("Tor Gateway", "Other"))
    assert main(["convert", str(pack_dir), "-t", "eql"]) == 0
    printed = capsys.readouterr()
    assert printed.out == (
        "// Tor Gateway Looked Up (00000000-0000-4000-8000-000000000001), Vigla\n"
        'any where event.module == "zeek" and event.dataset == "zeek.dns" and dns.question.name:"*.onion.example"\n\n'
    )
    assert "detections/c2/other.yml: other: field 'uid' has no ECS name" in printed.err
    assert "1 queries; 1 rules cannot be converted faithfully" in printed.err


def test_one_rule_alone_and_json(pack_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(pack_dir / "ecs.yml", "fields: [{field: query, ecs: dns.question.name, type: keyword}]\n")
    assert main(["convert", str(pack_dir), "-t", "lucene", "--rule", "tor_gateway", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["queries"]
    assert (one["name"], one["author"]) == ("tor_gateway", "Vigla")
    assert main(["convert", str(pack_dir), "-t", "lucene", "--rule", "tor_gatway"]) == 1
    assert "did you mean 'tor_gateway'?" in capsys.readouterr().err


def test_without_a_table_it_says_what_to_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "rules/a.yml", RULE)
    assert main(["convert", str(tmp_path / "rules"), "-t", "lucene"]) == 1
    assert "no ecs.yml; name one with --ecs" in capsys.readouterr().err
    table = write(tmp_path / "ecs.yml", "fields: [{field: query, ecs: dns.question.name, type: keyword}]\n")
    assert main(["convert", str(tmp_path / "rules"), "-t", "lucene", "--ecs", str(table)]) == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_pack_converts_or_says_why(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(PACK), "-t", language, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["queries"]) > 10
    assert all(entry["reason"] for entry in printed["refused"])
    assert {"correlations"} == {
        entry["path"].split("/")[0] for entry in printed["refused"] if "decides" in entry["reason"]
    }
    if language == "eql":
        for entry in printed["queries"]:
            with parser.elasticsearch_syntax:
                parser.parse_query(entry["query"])
