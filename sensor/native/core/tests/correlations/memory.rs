//! Floods: many keys, many hits of one key, many that wait (design: sigma.md 5).

use serde_json::json;
use vigla_core::correlate::Settings;
use vigla_core::event::Time;
use vigla_core::stats::{Report as _, Tally};

use crate::bench::{Bench, SECOND, correlation, extended, live};
use crate::packs::event;

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
fn sprayed_keys_do_not_grow_memory_at_any_pace() {
    let alone = extended(
        "alone",
        "temporal",
        3_600,
        &json!({"and": [{"rule": 0}, {"not": {"rule": 1}}]}),
    );
    let all = [
        correlation("sum", "value_sum", &["fail"], 3_600, "gte", 300.0),
        correlation("median", "value_median", &["fail"], 3_600, "gt", 100.0),
        correlation("users", "value_count", &["fail"], 3_600, "gte", 3.0),
        alone,
    ];
    let settings = Settings {
        bytes: 4 << 20,
        ..live()
    };
    let mut bench = Bench::new(&all, settings);
    let send = |bench: &mut Bench, second: i64, user: &str| {
        let document = json!({"ts": second, "src": "kept", "what": "fail", "user": user, "bytes": 100});
        bench.at("a.log", second.unsigned_abs(), &document, Some(second * SECOND));
    };
    send(&mut bench, 1, "u1");
    send(&mut bench, 2, "u2");
    let (mut template, input) = (Vec::new(), "a.log".into());
    let document = json!({"ts": 3, "src": "x", "what": "fail", "user": "u", "bytes": 1});
    bench
        .engine
        .event(&event(&document), &input, 0, &mut |hit| template.push(hit));
    let mut hit = template.remove(0);
    let place = hit.keys.iter().position(|key| key.as_deref() == Some("x")).unwrap();
    for n in 0..100_000_u32 {
        hit.keys[place] = Some(format!("198.51.100.{n}").into());
        bench
            .correlator
            .hit(&hit, Some(Time(3 * SECOND)), &mut |_| panic!("a single hit fired"));
        assert!(
            n % 1_000 != 0 || bench.correlator.bytes() <= 4 << 20,
            "{} bytes",
            bench.correlator.bytes()
        );
    }
    let evicted: u64 = bench.correlator.counts().iter().map(|counts| counts.evicted).sum();
    assert_eq!(evicted as usize + bench.correlator.keys(), 4 * 100_001);
    send(&mut bench, 4, "u3");
    bench.advance(3_700);
    let kept: Vec<_> = bench
        .said()
        .into_iter()
        .filter(|said| said.2 == "kept" && said.4 == 0)
        .collect();
    let rules: Vec<_> = kept.iter().map(|said| said.0.as_str()).collect();
    assert_eq!(
        rules,
        ["users", "sum", "alone"],
        "those that were under way are still there"
    );
}
