//! Log sources, aliases, gates, lists, hits and explanations.

mod packs;

use std::net::IpAddr;
use std::sync::Arc;

use packs::{hits, matching, pack, rule, settings};
use serde_json::{Value as Json, json};
use vigla_core::event::{Body, ConnId, Event, Field, LogSource, Time, Transport, Value};
use vigla_core::record;
use vigla_core::sigma::explain::explain;
use vigla_core::sigma::jsonl::Reader;
use vigla_core::sigma::network::Network;
use vigla_core::sigma::{Engine, Settings};
use vigla_core::stats::{Report as _, Tally};

#[derive(Debug, Default)]
struct Web {
    host: Option<String>,
    uri: String,
    status: u64,
}

const FIELDS: [Field<Web>; 3] = [
    Field {
        name: "host",
        get: |w| w.host.as_deref().map(Value::Str),
    },
    Field {
        name: "uri",
        get: |w| Some(Value::Str(&w.uri)),
    },
    Field {
        name: "status_code",
        get: |w| Some(Value::Uint(w.status)),
    },
];

record!(Web, "web", FIELDS);

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn request(from: &str, to: &str, host: Option<&str>, uri: &str) -> Event {
    Event {
        ts: Time(1_767_225_600_123_456_789),
        uid: None,
        conn: Some(ConnId {
            orig_h: address(from),
            orig_p: 50_000,
            resp_h: address(to),
            resp_p: 80,
            transport: Transport::Tcp,
        }),
        body: Body::Typed(Box::new(Web {
            host: host.map(str::to_owned),
            uri: uri.to_owned(),
            status: 200,
        })),
    }
}

fn web_rules() -> Json {
    let of = |id: &str, node: usize, logsource: Json| {
        let mut rule = rule(id, node);
        rule["logsource"] = logsource;
        rule
    };
    let mapped = json!({
        "sc-status": "status_code", "c-ip": "id.orig_h",
        "cs-uri-query": {"derive": "uri_query", "from": "uri"}, "cs-uri-stem": {"derive": "uri_stem", "from": "uri"},
        "c-uri": {"derive": "uri_full", "from": "uri"}, "cs-host": {"derive": "host_or_ip", "from": "host"},
    });
    json!({
        "fields": ["uri", "cs-uri-query", "sc-status", "id.orig_h", "c-ip", "c-uri", "cs-host", "cs-uri-stem"],
        "predicates": [
            {"op": "contains", "field": 0, "value": "UNION"},
            {"op": "contains", "field": 1, "value": "union select"},
            {"op": "num", "field": 2, "value": "200"},
            {"op": "cidr", "field": 4, "value": "198.51.100.0/24"},
            {"op": "eq", "field": 5, "value": "http://www.example/a?union select"},
            {"op": "eq", "field": 6, "value": "203.0.113.5"},
            {"op": "eq", "field": 7, "value": "/a"},
        ],
        "nodes": [{"p": 0}, {"p": 1}, {"p": 2}, {"p": 3}, {"and": [1, 2, 3]}, {"p": 4}, {"p": 5}, {"p": 6}, {"and": [1, 7]}],
        "rules": [
            of("own", 0, json!({"product": "zeek", "service": "web"})),
            of("other", 0, json!({"product": "zeek", "service": "dns"})),
            of("webserver", 4, json!({"category": "webserver"})),
            of("proxy", 5, json!({"category": "proxy"})),
            of("proxy_host", 6, json!({"category": "proxy"})),
            of("proxy_stem", 8, json!({"category": "proxy"})),
            of("any", 0, json!({})),
        ],
        "aliases": [
            {"event": {"product": "zeek", "service": "web"}, "serves": {"category": "webserver"}, "guard": "responder_local", "fields": mapped},
            {"event": {"product": "zeek", "service": "web"}, "serves": {"category": "proxy"},
             "guard": "originator_local_responder_remote", "fields": mapped},
        ],
    })
}

fn local() -> Settings {
    Settings {
        local_networks: vec![Network::parse("10.0.0.0/8").unwrap()],
        ..settings()
    }
}

#[test]
fn an_event_serves_its_own_log_source_and_its_aliases_behind_guards() {
    let mut engine = Engine::new(pack(&web_rules(), &[]), local());
    let mut of = |event: &Event| matching(&mut engine, &local(), event);
    let inbound = request("198.51.100.7", "10.0.0.80", Some("www.example"), "/a?UNION SELECT");
    assert_eq!(of(&inbound), ["own", "webserver", "any"]);
    let outbound = request("10.0.0.7", "203.0.113.5", Some("www.example"), "/a?union select");
    assert_eq!(of(&outbound), ["own", "proxy", "proxy_stem", "any"]);
    let bare = request("10.0.0.7", "203.0.113.5", None, "/union");
    assert_eq!(of(&bare), ["own", "proxy_host", "any"]);
    let passing = request("198.51.100.7", "203.0.113.5", Some("www.example"), "/a?union select");
    assert_eq!(of(&passing), ["own", "any"]);
}

