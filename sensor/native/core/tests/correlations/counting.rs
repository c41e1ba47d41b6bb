//! Windows, order, quiet times, chains (design: sigma.md 1.5).

use serde_json::json;
use vigla_core::correlate::Settings;
use vigla_core::event::Time;
use vigla_core::sigma::{Hit, HitKind};

use crate::bench::{Bench, SECOND, correlation, live, rules};
use crate::packs::pack;

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
