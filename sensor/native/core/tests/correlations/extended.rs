//! Conditions such as `a and not b`: forward windows, decided once closed; without `not`, at once (sigma.md 1.5).

use serde_json::json;
use vigla_core::correlate::Settings;
use vigla_core::event::Time;

use crate::bench::{Bench, SECOND, extended, live};
use crate::packs::event;

/// `fail` (0), and not `success` (1).
fn alone(seconds: i64) -> serde_json::Value {
    extended(
        "c",
        "temporal",
        seconds,
        &json!({"and": [{"rule": 0}, {"not": {"rule": 1}}]}),
    )
}

#[test]
fn what_must_not_follow_is_waited_for() {
    let mut bench = Bench::new(&[alone(10)], live());
    bench.send(100.0, "a", "fail", "u");
    bench.send(100.0, "b", "fail", "u");
    bench.send(110.0, "b", "success", "u"); // inclusive
    bench.send(95.0, "a", "success", "u"); // before, not after
    bench.advance(170);
    assert_eq!(bench.said(), [], "one from 110 may still come");
    bench.advance(171);
    assert_eq!(bench.said(), [("c".into(), 110, "a".into(), 1, 0)]);
    assert_eq!(bench.out[0].ts, Time(110 * SECOND));
    assert!(bench.out[0].event.contains("\"ts\":100."), "{}", bench.out[0].event);
    bench.advance(10_000);
    assert_eq!(bench.correlator.keys(), 0);
    assert_eq!(bench.correlator.bytes(), 0);
}

#[test]
fn a_late_event_undoes_it_in_time_and_not_after() {
    let mut bench = Bench::new(&[alone(10)], live());
    bench.send(100.0, "a", "fail", "u");
    bench.advance(160);
    bench.at(
        "a.log",
        7,
        &json!({"ts": 104, "src": "a", "what": "success"}),
        Some(160 * SECOND),
    );
    bench.advance(200);
    assert_eq!(bench.said(), []);
    bench.send(300.0, "a", "fail", "u");
    bench.advance(371);
    assert_eq!(bench.said().len(), 1);
    bench.at("a.log", 8, &json!({"ts": 299, "src": "a", "what": "fail"}), None);
    assert_eq!(bench.correlator.counts()[0].late, 1);
}

#[test]
fn without_not_it_fires_at_once() {
    let either = json!({"and": [{"rule": 2}, {"or": [{"rule": 0}, {"rule": 1}]}]});
    let mut bench = Bench::new(&[extended("c", "temporal", 10, &either)], live());
    bench.send(100.0, "a", "success", "u");
    bench.send(101.0, "a", "fail", "u");
    assert_eq!(bench.said(), []);
    bench.send(110.0, "a", "lock", "u");
    assert_eq!(
        bench.said(),
        [("c".into(), 110, "a".into(), 2, 0)],
        "lock and fail, or lock and success"
    );
}

#[test]
fn in_order_and_not_another() {
    let order = json!({"and": [{"rule": 0}, {"rule": 1}, {"not": {"rule": 2}}]});
    let one = extended("c", "temporal_ordered", 10, &order);
    let run = |events: &[(f64, &str)]| {
        let mut bench = Bench::new(std::slice::from_ref(&one), Settings::REPLAY);
        for (second, what) in events {
            bench.send(*second, "a", what, "u");
        }
        bench.finish();
        bench.said().iter().map(|said| said.1).collect::<Vec<_>>()
    };
    assert_eq!(run(&[(1.0, "fail"), (5.0, "success")]), [11]);
    assert_eq!(
        run(&[(1.0, "fail"), (1.0, "success")]),
        [11],
        "equal times: the place decides"
    );
    assert_eq!(run(&[(1.0, "success"), (5.0, "fail")]), [0; 0]);
    assert_eq!(run(&[(1.0, "fail"), (5.0, "success"), (11.0, "lock")]), [0; 0]);
    assert_eq!(run(&[(1.0, "fail"), (5.0, "success"), (12.0, "lock")]), [11]);
    assert_eq!(
        run(&[
            (1.0, "fail"),
            (5.0, "success"),
            (6.0, "lock"),
            (20.0, "fail"),
            (21.0, "success")
        ]),
        [30]
    );
}

#[test]
fn a_flood_on_one_key_is_thinned_and_makes_no_false_alert() {
    let mut bench = Bench::new(&[alone(3_600)], live());
    let (mut fails, mut ends, input) = (Vec::new(), Vec::new(), "a.log".into());
    for (what, hits) in [("fail", &mut fails), ("success", &mut ends)] {
        let document = json!({"ts": 3, "src": "x", "what": what});
        bench.engine.event(&event(&document), &input, 0, &mut |h| hits.push(h));
    }
    for n in 0..200_000 {
        let mut hit = if n % 2 == 0 || n < 100_000 {
            fails[0].clone()
        } else {
            ends[0].clone()
        };
        (hit.ts, hit.offset) = (Time(3 * SECOND + n), n.unsigned_abs());
        bench.correlator.hit(&hit, Some(hit.ts), &mut |hit| bench.out.push(hit));
    }
    assert!(bench.correlator.bytes() < 1 << 20, "{} bytes", bench.correlator.bytes());
    assert!(bench.correlator.counts()[0].thinned > 190_000);
    bench.advance(100_000);
    assert_eq!(bench.said(), [], "each was followed by a success");
}

#[test]
fn an_expression_feeds_the_correlations_above_at_its_windows_end() {
    let mut parent = crate::bench::correlation("parent", "temporal_ordered", &["c", "lock"], 30, "gte", 2.0);
    parent["condition"] = json!([]);
    let mut bench = Bench::new(&[parent, alone(10)], Settings::REPLAY);
    bench.send(100.0, "a", "fail", "u");
    bench.send(105.0, "a", "lock", "u");
    bench.send(120.0, "a", "lock", "u");
    bench.finish();
    let parents: Vec<_> = bench.said().into_iter().filter(|said| said.0 == "parent").collect();
    assert_eq!(parents, [("parent".into(), 120, "a".into(), 3, 0)]);
}