#[test]
fn a_line_read_lazily_is_met_through_derived_fields_too() {
    let mut engine = Engine::new(pack(&web_rules(), &[]), local());
    let source = LogSource {
        product: Some("zeek".into()),
        service: Some("web".into()),
        ..LogSource::default()
    };
    let mut reader = Reader::lazy(source, engine.wanted());
    let mut of = |from: &str, to: &str| {
        let line = json!({"id.orig_h": from, "id.resp_h": to, "host": "www.example", "uri": "/a?UNION SELECT", "status_code": 200});
        let event = reader.event(line.to_string().as_bytes()).unwrap();
        matching(&mut engine, &local(), &event)
    };
    assert_eq!(of("198.51.100.7", "10.0.0.80"), ["own", "webserver", "any"]);
    assert_eq!(of("10.0.0.7", "203.0.113.5"), ["own", "proxy", "proxy_stem", "any"]);
}

#[test]
fn a_hit_carries_its_evidence_by_the_rules_names() {
    let mut engine = Engine::new(pack(&web_rules(), &[]), local());
    let event = request("198.51.100.7", "10.0.0.80", Some("www.example"), "/a?UNION SELECT");
    let all = hits(&mut engine, &event);
    assert_eq!(
        all.iter().map(|h| &*h.rule).collect::<Vec<_>>(),
        ["own", "any", "webserver"]
    );
    let document: Json = serde_json::from_slice(&all[2].to_json()).unwrap();
    assert_eq!(document["kind"], "match");
    assert_eq!(document["ts"], 1_767_225_600_123_456_789_i64);
    assert_eq!(document["input"], "test.jsonl");
    assert_eq!(
        document["logsource"],
        json!({"product": "zeek", "category": null, "service": "web"})
    );
    assert_eq!(document["event"]["_path"], "web");
    assert_eq!(document["event"]["uri"], "/a?UNION SELECT");
    assert!(document["event"].get("cs-uri-query").is_none());
    assert_eq!(
        document["matched"],
        json!([
            {"selection": "selection", "field": "cs-uri-query", "op": "contains", "value": "union select", "actual": "UNION SELECT"},
            {"selection": "selection", "field": "sc-status", "op": "num", "value": "200", "actual": 200},
            {"selection": "selection", "field": "c-ip", "op": "cidr", "value": "198.51.100.0/24", "actual": "198.51.100.7"},
        ])
    );
    assert_eq!(document["event_id"].as_str().unwrap().len(), 32);
}

#[test]
fn ids_are_the_same_again_and_differ_for_equal_events_rules_and_sensors() {
    let event = || request("10.0.0.7", "203.0.113.5", None, "/union");
    let run = |sensor: &str| {
        let mut engine = Engine::new(
            pack(&web_rules(), &[]),
            Settings {
                sensor: sensor.into(),
                ..local()
            },
        );
        let mut ids: Vec<_> = hits(&mut engine, &event()).iter().map(|hit| hit.id).collect();
        ids.extend(hits(&mut engine, &event()).iter().map(|hit| hit.id));
        ids
    };
    let ids = run("one");
    assert_eq!(ids, run("one"));
    let mut different = [ids, run("two")].concat();
    let count = different.len();
    different.sort_unstable();
    different.dedup();
    assert_eq!((count, different.len()), (12, 12));
}

#[test]
fn gates_read_the_header_and_conditions_the_body() {
    let mut cleared = rule("cleared", 4);
    cleared["gates"] = json!([0]);
    cleared["logsource"] = json!({"product": "windows"});
    let rules = json!({
        "fields": ["Channel", "EventID"],
        "predicates": [
            {"op": "eq", "field": 0, "value": "System"}, {"op": "num", "field": 1, "value": "104"},
            {"op": "eq", "field": 0, "value": "Security"},
        ],
        "nodes": [{"p": 0}, {"p": 1}, {"p": 2}, {"not": 2}, {"and": [1, 2]}],
        "rules": [cleared],
    });
    let mut engine = Engine::new(pack(&rules, &[]), settings());
    let mut reader = Reader::new(LogSource {
        product: Some("windows".into()),
        ..LogSource::default()
    });
    let mut of = |system: &str, body: Json| {
        let line =
            json!({"Event": {"System": {"EventID": 104, "Channel": system}, "UserData": {"LogFileCleared": body}}});
        !matching(
            &mut engine,
            &settings(),
            &reader.event(line.to_string().as_bytes()).unwrap(),
        )
        .is_empty()
    };
    assert!(of("System", json!({"Channel": "Security"})));
    assert!(!of("System", json!({"Channel": "System"})));
    assert!(!of("System", json!({})));
    assert!(!of("Security", json!({"Channel": "Security"})));
    assert!(
        !of("Other", json!({"Channel": "System"})),
        "a header seen before answers only for itself"
    );
    assert!(of("System", json!({"Channel": "Security"})));
}

