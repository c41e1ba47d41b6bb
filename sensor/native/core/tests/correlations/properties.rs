//! What must hold for any hits, of every kind of correlation.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use vigla_core::correlate::Settings;

use crate::bench::{Bench, correlation, every_kind, live};

fn shuffled(order: &[usize]) -> Vec<(String, i64, String, u64, u64)> {
    let all = [
        correlation("count", "event_count", &["fail"], 4, "gte", 3.0),
        correlation("ordered", "temporal_ordered", &["fail", "success"], 4, "gte", 2.0),
        correlation("few", "value_count", &["fail"], 6, "lt", 2.0),
    ];
    let mut bench = Bench::new(&all, Settings::REPLAY);
    for n in order {
        let (what, src) = (if n % 3 == 2 { "success" } else { "fail" }, ["a", "b"][n % 2]);
        let document = json!({"ts": n / 2, "src": src, "what": what, "user": format!("u{}", n % 5)});
        bench.at("x.log", *n as u64, &document, None);
    }
    bench.finish();
    bench.said()
}

/// Seconds after the event before, rule, group, user and number, and by how many seconds it comes late.
type Happened = (i64, usize, usize, usize, usize, i64);

fn happened() -> impl Strategy<Value = Vec<Happened>> {
    prop::collection::vec(
        (0_i64..6, 0_usize..3, 0_usize..2, 0_usize..4, 0_usize..6, 0_i64..55),
        1..50,
    )
}

/// (arrival, place, document) of what happened.
fn sent(all: &[Happened]) -> Vec<(i64, u64, Json)> {
    let mut now = 1_000;
    let mut sent = Vec::new();
    for (n, (gap, what, src, user, bytes, late)) in all.iter().enumerate() {
        now += gap;
        let bytes = [json!(1), json!(2.5), json!("4"), json!("x"), json!(null), json!(-0.75)][*bytes].clone();
        let what = ["fail", "success", "lock"][*what];
        let (user, src) = (format!("u{user}"), ["a", "b"][*src]);
        let document = json!({"ts": now, "src": src, "what": what, "user": user, "bytes": bytes, "n": n});
        sent.push((now + late, n as u64, document));
    }
    sent
}

/// All hits as they came out, where state was written and read back before each event in `cuts`.
fn run(correlations: &[Json], sent: &[(i64, u64, Json)], cuts: &[usize]) -> Vec<Json> {
    let mut bench = Bench::new(correlations, live());
    let mut now = 0;
    for (n, (arrival, place, document)) in sent.iter().enumerate() {
        if cuts.contains(&n) {
            bench = bench.restarted(correlations);
        }
        bench.at("x.log", *place, document, None);
        now = now.max(*arrival);
        bench.advance(now);
    }
    bench.advance(100_000);
    assert_eq!(bench.correlator.keys(), 0);
    bench
        .out
        .iter()
        .map(|hit| serde_json::from_slice(&hit.to_json()).unwrap())
        .collect()
}

/// In an order that does not depend on when each was known.
fn in_order(mut hits: Vec<Json>) -> Vec<Json> {
    hits.sort_by_key(|hit| (hit["ts"].as_i64(), hit["rule"].to_string(), hit["event_id"].to_string()));
    hits
}

fn groups(hits: &[Json], rule: &str) -> std::collections::BTreeSet<String> {
    let own = hits
        .iter()
        .filter(|hit| hit["rule"] == rule && hit["kind"] == "correlation");
    own.map(|hit| hit["correlation"]["group"].to_string().to_lowercase())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A crash between two events changes nothing: not the hits, not their ids, events, evidence and samples.
    #[test]
    fn a_restart_anywhere_changes_nothing(all in happened(), cuts in prop::collection::vec(0_usize..50, 1..4)) {
        let (kinds, sent) = (every_kind(), sent(&all));
        prop_assert_eq!(run(&kinds, &sent, &cuts), run(&kinds, &sent, &[]));
    }

    /// What comes late, but within the lateness, is as if it had come in order. What fires at once fires for the same
    /// groups; the window's end it may know better later.
    #[test]
    fn late_input_is_sorted_input(all in happened()) {
        let (kinds, sorted) = (every_kind(), sent(&all));
        let mut late = sorted.clone();
        late.sort_by_key(|(arrival, ..)| *arrival);
        let in_time: Vec<_> = sorted.iter().map(|(_, n, d)| (d["ts"].as_i64().unwrap(), *n, d.clone())).collect();
        let (late, in_time) = (in_order(run(&kinds, &late, &[])), in_order(run(&kinds, &in_time, &[])));
        for rule in ["few", "one", "sum", "average", "median", "percentile", "alone", "order"] {
            let own = |hits: &[Json]| hits.iter().filter(|hit| hit["rule"] == rule).cloned().collect::<Vec<_>>();
            prop_assert_eq!(own(&late), own(&in_time), "{}", rule);
        }
        for rule in ["many", "users", "both", "then", "or"] {
            prop_assert_eq!(groups(&late, rule), groups(&in_time, rule), "{}", rule);
        }
    }

    #[test]
    fn the_order_of_correlations_changes_nothing(all in happened()) {
        let (kinds, sent) = (every_kind(), sent(&all));
        let mut turned = kinds.clone();
        turned.reverse();
        prop_assert_eq!(in_order(run(&turned, &sent, &[])), in_order(run(&kinds, &sent, &[])));
    }

    #[test]
    fn replay_does_not_depend_on_arrival(order in Just((0..40).collect::<Vec<usize>>()).prop_shuffle()) {
        prop_assert_eq!(shuffled(&order), shuffled(&(0..40).collect::<Vec<_>>()));
    }

    /// The first alert of a key is that of the obvious recount, for events in order.
    #[test]
    fn counting_as_they_come_is_counting_anew(
        gaps in prop::collection::vec((0_i64..5, 0_usize..3, 0_usize..4), 1..60),
        kind in prop::sample::select(vec!["event_count", "value_count", "temporal_ordered"]),
    ) {
        let one = match kind {
            "temporal_ordered" => correlation("c", kind, &["fail", "success"], 10, "gte", 2.0),
            _ => correlation("c", kind, &["fail"], 10, "gte", 3.0),
        };
        let mut bench = Bench::new(&[one], Settings::REPLAY);
        let (mut now, mut seen, mut expected) = (0, Vec::new(), None);
        for (index, (gap, what, user)) in gaps.iter().enumerate() {
            now += gap;
            let what = if *what == 2 { "success" } else { "fail" };
            if kind == "temporal_ordered" || what == "fail" {
                seen.push((now, what, *user));
            }
            let window: Vec<_> = seen.iter().filter(|(t, ..)| now - t <= 10).collect();
            let met = match kind {
                "event_count" => window.len() >= 3,
                "value_count" => (0..4).filter(|u| window.iter().any(|(_, _, user)| user == u)).count() >= 3,
                _ => window.iter().enumerate().any(|(i, (_, w, _))| *w == "fail" && window[i..].iter().any(|(_, w, _)| *w == "success")),
            };
            let contributes = kind == "temporal_ordered" || what == "fail";
            if met && contributes && expected.is_none() {
                expected = Some(now);
            }
            let document = json!({"ts": now, "src": "a", "what": what, "user": format!("u{user}")});
            bench.at("x.log", index as u64, &document, None);
        }
        bench.finish();
        prop_assert_eq!(bench.said().first().map(|said| said.1), expected);
    }
}
