//! Event classes: a log source's category or service that an event's header tells.

mod packs;

use packs::{matching, pack, settings};
use serde_json::{Value as Json, json};
use vigla_core::event::{Event, LogSource};
use vigla_core::jsonl::Reader;
use vigla_core::sigma::{Engine, Pack};

fn rules() -> Json {
    let windows = json!({"product": "windows"});
    let of = |id: &str, source: Json| {
        let mut rule = packs::rule(id, 0);
        rule["logsource"] = source;
        rule
    };
    json!({
        "fields": ["Channel", "EventID", "Image"],
        "predicates": [
            {"op": "endswith", "field": 2, "value": "\\cmd.exe"},
            {"op": "eq", "field": 0, "value": "Sysmon"},
            {"op": "num", "field": 1, "value": "1"},
        ],
        "nodes": [{"p": 0}, {"p": 1}, {"p": 2}, {"and": [1, 2]}],
        "rules": [
            of("created", json!({"product": "windows", "category": "process_creation"})),
            of("sysmon", json!({"product": "windows", "service": "sysmon"})),
            of("both", json!({"product": "windows", "category": "process_creation", "service": "sysmon"})),
            of("any", json!({"category": "process_creation"})),
            of("unknown", json!({"product": "windows", "category": "file_rename"})),
            of("linux", json!({"product": "linux", "category": "process_creation"})),
        ],
        "classes": [
            {"event": windows, "part": "category", "value": "process_creation", "where": 3},
            {"event": windows, "part": "service", "value": "sysmon", "where": 1},
        ],
    })
}

fn event(category: Option<&'static str>, channel: &str, id: u32, body: &Json) -> Event {
    let source = LogSource {
        product: Some("windows".into()),
        category: category.map(Into::into),
        ..LogSource::default()
    };
    let line = json!({"Event": {"System": {"Channel": channel, "EventID": id}, "EventData": body}});
    Reader::new(source).event(line.to_string().as_bytes()).unwrap()
}

#[test]
fn the_header_tells_category_and_service() {
    let mut engine = Engine::new(pack(&rules(), &[]), settings());
    let body = json!({"Image": r"C:\Windows\cmd.exe"});
    let mut of = |event: &Event| matching(&mut engine, &settings(), event);
    assert_eq!(
        of(&event(None, "Sysmon", 1, &body)),
        ["created", "sysmon", "both", "any"]
    );
    assert_eq!(of(&event(None, "Sysmon", 3, &body)), ["sysmon"]);
    assert_eq!(of(&event(None, "Security", 1, &body)), [""; 0]);
    // What the event says of itself is not asked again, and not overruled.
    assert_eq!(
        of(&event(Some("process_creation"), "Security", 4688, &body)),
        ["created", "any"]
    );
    assert_eq!(
        of(&event(Some("file_rename"), "Sysmon", 1, &body)),
        ["sysmon", "unknown"]
    );
    // The header tells, not a field of the same name in the body.
    let body = json!({"Image": r"C:\Windows\cmd.exe", "Channel": "Security", "EventID": 7});
    assert_eq!(
        of(&event(None, "Sysmon", 1, &body)),
        ["created", "sysmon", "both", "any"]
    );
}

#[test]
fn rows_that_cannot_be_meant_are_refused() {
    let refused = |class: Json| {
        let mut rules = rules();
        rules["classes"].as_array_mut().unwrap().push(class);
        Pack::load(&packs::zip(&packs::members(&rules, &[])))
            .unwrap_err()
            .to_string()
    };
    let windows = json!({"product": "windows"});
    let twice = refused(json!({"event": windows, "part": "service", "value": "sysmon", "where": 0}));
    assert!(twice.contains("class 2 (sysmon): it stands there twice"), "{twice}");
    let lost = refused(json!({"event": windows, "part": "service", "value": "x", "where": 99}));
    assert!(lost.contains("there is no such node"), "{lost}");
    let part = refused(json!({"event": windows, "part": "product", "value": "x", "where": 0}));
    assert!(part.contains("product"), "{part}");
}
