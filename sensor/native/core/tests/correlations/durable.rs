//! Checkpoints: what is kept, and what is not believed (design: sigma.md 5).

use serde_json::{Value as Json, json};

use crate::bench::{Bench, SECOND, correlation, every_kind, extended, live};

#[test]
fn a_checkpoint_carries_windows_and_quiet_times() {
    let all = [
        correlation("c", "event_count", &["fail"], 10, "gte", 3.0),
        correlation("e", "event_count", &["fail"], 10, "eq", 2.0),
        correlation("o", "temporal_ordered", &["fail", "success"], 10, "gte", 2.0),
    ];
    let seconds = [100, 101, 102, 103, 109, 111, 112, 113];
    let run = |cut: usize| {
        let mut bench = Bench::new(&all, live());
        for (n, second) in seconds.iter().enumerate() {
            if n == cut {
                bench = bench.restarted(&all);
            }
            bench.send(f64::from(*second), "a", if n == 5 { "success" } else { "fail" }, "u");
        }
        bench.advance(10_000);
        bench
            .out
            .iter()
            .map(|hit| (hit.id, hit.kind.clone()))
            .collect::<Vec<_>>()
    };
    let whole = run(usize::MAX);
    assert!(whole.len() > 4, "{}", whole.len());
    for cut in 0..seconds.len() {
        assert_eq!(run(cut), whole, "cut before event {cut}");
    }
}

#[test]
fn a_checkpoint_of_another_definition_or_none_is_not_taken() {
    let mut bench = Bench::new(&[correlation("c", "event_count", &["fail"], 10, "gte", 3.0)], live());
    bench.send(100.0, "a", "fail", "u");
    let state = bench.correlator.snapshot();
    let mut changed = Bench::new(&[correlation("c", "event_count", &["fail"], 10, "gte", 2.0)], live());
    changed.correlator.restore(&state).unwrap();
    assert_eq!(changed.correlator.keys(), 0);
    let mut same = Bench::new(
        &[
            correlation("d", "value_count", &["fail"], 9, "gte", 4.0),
            correlation("c", "event_count", &["fail"], 10, "gte", 3.0),
        ],
        live(),
    );
    same.correlator.restore(&state).unwrap();
    assert_eq!(same.correlator.keys(), 1);
    for cut in 0..state.len() {
        assert!(same.correlator.restore(&state[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn an_alert_after_a_restart_has_its_evidence() {
    let all = [
        correlation("sum", "value_sum", &["fail"], 10, "gte", 3.0),
        extended(
            "alone",
            "temporal",
            10,
            &json!({"and": [{"rule": 0}, {"not": {"rule": 1}}]}),
        ),
        correlation("many", "event_count", &["fail"], 10, "gte", 2.0),
    ];
    let send = |bench: &mut Bench, second: i64| {
        let document = json!({"ts": second, "src": "a", "what": "fail", "bytes": "1.5"});
        bench.at("a.log", second.unsigned_abs(), &document, Some(second * SECOND));
    };
    let mut bench = Bench::new(&all, live());
    send(&mut bench, 100);
    send(&mut bench, 101);
    send(&mut bench, 102);
    bench.out.clear();
    let mut bench = bench.restarted(&all);
    bench.advance(1_000);
    let hits: Vec<Json> = bench
        .out
        .iter()
        .map(|hit| serde_json::from_slice(&hit.to_json()).unwrap())
        .collect();
    let rules: Vec<_> = hits
        .iter()
        .map(|hit| (hit["kind"].as_str(), hit["rule"].as_str()))
        .collect();
    let (hit, summary) = (Some("correlation"), Some("correlation-summary"));
    assert_eq!(
        rules,
        [
            (hit, Some("sum")),
            (hit, Some("alone")),
            (summary, Some("sum")),
            (summary, Some("many")),
            (summary, Some("alone"))
        ]
    );
    for hit in &hits {
        assert_eq!(hit["matched"][0]["op"], "eq", "{hit}");
        assert_eq!(hit["matched"][0]["actual"], "fail", "{hit}");
        assert_eq!(hit["event"]["bytes"], "1.5", "{hit}");
        assert!(!hit["correlation"]["samples"].as_array().unwrap().is_empty(), "{hit}");
    }
}

#[test]
fn damage_is_refused_and_nothing_of_it_taken() {
    let mut bench = Bench::new(&every_kind(), live());
    for second in [100, 101, 102] {
        bench.send(f64::from(second), "a", "fail", "u");
    }
    let state = bench.correlator.snapshot();
    let mut other = Bench::new(&every_kind(), live());
    for at in 0..state.len() {
        let mut damaged = state.clone();
        damaged[at] ^= 0x10;
        let refused = other.correlator.restore(&damaged).unwrap_err().to_string();
        assert!(refused.contains("start without it to count afresh"), "{refused}");
    }
    assert_eq!(other.correlator.keys(), 0);
    other.correlator.restore(&state).unwrap();
    assert_eq!(other.correlator.keys(), bench.correlator.keys());
    assert_eq!(other.correlator.snapshot(), state);
}
