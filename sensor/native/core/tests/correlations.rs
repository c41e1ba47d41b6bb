//! Correlations over hits: windows, order, quiet times, chains, memory, checkpoints (design: sigma.md 1.5 and 5).

mod packs;

use std::sync::Arc;

use packs::{event, pack, rule};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use vigla_core::correlate::{Correlator, Settings};
use vigla_core::event::Time;
use vigla_core::sigma::{Engine, Hit, HitKind, Pack};
use vigla_core::stats::{Report as _, Tally};

const SECOND: i64 = 1_000_000_000;

/// Rules `fail` and `success` over field `what`, grouped by `src`, counted by `user`.
fn rules(correlations: &[Json]) -> Json {
    json!({
        "fields": ["src", "user", "what", "login"],
        "predicates": [{"op": "eq", "field": 2, "value": "fail"}, {"op": "eq", "field": 2, "value": "success"}],
        "nodes": [{"p": 0}, {"p": 1}],
        "rules": [rule("fail", 0), rule("success", 1)],
        "correlations": correlations,
    })
}

fn correlation(id: &str, kind: &str, rules: &[&str], seconds: i64, op: &str, value: f64) -> Json {
    json!({
        "id": id, "title": id, "type": kind, "rules": rules, "group_by": ["src"], "timespan_ms": seconds * 1000,
        "field": if kind == "value_count" { json!(["user"]) } else { json!([]) },
        "condition": [{"op": op, "value": value}],
    })
}

struct Bench {
    engine: Engine,
    correlator: Correlator,
    offset: u64,
    out: Vec<Hit>,
}

impl Bench {
    fn new(correlations: &[Json], settings: Settings) -> Self {
        Self::of(pack(&rules(correlations), &[]), settings)
    }

    fn of(pack: Arc<Pack>, settings: Settings) -> Self {
        let engine = Engine::new(Arc::clone(&pack), packs::settings());
        Self {
            engine,
            correlator: Correlator::new(pack, settings),
            offset: 0,
            out: Vec::new(),
        }
    }

    fn at(&mut self, input: &str, offset: u64, document: &Json, receipt: Option<i64>) {
        let (event, input, mut hits) = (event(document), input.into(), Vec::new());
        self.engine.event(&event, &input, offset, &mut |hit| hits.push(hit));
        for hit in hits {
            self.correlator
                .hit(&hit, receipt.map(Time), &mut |hit| self.out.push(hit));
        }
    }

    /// One event, received when it happened.
    fn send(&mut self, second: f64, src: &str, what: &str, user: &str) {
        self.offset += 1;
        let document = json!({"ts": second, "src": src, "what": what, "user": user});
        self.at("a.log", self.offset, &document, Some((second * 1e9) as i64));
    }

    fn advance(&mut self, second: i64) {
        self.correlator
            .advance(Time(second * SECOND), &mut |hit| self.out.push(hit));
    }

    fn finish(&mut self) {
        self.correlator.finish(&mut |hit| self.out.push(hit));
    }

    /// (rule, window end in seconds, group, count, repeats) of what came out.
    fn said(&self) -> Vec<(String, i64, String, u64, u64)> {
        self.out
            .iter()
            .map(|hit| {
                let (HitKind::Correlation(c) | HitKind::Summary(c)) = &hit.kind else {
                    panic!("a match came out")
                };
                let group = c.group.iter().map(|(_, v)| v.clone()).collect::<Vec<_>>().join("|");
                (hit.rule.to_string(), c.end.0 / SECOND, group, c.count, c.repeats)
            })
            .collect()
    }
}

fn live() -> Settings {
    Settings::LIVE
}

