//! Rules with every operator over a few fields, and the assertions of all rule targets: however an event is read and matched,
//! the same is found.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use serde::de::IgnoredAny;
use serde_json::{Value, json as value};
use vigla_core::event::{Event, LogSource};
use vigla_core::json;
use vigla_core::sigma::jsonl::Reader;
use vigla_core::sigma::plain::full_scan;
use vigla_core::sigma::{Engine, Hit, Pack, Settings};

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
static PACK: LazyLock<Arc<Pack>> = LazyLock::new(|| {
    let predicates = value!([
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
    let mut nodes: Vec<Value> = (0..count).map(|p| value!({"p": p})).collect();
    nodes.extend((0..count).map(|p| value!({"not": p})));
    nodes.extend((0..count).map(|p| value!({"and": [p, (p * 7 + 3) % count]})));
    nodes.extend((0..count).map(|p| value!({"or": [(p * 5 + 1) % count, count + p]})));
    let rules: Vec<Value> = (0..nodes.len())
        .map(|node| {
            let mut rule = packs::rule(&format!("r{node}"), node);
            if node % 5 == 4 {
                rule["gates"] = value!([18]);
            }
            rule
        })
        .collect();
    let rules = value!({"fields": ["a", "b", "b.c", "time", "Channel"], "predicates": predicates, "nodes": nodes, "rules": rules});
    packs::pack(&rules, &["l"])
});

/// An engine, and two readers of lines for it.
struct Match {
    engine: Engine,
    lazy: Reader,
    whole: Reader,
}

thread_local! {
    /// Made once: an engine takes longer to make than most inputs to run.
    static OVER_ALL: RefCell<Match> = RefCell::new(Match::new(&PACK));
}

/// [`Match::agree`] by [`PACK`].
pub fn agree_over_all(lines: &[&[u8]]) {
    OVER_ALL.with_borrow_mut(|over_all| over_all.agree(lines));
}

/// [`Match::agree`] by a pack of the input's.
pub fn agree(pack: &Arc<Pack>, lines: &[&[u8]]) {
    Match::new(pack).agree(lines);
}

impl Match {
    fn new(pack: &Arc<Pack>) -> Self {
        let mut settings = Settings::default();
        settings
            .lists
            .insert("l".to_owned(), vec!["abc".to_owned(), "ΟΔ".to_owned()]);
        let engine = Engine::new(Arc::clone(pack), settings);
        let source = LogSource {
            product: Some("test".into()),
            ..LogSource::default()
        };
        Self {
            lazy: Reader::lazy(source.clone(), engine.wanted()),
            whole: Reader::new(source),
            engine,
        }
    }

    /// Each line that is an event is the same event read lazily and whole, and meets the rules by the index that it meets by the
    /// full scan.
    fn agree(&mut self, lines: &[&[u8]]) {
        for line in lines {
            let (lazily, wholly) = match (self.lazy.event(line), self.whole.event(line)) {
                (Ok(lazily), Ok(wholly)) => (lazily, wholly),
                (lazily, wholly) => {
                    assert_eq!(lazily.err(), wholly.err(), "refused one way only");
                    continue;
                }
            };
            assert_eq!(self.lazy.repaired(), self.whole.repaired(), "counted one way only");
            // The engine first: printing would have the lazy line read whole.
            let found = [&lazily, &wholly].map(|event| hits(&mut self.engine, event));
            assert_eq!(found[0], found[1], "other hits for a line read lazily");
            let mut rules: Vec<u32> = found[1].iter().map(|hit| hit.member).collect();
            rules.sort_unstable();
            let scanned = full_scan(&self.engine.pack().program, self.engine.lists(), &[], &wholly);
            assert_eq!(rules, scanned, "index and full scan differ");
            for hit in &found[1] {
                serde_json::from_slice::<IgnoredAny>(&hit.to_json()).expect("a hit is JSON");
            }
            assert_eq!(lazily.ts, wholly.ts);
            assert_eq!(
                printed(&lazily),
                printed(&wholly),
                "other fields for a line read lazily"
            );
            self.lazy.recycle(lazily);
        }
    }
}

/// Hits without what tells two equal events apart.
fn hits(engine: &mut Engine, event: &Event) -> Vec<Hit> {
    let mut hits = Vec::new();
    engine.event(event, &Arc::from("fuzz"), 0, &mut |mut hit| {
        (hit.id, hit.source) = Default::default();
        hits.push(hit);
    });
    hits
}

fn printed(event: &Event) -> String {
    let mut text = Vec::new();
    json::event(&mut text, event);
    serde_json::from_slice::<IgnoredAny>(&text).expect("an event prints as JSON");
    String::from_utf8(text).expect("printed text is UTF-8")
}
