"""``coverage``: which rules can fire, by what is connected; the Navigator's layers."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rules.conftest import RULE, write
from tests.sigma.packs import compiled, rule
from vigla_rules.attack import read_techniques
from vigla_rules.checking.fields import Origin
from vigla_rules.cli import main
from vigla_rules.compiling import compile_trees
from vigla_rules.coverage.feeds import ConnectedError, Feed, Site, connect, everything, read_config
from vigla_rules.coverage.navigator import layers
from vigla_rules.coverage.verdicts import Verdict, Why, verdicts
from vigla_rules.drafts import LogSource
from vigla_rules.layout import read_tree

ROOT = Path(__file__).resolve().parents[2]
CASE = LogSource("case")
FEED = Feed("one", CASE, frozenset({"f", "g"}), is_open=False)
SITE = Site((FEED,))


def verdict(detection: dict[str, object], site: Site = SITE, **more: object) -> Verdict:
    (found,) = verdicts(compiled([rule(detection, **more)], lists=["users"]).linked, site)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("detection", "fires", "missing"),
    [
        ({"s": {"f": "x"}, "condition": "s"}, True, ()),
        ({"s": {"h": "x"}, "condition": "s"}, False, ("h",)),
        ({"s": {"f": "x", "h": "y"}, "condition": "s"}, False, ("h",)),
        ({"s": [{"f": "x"}, {"h": "y"}], "condition": "s"}, True, ("h",)),
        ({"s": {"f": "x"}, "n": {"h": "y"}, "condition": "s and not n"}, True, ("h",)),
        ({"s": {"h": None}, "condition": "s"}, True, ("h",)),
        ({"s": {"h": None}, "condition": "not s"}, False, ("h",)),
        ({"s": {"h|exists": False, "f": "x"}, "condition": "s"}, True, ("h",)),
        ({"s": {"h|exists": True}, "condition": "s"}, False, ("h",)),
        ({"s": {"h|neq": "x", "f": "x"}, "condition": "s"}, True, ("h",)),
        ({"s": {"f|fieldref": "h"}, "condition": "s"}, False, ()),
        ({"s": ["word"], "condition": "s"}, True, ()),
    ],
)
def test_a_field_that_nobody_gives_is_absent(
    detection: dict[str, object], fires: bool, missing: tuple[str, ...]
) -> None:
    found = verdict(detection)
    assert (found.fires, found.missing) == (fires, missing)
    assert found.partly is (fires and bool(missing))
    assert found.why is (None if fires else Why.NO_FIELD)


def test_two_feeds_are_not_one_event() -> None:
    apart = Site((replace(FEED, fields=frozenset({"f"})), replace(FEED, name="two", fields=frozenset({"g"}))))
    found = verdict({"s": {"f": "x", "g": "y"}, "condition": "s"}, apart)
    assert (found.fires, found.missing, found.named) == (False, (), ("f", "g"))
    assert verdict({"a": {"f": "x"}, "b": {"g": "y"}, "condition": "a or b"}, apart).fires


def test_a_rule_of_another_log_source_has_no_source() -> None:
    found = verdict({"s": {"f": "x"}, "condition": "s"}, logsource={"product": "case", "service": "other"})
    assert (found.fires, found.why) == (False, Why.NO_SOURCE)


def test_an_unfilled_list_leaves_its_rule_inactive() -> None:
    detection: dict[str, object] = {"s": {"f|expand": "%users%"}, "condition": "s"}
    assert verdict(detection).fires
    assert verdict(detection, Site((FEED,), frozenset({"users"}))).fires
    found = verdict(detection, Site((FEED,), frozenset()))
    assert (found.fires, found.why, found.named) == (False, Why.NO_LIST, ("users",))


@pytest.mark.parametrize(
    ("kind", "condition", "fires"),
    [
        ("event_count", {"gte": 2}, True),
        ("temporal", {"gte": 2}, True),
        ("temporal", {"gte": 3}, False),
        ("temporal_ordered", {"gte": 3}, False),
    ],
)
def test_a_correlation_needs_as_many_rules_as_its_condition(kind: str, condition: dict[str, int], fires: bool) -> None:
    section = {"type": kind, "rules": ["rule_1", "rule_2", "rule_3"], "timespan": "5m", "condition": condition}
    about = {"title": "c", "id": "00000000-0000-4000-8000-0000000000cc", "author": "v", "level": "low"}
    documents = [rule({"s": {field: "x"}, "condition": "s"}, at) for at, field in enumerate(("f", "g", "h"), start=1)]
    found = verdicts(compiled([*documents, {**about, "correlation": section}]).linked, Site((FEED,)))[-1]
    assert (found.fires, found.logsource) == (fires, None)
    assert (found.missing if fires else found.named) == ("rule_3",)


def test_our_own_pack_is_served_by_what_it_defines() -> None:
    tree = read_tree(ROOT / "rules" / "pack")
    linked = compile_trees([tree], (), lambda _d, _t: None).linked
    blind = [found.meta.name for found in verdicts(linked, connect([tree], everything([tree]))) if not found.fires]
    assert not blind
    wire = verdicts(linked, connect([tree], ["wire"]))
    assert any(found.fires for found in wire)
    assert any(found.why is Why.NO_SOURCE for found in wire)


def test_aliases_need_their_event(pack_dir: Path) -> None:
    write(
        pack_dir / "aliases.yml",
        "aliases:\n"
        "  - {event: {product: zeek, service: dns}, serves: {category: dns}, guard: null, fields: {a: query}}\n"
        "  - {event: {product: nowhere}, serves: {category: else}, guard: null, fields: {a: b}}\n",
    )
    feeds = connect([read_tree(pack_dir)], ["wire"]).feeds
    (alias,) = [feed for feed in feeds if feed.name == "wire (alias)"]
    assert alias.logsource == LogSource(category="dns")
    assert {"a", "query"} <= alias.fields


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("windows/sysmon", LogSource("windows", None, "sysmon")),
        ("windows/process_creation/-", LogSource("windows", "process_creation", None)),
        ("-/proxy/-", LogSource(None, "proxy", None)),
    ],
)
def test_json_lines_of_a_log_source_may_have_any_field(name: str, source: LogSource, pack_dir: Path) -> None:
    (feed,) = connect([read_tree(pack_dir)], [name]).feeds
    assert feed.logsource == source
    assert feed.has("anything", LogSource())


@pytest.mark.parametrize(
    ("name", "says"), [("wre", "did you mean 'wire'?"), ("a/b/c/d", "product/category"), ("-/-/-", "known")]
)
def test_what_cannot_be_connected_is_said(
    name: str, says: str, pack_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConnectedError):
        connect([read_tree(pack_dir)], [name])
    assert main(["coverage", str(pack_dir), f"--connected={name}"]) == 2
    assert says in capsys.readouterr().err


def test_what_a_sensors_configuration_connects(pack_dir: Path, tmp_path: Path) -> None:
    write(pack_dir / "sources/fw.yml", "id: fw\nevents: [{logsource: {product: fw}, fields: {src_ip: x}}]\n")
    trees = [read_tree(pack_dir)]
    pinned = write(tmp_path / "a.toml", '[[files]]\npath = "x"\nsource = "fw"\n[lists]\nusers = ["u"]\n')
    assert read_config(pinned, trees) == (["fw"], frozenset({"users"}))
    found_out = write(tmp_path / "b.toml", '[[files]]\npath = "x"\n[capture]\ninterfaces = ["mirror0"]\n')
    assert read_config(found_out, trees) == (["wire", "fw"], frozenset())
    with pytest.raises(ConnectedError, match=r"c\.toml"):
        read_config(write(tmp_path / "c.toml", "= 5"), trees)


def test_the_command_prints_both_tables_and_why(pack_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", str(pack_dir)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"product zeek, service dns +1 +1 +0 +0 +wire +-", printed)
    assert re.search(r"T1090\.003 +Multi-hop Proxy +1 +1", printed)
    assert "1 of 1 rules can fire (0 in part), 1 techniques covered" in printed
    assert main(["coverage", str(pack_dir), "--connected", "windows/sysmon", "--rules"]) == 0
    printed = capsys.readouterr().out
    assert "tor_gateway: no connected source gives events of product zeek, service dns" in printed
    assert "techniques without a rule that can fire: T1090.003" in printed


def test_it_speaks_greek(pack_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LC_ALL", "el_GR.UTF-8")
    assert main(["coverage", str(pack_dir)]) == 0
    assert "1 από 1 κανόνες μπορούν να σημάνουν" in capsys.readouterr().out


def test_json_lists_each_rule(pack_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(pack_dir / "detections/c2/tor_gateway.yml", RULE.replace("query|endswith", "nobody_has"))
    assert main(["coverage", str(pack_dir), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    (one,) = printed["rules"]
    assert (one["fires"], one["why"], one["named"]) == (False, "no_field", ["nobody_has"])
    assert printed["techniques"] == [{"id": "T1090.003", "name": "Multi-hop Proxy", "rules": 1, "fires": 0}]


def test_a_layer_for_each_matrix(pack_dir: Path, tmp_path: Path) -> None:
    write(
        pack_dir / "detections/c2/tor_gateway.yml", RULE.replace("attack.t1090.003", "attack.t1090.003, attack.t0885")
    )
    target = tmp_path / "layer.json"
    assert main(["coverage", str(pack_dir), "--navigator", str(target)]) == 0
    layer = json.loads(target.read_text(encoding="utf-8"))
    ics = json.loads((tmp_path / "layer-ics-attack.json").read_text(encoding="utf-8"))
    assert layer["versions"]["layer"] == "4.5"
    assert (layer["domain"], ics["domain"]) == ("enterprise-attack", "ics-attack")
    (one,) = layer["techniques"]
    assert (one["techniqueID"], one["score"], one["comment"]) == ("T1090.003", 1, "can fire: Tor Gateway Looked Up")
    assert [entry["techniqueID"] for entry in ics["techniques"]] == ["T0885"]


# Of the layer format's specification, version 4.5: keys and types of a layer and of a technique in it.
_LAYER = {
    "name": str, "versions": dict, "domain": str, "description": str, "sorting": int, "hideDisabled": bool,
    "techniques": list, "gradient": dict, "legendItems": list, "showTacticRowBackground": bool,
    "selectTechniquesAcrossTactics": bool, "selectSubtechniquesWithParent": bool,
}  # fmt: skip
_TECHNIQUE = {
    "techniqueID": str, "score": int, "comment": str, "enabled": bool, "metadata": list, "showSubtechniques": bool,
    "color": str,
}  # fmt: skip


def test_the_layers_keys_are_the_formats() -> None:
    tags = ["attack.t1110", "attack.t1110.001", "attack.credential-access", "attack.t0885", "cve.2024-1"]
    able = compiled([rule({"s": {"f": "x"}, "condition": "s"}, 1, tags=tags)]).linked
    blind = compiled([rule({"s": {"h": "x"}, "condition": "s"}, 2, tags=["attack.t1046"])]).linked
    found = [*verdicts(able, Site((FEED,))), *verdicts(blind, Site((FEED,)))]
    for layer in layers(found, "n", "d", read_techniques()).values():
        assert isinstance(layer, dict)
        assert {key: type(value) for key, value in layer.items()} == _LAYER
        for entry in layer["techniques"]:
            assert {key: type(value) for key, value in entry.items()}.items() <= _TECHNIQUE.items()
            assert re.fullmatch(r"T\d{4}(\.\d{3})?", entry["techniqueID"])
            assert all(set(row) == {"name", "value"} for row in entry["metadata"])
            assert re.fullmatch(r"#[0-9a-f]{6}", entry.get("color", "#000000"))
        assert set(layer["gradient"]) == {"colors", "minValue", "maxValue"}
        assert layer["gradient"]["minValue"] < layer["gradient"]["maxValue"]


def test_a_definitions_own_names_count_for_its_product_alone() -> None:
    origin = Origin(LogSource("fw", "vpn"), frozenset({"src_ip"}), is_open=True)
    feed = Feed("fw", origin.logsource, origin.fields, origin.is_open)
    assert feed.has("devid", LogSource("fw"))
    assert not feed.has("devid", LogSource(None, "vpn"))