#[test]
fn the_window_is_trailing_and_inclusive() {
    let mut bench = Bench::new(&[correlation("c", "event_count", &["fail"], 10, "gte", 3.0)], live());
    bench.send(100.0, "A", "fail", "u");
    bench.send(105.0, "a", "fail", "u"); // the group key is folded
    bench.send(105.0, "b", "fail", "u");
    bench.send(111.0, "a", "fail", "u"); // 101..111 holds two
    assert_eq!(bench.said(), []);
    bench.send(115.0, "a", "fail", "u"); // 105..115 holds three
    assert_eq!(bench.said(), [("c".into(), 115, "A".into(), 3, 0)]);
    let HitKind::Correlation(said) = &bench.out[0].kind else {
        panic!()
    };
    assert_eq!((said.start, said.end), (Time(105 * SECOND), Time(115 * SECOND)));
    assert_eq!(said.samples.len(), 3);
    assert!(bench.out[0].event.contains("\"ts\":115."), "{}", bench.out[0].event);
}

#[test]
fn a_quiet_time_follows_a_hit_and_ends_with_a_summary() {
    let mut bench = Bench::new(&[correlation("c", "event_count", &["fail"], 10, "gte", 2.0)], live());
    for second in [100, 101, 102, 111, 112] {
        bench.send(f64::from(second), "a", "fail", "u");
    }
    // 100+101 fire; 102, 111 (quiet until 111 inclusive) repeat; 112 fires again, which ends the quiet time.
    assert_eq!(
        bench.said(),
        [
            ("c".into(), 101, "a".into(), 2, 0),
            ("c".into(), 101, "a".into(), 2, 2),
            ("c".into(), 112, "a".into(), 3, 0)
        ]
    );
    assert!(matches!(bench.out[1].kind, HitKind::Summary(_)));
    bench.send(113.0, "a", "fail", "u");
    bench.out.clear();
    bench.advance(182);
    assert_eq!(bench.said(), [], "the lateness has not passed");
    bench.advance(183);
    assert_eq!(bench.said(), [("c".into(), 112, "a".into(), 3, 1)]);
    assert_eq!(bench.correlator.keys(), 1, "an event of 113 is still within its window");
    bench.advance(300);
    assert_eq!(bench.correlator.keys(), 0);
    assert_eq!(bench.correlator.bytes(), 0);
}

#[test]
fn value_count_counts_different_values_folded() {
    let mut bench = Bench::new(&[correlation("c", "value_count", &["fail"], 10, "gte", 3.0)], live());
    for (second, user) in [(100, "u1"), (101, "U1"), (102, "u2"), (103, "u2")] {
        bench.send(f64::from(second), "a", "fail", user);
    }
    assert_eq!(bench.said(), []);
    bench.send(111.0, "a", "fail", "u3"); // u1 at 101 is just within
    assert_eq!(bench.said(), [("c".into(), 111, "a".into(), 4, 0)]);
    bench.at("a.log", 99, &json!({"ts": 111, "src": "a", "what": "fail"}), None);
    bench.at("a.log", 99, &json!({"ts": 111, "what": "fail", "user": "u9"}), None);
    bench.at(
        "a.log",
        99,
        &json!({"ts": 111, "what": "fail", "src": null, "user": "u9"}),
        None,
    );
    let counts = bench.correlator.counts()[0];
    assert_eq!(
        (counts.missing_value, counts.missing_group_key, counts.events),
        (1, 2, 5)
    );
}

#[test]
fn temporal_wants_all_rules_in_any_order() {
    let mut one = correlation("c", "temporal", &["fail", "success"], 10, "gte", 2.0);
    one["condition"] = json!([]);
    let mut bench = Bench::new(&[one], live());
    bench.send(100.0, "a", "success", "u");
    bench.send(105.0, "b", "fail", "u"); // another group
    bench.send(111.0, "a", "fail", "u"); // too late
    assert_eq!(bench.said(), []);
    bench.send(112.0, "a", "success", "u");
    assert_eq!(bench.said(), [("c".into(), 112, "a".into(), 2, 0)]);
}

