//! Rules with every operator over a few fields, and the assertion of all rule targets: the index finds what the full scan does.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use vigla_core::event::LogSource;
use vigla_core::sigma::jsonl::Reader;
use vigla_core::sigma::plain::full_scan;
use vigla_core::sigma::{Engine, Pack, Settings};

use super::packs;

/// Events that meet some of any rules.
pub const EVENTS: [&[u8]; 6] = [
    br#"{"a": "abc", "b": 4624, "EventID": "1"}"#,
    br#"{"a": ["abc", "10.0.0.1", null], "b": {"c": true}, "time": "2026-03-01T09:14:07Z"}"#,
    "{\"a\": \"ΟΔΟΣ οδος\", \"b\": \"\"}".as_bytes(),
    br#"{"Event": {"System": {"EventID": 4688, "Channel": "Security"}, "EventData": {"a": "powershell.exe -enc", "Channel": "x"}}}"#,
    br#"{"a": 1e3, "b": -0.0, "c": 18446744073709551615}"#,
    b"{}",
];

/// A pack over all operators; gates, keywords, lists and negations too.
pub static PACK: LazyLock<Arc<Pack>> = LazyLock::new(|| {
    let predicates = json!([
        {"op": "eq", "field": 0, "value": "abc"}, {"op": "contains", "field": 0, "value": "shell"},
        {"op": "startswith", "field": 0, "value": "power", "cased": true}, {"op": "endswith", "field": 0, "value": ".EXE"},
        {"op": "wildcard", "field": 0, "parts": ["a", {"any": "*"}, {"any": "?"}, "c"]}, {"op": "num", "field": 1, "value": "4624"},
        {"op": "bool", "field": 2, "value": true}, {"op": "null", "field": 1}, {"op": "empty", "field": 1},
        {"op": "exists", "field": 2, "value": false}, {"op": "re", "field": 0, "pattern": "(abc|οδ.ς)+$", "flags": "i"},
        {"op": "cidr", "field": 0, "value": "10.0.0.0/8"}, {"op": "gte", "field": 1, "value": "1000"},
        {"op": "fieldref", "field": 0, "other": 1, "how": "contains"}, {"op": "list", "field": 0, "list": "l", "how": "startswith"},
        {"op": "time", "field": 3, "part": "hour", "cmp": "lt", "value": 12}, {"op": "contains", "field": null, "value": "enc"},
        {"op": "re", "field": null, "pattern": "[0-9]{4}", "flags": ""}, {"op": "eq", "field": 4, "value": "Security"},
        {"op": "eq", "field": 0, "value": "ΟΔΟΣ ΟΔΟΣ"}
    ]);
    let count = predicates.as_array().map_or(0, Vec::len);
    let mut nodes: Vec<Value> = (0..count).map(|p| json!({"p": p})).collect();
    nodes.extend((0..count).map(|p| json!({"not": p})));
    nodes.extend((0..count).map(|p| json!({"and": [p, (p * 7 + 3) % count]})));
    nodes.extend((0..count).map(|p| json!({"or": [(p * 5 + 1) % count, count + p]})));
    let rules: Vec<Value> = (0..nodes.len())
        .map(|node| {
            let mut rule = packs::rule(&format!("r{node}"), node);
            if node % 5 == 4 {
                rule["gates"] = json!([18]);
            }
            rule
        })
        .collect();
    let rules = json!({"fields": ["a", "b", "b.c", "time", "Channel"], "predicates": predicates, "nodes": nodes, "rules": rules});
    packs::pack(&rules, &["l"])
});

/// Matches each line that is an event by the index and by the full scan.
pub fn agree(pack: &Arc<Pack>, lines: &[&[u8]]) {
    let mut settings = Settings::default();
    settings
        .lists
        .insert("l".to_owned(), vec!["abc".to_owned(), "ΟΔ".to_owned()]);
    let lists = pack.program.lists.filled(&settings.lists);
    let mut engine = Engine::new(Arc::clone(pack), settings);
    let mut reader = Reader::new(LogSource {
        product: Some("test".into()),
        ..LogSource::default()
    });
    let (input, mut rules) = (Arc::from("fuzz"), Vec::new());
    for line in lines {
        let Ok(event) = reader.event(line) else { continue };
        engine.matches(&event, &mut rules);
        rules.sort_unstable();
        let scanned = full_scan(&pack.program, &lists, &[], &event);
        assert_eq!(rules, scanned, "index and full scan differ");
        engine.event(&event, &input, 0, &mut |hit| {
            serde_json::from_slice::<serde::de::IgnoredAny>(&hit.to_json()).expect("a hit is JSON");
        });
    }
}
