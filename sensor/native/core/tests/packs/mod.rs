//! Packs composed in memory, and events of JSON.
#![allow(dead_code, clippy::missing_panics_doc)] // each test program uses its part

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use vigla_core::event::{Event, LogSource};
use vigla_core::sigma::jsonl::Reader;
use vigla_core::sigma::plain::full_scan;
use vigla_core::sigma::{Engine, Hit, Pack, Settings};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// Members of a pack whose manifest is right, to be spoilt by tests.
pub fn members(rules: &Json, lists: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut members: Vec<(String, Vec<u8>)> = vec![
        ("canary.json".into(), br#"{"canaries": []}"#.to_vec()),
        ("ecs.json".into(), br#"{"fields": [], "logsources": []}"#.to_vec()),
        ("rules.json".into(), rules.to_string().into_bytes()),
        ("sources.json".into(), br#"{"sources": []}"#.to_vec()),
        ("texts.json".into(), br#"{"el": {}, "en": {}}"#.to_vec()),
    ];
    let hashes: Map<String, Json> = members
        .iter()
        .map(|(name, bytes)| (name.clone(), hex(&Sha256::digest(bytes)).into()))
        .collect();
    let manifest = json!({"format": 1, "name": "test", "version": "1", "minimum_sensor": "0.1.0", "members": hashes, "lists": lists});
    members.push(("manifest.json".into(), manifest.to_string().into_bytes()));
    members
}

pub fn zip(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub fn pack(rules: &Json, lists: &[&str]) -> Arc<Pack> {
    Arc::new(Pack::load(&zip(&members(rules, lists))).unwrap())
}

/// A rule over log source `product: test` with the condition at `node`.
pub fn rule(id: &str, node: usize) -> Json {
    json!({"id": id, "title": id, "logsource": {"product": "test"}, "condition": node, "selections": {"selection": node}})
}

/// One rule whose condition is one predicate over fields `a` (0) and `b` (1).
pub fn single(predicate: &Json) -> Json {
    let mut one = rule("r", 0);
    if let Some(list) = predicate.get("list") {
        one["lists"] = json!([list]);
    }
    json!({"fields": ["a", "b"], "predicates": [predicate], "nodes": [{"p": 0}, {"not": 0}], "rules": [one]})
}

pub fn event(document: &Json) -> Event {
    Reader::new(LogSource {
        product: Some("test".into()),
        ..LogSource::default()
    })
    .event(document.to_string().as_bytes())
    .unwrap()
}

pub fn settings() -> Settings {
    Settings {
        sensor: "sensor-1".into(),
        ..Settings::default()
    }
}

/// Ids of the rules that match, by the engine, which must agree with the full scan.
pub fn matching(engine: &mut Engine, settings: &Settings, event: &Event) -> Vec<String> {
    let mut rules = Vec::new();
    engine.matches(event, &mut rules);
    rules.sort_unstable();
    let pack = Arc::clone(engine.pack());
    let lists = pack.program.lists.filled(&settings.lists);
    assert_eq!(
        rules,
        full_scan(&pack.program, &lists, &settings.local_networks, event),
        "index and full scan differ"
    );
    rules
        .iter()
        .map(|rule| pack.program.rules[*rule as usize].metadata.id.clone())
        .collect()
}

/// Whether one predicate holds for one event; its negation must hold exactly when it does not.
pub fn holds(predicate: &Json, document: &Json) -> bool {
    let mut rules = single(predicate);
    let mut negated = rule("n", 1);
    negated["lists"] = rules["rules"][0]["lists"].clone();
    if negated["lists"].is_null() {
        negated["lists"] = json!([]);
    }
    rules["rules"].as_array_mut().unwrap().push(negated);
    let mut settings = settings();
    settings.lists.insert("l".into(), vec!["Αλφα".into(), "beta".into()]);
    let mut engine = Engine::new(pack(&rules, &["l"]), settings.clone());
    let ids = matching(&mut engine, &settings, &event(document));
    match ids.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["r"] => true,
        ["n"] => false,
        ref other => panic!("a predicate and its negation gave {other:?}"),
    }
}

pub fn hits(engine: &mut Engine, event: &Event) -> Vec<Hit> {
    let (input, mut hits) = ("test.jsonl".into(), Vec::new());
    engine.event(event, &input, 0, &mut |hit| hits.push(hit));
    hits
}