#[test]
fn temporal_ordered_wants_each_later_than_the_one_before() {
    let ordered = || correlation("c", "temporal_ordered", &["fail", "success"], 10, "gte", 2.0);
    let mut bench = Bench::new(&[ordered()], live());
    bench.send(100.0, "a", "success", "u");
    bench.send(101.0, "a", "fail", "u");
    assert_eq!(bench.said(), []);
    bench.send(101.0, "a", "success", "u"); // the same second, later in the log
    assert_eq!(bench.said(), [("c".into(), 101, "a".into(), 3, 0)]);

    // One event that both rules match is not its own successor.
    let mut both = rules(&[ordered()]);
    both["predicates"][1] = json!({"op": "startswith", "field": 2, "value": "fa"});
    let mut bench = Bench::of(pack(&both, &[]), live());
    bench.send(100.0, "a", "fail", "u");
    assert_eq!(bench.said(), []);
    bench.send(100.0, "a", "fail", "u");
    assert_eq!(bench.said().len(), 1);
}

#[test]
fn an_event_that_two_rules_met_counts_once() {
    let mut both = rules(&[correlation("c", "event_count", &["fail", "success"], 10, "gte", 2.0)]);
    both["predicates"][1] = json!({"op": "startswith", "field": 2, "value": "fa"});
    let mut bench = Bench::of(pack(&both, &[]), live());
    bench.send(100.0, "a", "fail", "u");
    assert_eq!(bench.said(), []);
    bench.send(100.0, "a", "fail", "u"); // an equal line is another event
    assert_eq!(bench.said(), [("c".into(), 100, "a".into(), 2, 0)]);
}

#[test]
fn a_late_hit_is_placed_where_it_belongs() {
    let mut bench = Bench::new(&[correlation("c", "event_count", &["fail"], 10, "gte", 3.0)], live());
    bench.send(100.0, "a", "fail", "u");
    bench.send(108.0, "a", "fail", "u");
    bench.send(125.0, "a", "fail", "u");
    // Received at 125, happened at 104: the window that ends at 108 holds three now.
    bench.at(
        "a.log",
        9,
        &json!({"ts": 104, "src": "a", "what": "fail"}),
        Some(125 * SECOND),
    );
    assert_eq!(bench.said(), [("c".into(), 108, "a".into(), 3, 0)]);
    assert!(!bench.out[0].retimed);
}

#[test]
fn a_forged_time_correlates_at_its_receipt_and_is_marked() {
    let mut bench = Bench::new(&[correlation("c", "event_count", &["fail"], 10, "gte", 2.0)], live());
    bench.at(
        "a.log",
        1,
        &json!({"ts": 9_000_000_000_i64, "src": "a", "what": "fail"}),
        Some(100 * SECOND),
    );
    bench.at(
        "a.log",
        2,
        &json!({"ts": 101, "src": "a", "what": "fail"}),
        Some(101 * SECOND),
    );
    assert_eq!(bench.said(), [("c".into(), 101, "a".into(), 2, 0)]);
    bench.at(
        "a.log",
        3,
        &json!({"ts": 5, "src": "b", "what": "fail"}),
        Some(100 * SECOND),
    );
    bench.at(
        "a.log",
        4,
        &json!({"ts": 6, "src": "b", "what": "fail"}),
        Some(101 * SECOND),
    );
    assert_eq!(bench.said()[1], ("c".into(), 101, "b".into(), 2, 0));
    assert!(bench.out[1].retimed);
    assert_eq!(bench.correlator.counts()[0].retimed, 3);
}

