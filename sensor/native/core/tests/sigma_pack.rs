//! A pack with one fault is refused whole, and the refusal says which member and why.

mod packs;

use packs::{members, pack, rule, single, zip};
use serde_json::{Value as Json, json};
use vigla_core::sigma::Pack;

fn refusal(members: &[(String, Vec<u8>)]) -> String {
    Pack::load(&zip(members))
        .expect_err("the pack must be refused")
        .to_string()
}

fn refused_rules(rules: &Json) -> String {
    refusal(&members(rules, &["declared"]))
}

fn good() -> Json {
    single(&json!({"op": "eq", "field": 0, "value": "x"}))
}

#[test]
fn a_good_pack_loads() {
    let pack = pack(&good(), &[]);
    assert_eq!(pack.program.rules.len(), 1);
    assert_eq!(pack.sha256.len(), 64);
    assert_eq!(pack.program.find("r"), Some(0));
    assert_eq!(pack.program.find("none"), None);
}

#[test]
fn what_is_no_zip_is_refused() {
    let error = Pack::load(b"rules: []").unwrap_err();
    assert!(error.to_string().contains("no ZIP"), "{error}");
    let whole = zip(&members(&good(), &[]));
    for cut in [0, 1, 30, whole.len() / 2, whole.len() - 1] {
        assert!(Pack::load(&whole[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn any_flipped_byte_is_noticed_or_harmless() {
    let whole = zip(&members(&good(), &[]));
    for at in (0..whole.len()).step_by(7) {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 0x41;
        if let Ok(pack) = Pack::load(&spoilt) {
            assert_eq!(pack.program.rules.len(), 1, "byte {at} changed the rules unnoticed");
        }
    }
}

#[test]
fn an_altered_missing_or_unlisted_member_is_refused() {
    let mut altered = members(&good(), &[]);
    altered[4].1.push(b' ');
    let said = refusal(&altered);
    assert!(said.contains("texts.json") && said.contains("altered"), "{said}");

    let mut missing = members(&good(), &[]);
    missing.remove(1);
    let said = refusal(&missing);
    assert!(said.contains("ecs.json") && said.contains("does not hold"), "{said}");

    let mut extra = members(&good(), &[]);
    extra.push(("rules/x.yml".into(), b"title: x".to_vec()));
    let said = refusal(&extra);
    assert!(said.contains("rules/x.yml") && said.contains("does not list"), "{said}");

    let mut without = members(&good(), &[]);
    without.pop();
    assert!(refusal(&without).contains("manifest.json"));
}

fn with_manifest(change: impl Fn(&mut Json)) -> String {
    let mut all = members(&good(), &[]);
    let mut manifest: Json = serde_json::from_slice(&all[5].1).unwrap();
    change(&mut manifest);
    all[5].1 = manifest.to_string().into_bytes();
    refusal(&all)
}

#[test]
fn another_format_or_a_newer_sensor_is_refused() {
    assert!(with_manifest(|m| m["format"] = 2.into()).contains("format is 2, this sensor reads 1"));
    assert!(with_manifest(|m| m["format"] = Json::Null).contains("format is none"));
    assert!(with_manifest(|m| m["minimum_sensor"] = "99.0.0".into()).contains("needs sensor 99.0.0"));
    assert!(with_manifest(|m| m["minimum_sensor"] = "soon".into()).contains("is no version"));
    assert!(with_manifest(|m| drop(m["members"].as_object_mut().unwrap().remove("ecs.json"))).contains("ecs.json"));
}

#[test]
fn an_unknown_operator_or_key_is_refused() {
    let of = |predicate: Json| refused_rules(&single(&predicate));
    assert!(of(json!({"op": "sounds_like", "field": 0, "value": "x"})).contains("sounds_like"));
    assert!(of(json!({"op": "eq", "field": 0, "value": "x", "fuzzy": true})).contains("fuzzy"));
    assert!(of(json!({"op": "eq", "field": 0})).contains("value"));
    assert!(of(json!({"op": "eq", "field": 2, "value": "x"})).contains("field 2"));
    assert!(of(json!({"op": "startswith", "field": null, "value": "x"})).contains("needs a field"));
    assert!(of(json!({"op": "re", "field": 0, "pattern": "(?=x)"})).contains("does not compile"));
    assert!(of(json!({"op": "re", "field": 0, "pattern": "\\w{1000}{1000}"})).contains("does not compile"));
    assert!(of(json!({"op": "re", "field": 0, "pattern": "x", "flags": "u"})).contains("no flag"));
    assert!(of(json!({"op": "cidr", "field": 0, "value": "10.0.0.1/8"})).contains("host bits"));
    assert!(of(json!({"op": "num", "field": 0, "value": "x"})).contains("no number"));
    assert!(of(json!({"op": "fieldref", "field": 0, "other": 9, "how": "eq"})).contains("field 9"));
    assert!(of(json!({"op": "fieldref", "field": 0, "other": 1, "how": "near"})).contains("near"));
    assert!(of(json!({"op": "time", "field": 0, "part": "second", "cmp": "eq", "value": 1})).contains("second"));
    assert!(of(json!({"op": "wildcard", "field": 0, "parts": [{"any": "+"}]})).contains("no wildcard"));
    assert!(of(json!({"op": "list", "field": 0, "list": "other", "how": "eq"})).contains("not declared"));
}

#[test]
fn an_index_that_points_nowhere_is_refused() {
    let mut rules = good();
    rules["nodes"] = json!([{"p": 1}]);
    assert!(refused_rules(&rules).contains("no predicate 1"));
    rules["nodes"] = json!([{"not": 0}]);
    assert!(refused_rules(&rules).contains("does not stand before it"));
    rules["nodes"] = json!([{"p": 0}]);
    rules["rules"][0]["condition"] = 5.into();
    assert!(refused_rules(&rules).contains("no node 5"));
    rules["rules"] = json!([rule("r", 0)]);
    rules["rules"][0]["gates"] = json!([3]);
    assert!(refused_rules(&rules).contains("no node 3"));
    rules["rules"][0]["gates"] = json!([]);
    rules["rules"][0]["lists"] = json!(["undeclared"]);
    assert!(refused_rules(&rules).contains("undeclared"));
    rules["rules"][0]["lists"] = json!([]);
    rules["aliases"] = json!([{"event": {}, "serves": {}, "guard": "at_night"}]);
    assert!(refused_rules(&rules).contains("at_night"));
}

#[test]
fn a_correlation_that_cannot_run_is_refused() {
    let of = |change: &dyn Fn(&mut Json)| {
        let mut rules = good();
        rules["correlations"] = json!([{
            "id": "c", "title": "c", "type": "event_count", "rules": ["r"], "group_by": ["a"], "timespan_ms": 1000,
            "condition": [{"op": "gte", "value": 2}]
        }]);
        change(&mut rules["correlations"][0]);
        refused_rules(&rules)
    };
    assert!(of(&|c| c["type"] = "value_mode".into()).contains("value_mode"));
    assert!(of(&|c| c["rules"] = json!(["lost"])).contains("no rule lost"));
    assert!(of(&|c| c["rules"] = json!(["c"])).contains("reads itself"));
    assert!(of(&|c| c["rules"] = json!([])).contains("lists no rules"));
    assert!(of(&|c| c["timespan_ms"] = 0.into()).contains("timespan_ms"));
    assert!(of(&|c| c["condition"] = json!([])).contains("no condition"));
    assert!(of(&|c| c["condition"] = json!([{"op": "near", "value": 1}])).contains("near"));
    assert!(of(&|c| c["condition"] = json!([{"op": "gte", "value": 65_537}])).contains("threshold"));
    assert!(of(&|c| c["type"] = "value_count".into()).contains("field"));
}