#[test]
fn a_rule_over_an_empty_list_is_inactive_and_said_so() {
    let rules = packs::single(&json!({"op": "list", "field": 0, "list": "accounts", "how": "eq"}));
    let pack = pack(&rules, &["accounts", "unused"]);
    let event = packs::event(&json!({"a": "USER7"}));
    let mut without = Engine::new(Arc::clone(&pack), settings());
    assert_eq!(without.inactive(), [("r", "accounts")]);
    assert!(hits(&mut without, &event).is_empty());
    let mut tally = Tally::default();
    without.report(&mut tally);
    assert_eq!((tally.get("sigma.rules"), tally.get("sigma.rules_inactive")), (1, 1));
    let mut filled = settings();
    filled.lists.insert("accounts".into(), vec!["user7".into()]);
    let mut with = Engine::new(pack, filled);
    assert!(with.inactive().is_empty());
    assert_eq!(hits(&mut with, &event).len(), 1);
    let mut tally = Tally::default();
    with.report(&mut tally);
    assert_eq!(tally.get("sigma.rule_hits{r}"), 1);
}

#[test]
fn an_explanation_says_true_false_and_missing() {
    let rules = json!({
        "fields": ["a", "b"],
        "predicates": [{"op": "eq", "field": 0, "value": "x"}, {"op": "eq", "field": 1, "value": "y"}, {"op": "contains", "field": 0, "value": "z"}],
        "nodes": [{"p": 0}, {"p": 1}, {"p": 2}, {"not": 1}, {"and": [0, 3, 2]}],
        "rules": [rule("r", 4)],
    });
    let pack = pack(&rules, &[]);
    let lists = pack.program.lists.clone();
    let said = explain(&pack.program, &lists, &[], 0, &packs::event(&json!({"a": ["x", "w"]})));
    assert_eq!(said["matches"], false);
    let condition = &said["views"][0]["condition"];
    assert_eq!(condition["selection"], "selection");
    assert_eq!(condition["verdict"], "false");
    assert_eq!(
        condition["and"][0],
        json!({"field": "a", "op": "eq", "value": "x", "actual": ["x", "w"], "verdict": "true"})
    );
    assert_eq!(condition["and"][1]["verdict"], "true");
    assert_eq!(condition["and"][1]["not"][0]["verdict"], "missing");
    assert_eq!(condition["and"][2]["verdict"], "false");
    let said = explain(
        &pack.program,
        &lists,
        &[],
        0,
        &packs::event(&json!({"a": "x", "b": "z"})),
    );
    assert_eq!(said["matches"], false);
}

#[test]
fn evidence_of_a_keyword_names_the_field_and_long_values_are_cut() {
    let rules = packs::single(&json!({"op": "contains", "field": null, "value": "mimikatz"}));
    let mut engine = Engine::new(pack(&rules, &[]), settings());
    let long = format!("{} mimikatz", "Σ".repeat(5_000));
    let hit = &hits(&mut engine, &packs::event(&json!({"x": "no", "y": long})))[0];
    assert_eq!(hit.matched[0].field, "y");
    assert_eq!(hit.matched[0].actual.as_str().unwrap().chars().count(), 1_025);
    assert!(hit.event.contains("mimikatz"));
}

#[test]
fn a_flood_of_headers_and_names_is_bounded() {
    let mut gated = rule("gated", 0);
    gated["gates"] = json!([0]);
    gated["logsource"] = json!({"product": "test"});
    let mut rules = packs::single(&json!({"op": "eq", "field": 0, "value": "x"}));
    rules["rules"] = json!([gated]);
    let mut engine = Engine::new(pack(&rules, &[]), settings());
    let mut found = Vec::new();
    for n in 0..20_000 {
        let value = if n % 1_000 == 0 { "x".to_owned() } else { n.to_string() };
        engine.matches(&packs::event(&json!({"a": value})), &mut found);
        assert_eq!(found.len(), usize::from(n % 1_000 == 0), "event {n}");
    }
    let mut tally = Tally::default();
    engine.report(&mut tally);
    assert!(tally.get("sigma.headers_forgotten") >= 3);
}