#[test]
fn what_more_events_can_undo_waits_for_the_lateness() {
    let mut bench = Bench::new(&[correlation("c", "event_count", &["fail"], 10, "eq", 2.0)], live());
    for second in [100, 101, 102] {
        bench.send(f64::from(second), "a", "fail", "u");
    }
    bench.advance(160);
    assert_eq!(bench.said(), []);
    bench.at(
        "a.log",
        9,
        &json!({"ts": 100.5, "src": "a", "what": "fail"}),
        Some(160 * SECOND),
    );
    bench.advance(300);
    // With the late event: 100 → 1, 100.5 → 2, 101 → 3, 102 → 4.
    assert_eq!(bench.said(), [("c".into(), 100, "a".into(), 2, 0)]);

    let mut range = correlation("c", "event_count", &["fail"], 10, "gte", 2.0);
    range["condition"] = json!([{"op": "gt", "value": 1.5}, {"op": "lte", "value": 3}]);
    let mut bench = Bench::new(&[range], live());
    for second in [100, 100, 100, 100] {
        bench.send(f64::from(second), "a", "fail", "u");
    }
    bench.send(108.0, "b", "fail", "u");
    bench.send(109.0, "b", "fail", "u");
    bench.advance(400);
    assert_eq!(
        bench.said(),
        [("c".into(), 109, "b".into(), 2, 0)],
        "four of one second are four"
    );
}

#[test]
fn quiet_hits_feed_the_correlations_above() {
    let mut child = correlation("child", "event_count", &["fail"], 100, "gte", 2.0);
    child["alert"] = false.into();
    let parent = correlation("parent", "event_count", &["child"], 5, "gte", 3.0);
    // The order in the pack does not matter.
    let mut bench = Bench::new(&[parent, child], live());
    for second in [100, 101, 102] {
        bench.send(f64::from(second), "a", "fail", "u");
    }
    assert_eq!(bench.said(), []);
    bench.send(103.0, "a", "fail", "u");
    assert_eq!(bench.said(), [("parent".into(), 103, "a".into(), 3, 0)]);
    bench.advance(1_000);
    assert_eq!(bench.said().len(), 1, "a correlation without alerts has no summary");
}

#[test]
fn group_names_may_stand_for_another_field_of_each_rule() {
    let mut one = correlation("c", "temporal", &["fail", "success"], 10, "gte", 2.0);
    one["group_by"] = json!(["who"]);
    one["aliases"] = json!({"who": {"fail": "user", "success": "login"}});
    let mut bench = Bench::new(&[one], live());
    bench.at("a.log", 1, &json!({"ts": 100, "what": "fail", "user": "Ada"}), None);
    bench.at(
        "a.log",
        2,
        &json!({"ts": 101, "what": "success", "login": "ada", "user": "x"}),
        None,
    );
    assert_eq!(bench.said(), [("c".into(), 101, "Ada".into(), 2, 0)]);
}

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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

#[test]
fn the_order_of_inputs_changes_nothing() {
    let run = |inputs: [&str; 2]| {
        let mut bench = Bench::new(
            &[correlation("c", "event_count", &["fail"], 10, "gte", 3.0)],
            Settings::REPLAY,
        );
        for input in inputs {
            for n in 0..5_u64 {
                let second = if input == "a.log" { n * 7 } else { n * 7 + 3 };
                bench.at(input, n, &json!({"ts": second, "src": "s", "what": "fail"}), None);
            }
        }
        bench.finish();
        bench.out.iter().map(Hit::to_json).collect::<Vec<_>>()
    };
    assert!(!run(["a.log", "b.log"]).is_empty());
    assert_eq!(run(["a.log", "b.log"]), run(["b.log", "a.log"]));
}

#[test]
fn a_million_sprayed_keys_do_not_grow_memory() {
    let settings = Settings {
        bytes: 4 << 20,
        ..live()
    };
    let mut bench = Bench::new(
        &[correlation("c", "event_count", &["fail"], 3_600, "gte", 3.0)],
        settings,
    );
    bench.send(1.0, "kept", "fail", "u");
    bench.send(2.0, "kept", "fail", "u");
    let mut template = Vec::new();
    let input = "a.log".into();
    bench.engine.event(
        &event(&json!({"ts": 3, "src": "x", "what": "fail"})),
        &input,
        0,
        &mut |hit| template.push(hit),
    );
    let mut hit = template.remove(0);
    for n in 0..1_000_000_u32 {
        hit.keys[0] = Some(format!("198.51.100.{n}").into());
        bench
            .correlator
            .hit(&hit, Some(Time(3 * SECOND)), &mut |_| panic!("a single hit fired"));
        if n % 50_000 == 0 {
            assert!(
                bench.correlator.bytes() <= 4 << 20,
                "{} bytes",
                bench.correlator.bytes()
            );
        }
    }
    let counts = bench.correlator.counts()[0];
    assert_eq!(counts.evicted as usize + bench.correlator.keys(), 1_000_001);
    // Keys with a single hit go first: the one that was under way is still there.
    bench.send(4.0, "kept", "fail", "u");
    assert_eq!(bench.said(), [("c".into(), 4, "kept".into(), 3, 0)]);
    let mut tally = Tally::default();
    bench.correlator.report(&mut tally);
    assert_eq!(tally.get("correlate.evicted{c}"), bench.correlator.counts()[0].evicted);
    assert!(tally.get("correlate.evicted") >= counts.evicted);
}

#[test]
fn hits_that_wait_for_their_order_are_bounded_and_none_is_lost() {
    let mut bench = Bench::new(
        &[correlation("c", "event_count", &["fail"], 10, "gte", 60_000.0)],
        Settings::REPLAY,
    );
    let (mut template, input) = (Vec::new(), "a.log".into());
    let long = "x".repeat(2_000);
    let document = json!({"ts": 3, "src": "x", "what": "fail", "user": long});
    bench
        .engine
        .event(&event(&document), &input, 0, &mut |h| template.push(h));
    let mut hit = template.remove(0);
    for n in 0..60_000_u64 {
        (hit.offset, hit.source) = (n, [(n % 251) as u8; 16]);
        bench.correlator.hit(&hit, None, &mut |hit| bench.out.push(hit));
    }
    let mut tally = Tally::default();
    bench.correlator.report(&mut tally);
    let waiting = 60_000 - tally.get("correlate.ordered_early");
    assert!((1_000..=(32 << 20) / 2_000).contains(&waiting), "{waiting} hits wait");
    bench.finish();
    assert_eq!(bench.correlator.counts()[0].events, 60_000);
    assert_eq!(bench.out.len(), 1);
}

#[test]
fn a_flood_on_one_key_is_bounded_and_still_counted() {
    for (kind, fires) in [
        ("event_count", true),
        ("value_count", false),
        ("temporal_ordered", false),
    ] {
        let rules: &[&str] = if kind == "temporal_ordered" {
            &["fail", "success"]
        } else {
            &["fail"]
        };
        let mut bench = Bench::new(&[correlation("c", kind, rules, 3_600, "gte", 2.0)], live());
        let (mut template, input) = (Vec::new(), "a.log".into());
        bench.engine.event(
            &event(&json!({"ts": 3, "src": "x", "what": "fail", "user": "u"})),
            &input,
            0,
            &mut |h| template.push(h),
        );
        let mut hit = template.remove(0);
        for n in 0..50_000 {
            (hit.ts, hit.offset) = (Time(3 * SECOND + n), n.unsigned_abs());
            bench.correlator.hit(&hit, Some(hit.ts), &mut |hit| bench.out.push(hit));
        }
        assert!(
            bench.correlator.bytes() < 400_000,
            "{kind}: {} bytes",
            bench.correlator.bytes()
        );
        assert_eq!(!bench.out.is_empty(), fires, "{kind}");
        if !fires {
            bench.send(
                4.0,
                "x",
                if kind == "value_count" { "fail" } else { "success" },
                "other",
            );
            assert_eq!(bench.out.len(), 1, "{kind}");
        }
    }
}

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
                let (correlations, ordinals) = (bench.correlator.snapshot(), bench.engine.snapshot());
                let (said, offset) = (std::mem::take(&mut bench.out), bench.offset);
                bench = Bench::new(&all, live());
                bench.correlator.restore(&correlations).unwrap();
                bench.engine.restore(&ordinals);
                (bench.out, bench.offset) = (said, offset);
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
