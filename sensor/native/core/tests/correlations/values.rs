//! Sums, averages, percentiles, tuples: exact, in ranges, and once late events have had their time (sigma.md 1.5).

use serde_json::{Value as Json, json};
use vigla_core::correlate::Settings;
use vigla_core::event::Time;
use vigla_core::sigma::{Hit, HitKind, Pack};
use vigla_core::stats::{Report as _, Tally};

use crate::bench::{Bench, SECOND, correlation, extended, live, rules};
use crate::packs::{event, members, zip};

fn bytes(bench: &mut Bench, second: f64, bytes: &Json) {
    bench.offset += 1;
    let document = json!({"ts": second, "src": "a", "what": "fail", "bytes": bytes});
    bench.at("a.log", bench.offset, &document, Some((second * 1e9) as i64));
}

/// (window end in seconds, value) of the hits, and how each was reckoned.
fn values(bench: &Bench) -> Vec<(i64, f64, &'static str)> {
    let value = |hit: &Hit| match &hit.kind {
        HitKind::Correlation(c) => Some((c.end.0 / SECOND, c.value, if c.exact? { "exact" } else { "sketch" })),
        _ => None,
    };
    bench.out.iter().filter_map(value).collect()
}

#[test]
fn a_sum_waits_for_the_lateness_and_is_exact() {
    let mut bench = Bench::new(&[correlation("c", "value_sum", &["fail"], 10, "eq", 0.3)], live());
    bytes(&mut bench, 100.0, &json!(0.1));
    bytes(&mut bench, 101.0, &json!("0.1"));
    bytes(&mut bench, 109.0, &json!(0.1));
    bench.advance(169);
    assert_eq!(values(&bench), []);
    bench.advance(170);
    assert_eq!(values(&bench), [(109, 0.3, "exact")]);
    let said: Json = serde_json::from_slice(&bench.out[0].to_json()).unwrap();
    assert_eq!(said["correlation"]["value"], json!(0.3));
    assert_eq!(said["correlation"]["estimate"], "exact");
    assert_eq!(said["correlation"]["samples"].as_array().unwrap().len(), 3);
    assert_eq!(
        said["event"]["ts"],
        json!(109.0),
        "the last event, not the one that came last"
    );

    // One more within the minute, and the sum of a hundred and nine is another.
    let mut bench = Bench::new(&[correlation("c", "value_sum", &["fail"], 10, "eq", 0.3)], live());
    for second in [100.0, 101.0, 109.0, 105.0] {
        bytes(&mut bench, second, &json!(0.1));
    }
    bench.advance(1_000);
    assert_eq!(values(&bench), [(105, 0.3, "exact")]);
}

#[test]
fn what_is_no_number_is_left_out_and_counted() {
    let mut bench = Bench::new(&[correlation("c", "value_avg", &["fail"], 60, "gte", 1.0)], live());
    let given = [
        json!("many"),
        json!("1e3"),
        json!(" 4"),
        json!(""),
        json!(true),
        json!([1, 2]),
        json!(null),
    ];
    for (second, value) in given.iter().enumerate() {
        bytes(&mut bench, second as f64, value);
    }
    bytes(&mut bench, 20.0, &json!("+2"));
    bytes(&mut bench, 30.0, &json!(-1.5));
    bytes(&mut bench, 40.0, &json!([4]));
    bench.advance(1_000);
    assert_eq!(values(&bench), [(20, 2.0, "exact")]);
    let counts = bench.correlator.counts()[0];
    assert_eq!((counts.events, counts.not_numeric, counts.missing_value), (3, 6, 1));
    let mut tally = Tally::default();
    bench.correlator.report(&mut tally);
    assert_eq!(tally.get("correlate.not_numeric{c}"), 6);
}

#[test]
fn percentiles_are_linear_between_ranks() {
    let run = |kind: &str, percentile: Option<f64>, numbers: &[f64]| {
        let mut one = correlation("c", kind, &["fail"], 60, "gt", -1e9);
        one["percentile"] = percentile.into();
        let mut bench = Bench::new(&[one], Settings::REPLAY);
        for number in numbers {
            bytes(&mut bench, 5.0, &json!(number));
        }
        bench.finish();
        values(&bench)[0].1
    };
    assert_eq!(run("value_percentile", Some(0.0), &[3.0, 1.0, 2.0]).to_string(), "1");
    assert_eq!(run("value_percentile", Some(100.0), &[3.0, 1.0, 2.0]).to_string(), "3");
    assert_eq!(run("value_percentile", Some(90.0), &[1.0, 2.0]).to_string(), "1.9");
    assert_eq!(
        run("value_percentile", Some(12.5), &[10.0, 20.0, 30.0, 40.0, 50.0]).to_string(),
        "15"
    );
    assert_eq!(run("value_median", None, &[7.0, -1.0]).to_string(), "3");
    assert_eq!(run("value_median", None, &[7.0]).to_string(), "7");
}

#[test]
fn beyond_ten_thousand_numbers_of_a_key_it_is_a_sketch_and_says_so() {
    let all = ["value_sum", "value_avg", "value_median"];
    let definitions: Vec<Json> = all
        .iter()
        .map(|kind| correlation(kind, kind, &["fail"], 3_600, "gt", 0.0))
        .collect();
    let mut bench = Bench::new(&definitions, live());
    let (mut template, input) = (Vec::new(), "a.log".into());
    let document = json!({"ts": 3, "src": "x", "what": "fail", "bytes": 1});
    bench
        .engine
        .event(&event(&document), &input, 0, &mut |h| template.push(h));
    let mut hit = template.remove(0);
    let place = hit.keys.iter().position(|key| key.as_deref() == Some("1")).unwrap();
    let mut given = |bench: &mut Bench, second: i64, number: i64| {
        (hit.ts, hit.offset) = (Time(second * SECOND), hit.offset + 1);
        hit.source[..8].copy_from_slice(&hit.offset.to_be_bytes());
        hit.keys[place] = Some(number.to_string().into());
        bench.correlator.hit(&hit, Some(hit.ts), &mut |hit| bench.out.push(hit));
        bench
            .correlator
            .advance(Time((second + 61) * SECOND), &mut |hit| bench.out.push(hit));
    };
    // Twenty a second for an hour and a half: 72,000 in a window.
    for n in 0..108_000 {
        given(&mut bench, n / 20, n % 1_000);
        assert!(
            bench.correlator.bytes() < 6 << 20,
            "{} bytes at {n}",
            bench.correlator.bytes()
        );
    }
    let said = |bench: &Bench, kind: &str| {
        let own = |hit: &&Hit| &*hit.rule == kind && matches!(hit.kind, HitKind::Correlation(_));
        let (HitKind::Correlation(said) | HitKind::Summary(said)) = &bench.out.iter().rev().find(own).unwrap().kind
        else {
            panic!()
        };
        (said.value, said.count, said.exact)
    };
    assert_eq!(
        bench
            .out
            .iter()
            .filter(|hit| matches!(hit.kind, HitKind::Correlation(_)))
            .count(),
        6
    );
    let (value, count, exact) = said(&bench, "value_sum");
    assert_eq!(exact, Some(false));
    assert!(
        (72_001..75_000).contains(&count),
        "{count} in an hour and at most a chunk"
    );
    assert!((value / count as f64 - 499.5).abs() < 5.0, "{value}");
    let (value, _, _) = said(&bench, "value_median");
    assert!((value - 500.0).abs() < 11.0, "{value}");
    // When the flood has left the window, numbers are exact again.
    bench.out.clear();
    given(&mut bench, 20_000, 7);
    let found: Vec<_> = all.iter().map(|kind| said(&bench, kind)).collect();
    assert_eq!(found, [(7.0, 1, Some(true)); 3]);
    assert_eq!(bench.correlator.counts()[0].early, 0);
}

#[test]
fn an_event_that_two_rules_met_has_one_number() {
    let mut both = rules(&[correlation("c", "value_sum", &["success", "fail"], 10, "gte", 0.0)]);
    both["predicates"][1] = json!({"op": "startswith", "field": 2, "value": "fa"});
    let mut bench = Bench::of(crate::packs::pack(&both, &[]), Settings::REPLAY);
    bytes(&mut bench, 1.0, &json!(5));
    bench.finish();
    assert_eq!(values(&bench), [(1, 5.0, "exact")]);
}

#[test]
fn several_fields_are_counted_as_tuples() {
    let mut one = correlation("c", "value_count", &["fail"], 10, "gte", 3.0);
    one["field"] = json!(["user", "login"]);
    let mut bench = Bench::new(&[one], live());
    for (n, (user, login)) in [("a", "bc"), ("ab", "c"), ("A", "BC"), ("ab", ""), ("x", "y")]
        .iter()
        .enumerate()
    {
        let document = json!({"ts": n, "src": "s", "what": "fail", "user": user, "login": login});
        bench.at("a.log", n as u64, &document, None);
    }
    bench.at(
        "a.log",
        9,
        &json!({"ts": 4, "src": "s", "what": "fail", "user": "z"}),
        None,
    );
    assert_eq!(bench.said()[0], ("c".into(), 3, "s".into(), 4, 0));
    assert_eq!(bench.correlator.counts()[0].missing_value, 1);
}

#[test]
fn all_terms_of_a_range_must_hold() {
    let mut one = correlation("c", "value_sum", &["fail"], 5, "gt", 1.5);
    one["condition"] = json!([{"op": "gt", "value": 1.5}, {"op": "lte", "value": 4.5}, {"op": "neq", "value": 3}]);
    let run = |number: f64| {
        let mut bench = Bench::new(std::slice::from_ref(&one), Settings::REPLAY);
        bytes(&mut bench, 1.0, &json!(number));
        bench.finish();
        !bench.out.is_empty()
    };
    let held = [1.5, 1.6, 3.0, 4.5, 4.6].map(run);
    assert_eq!(held, [false, true, false, true, false]);
}

#[test]
fn a_pack_with_a_wrong_correlation_is_refused() {
    let negative = json!({"not": {"rule": 0}});
    let with = |kind: &str, key: &str, value: Json| {
        let mut one = correlation("c", kind, &["fail", "success", "lock"], 5, "gt", 1.0);
        one[key] = value;
        one
    };
    for (one, why) in [
        (with("value_sum", "field", json!([])), "value_sum needs a field"),
        (
            with("value_avg", "field", json!(["a", "b"])),
            "value_avg is about one field",
        ),
        (
            with("value_percentile", "percentile", json!(150)),
            "the percentile is Some(150.0)",
        ),
        (
            with("value_percentile", "percentile", Json::Null),
            "the percentile is None",
        ),
        (with("value_sum", "condition", json!([])), "it has no condition"),
        (
            with("value_sum", "condition", json!([{"op": "gt", "value": 1e16}])),
            "is above",
        ),
        (
            with("event_count", "expression", json!({"rule": 0})),
            "event_count has an expression",
        ),
        (with("event_count", "type", json!("value_mode")), "value_mode"),
        (extended("c", "temporal", 5, &negative), "holds where nothing happened"),
        (extended("c", "temporal", 5, &json!({"rule": 3})), "names rule 3 of 3"),
    ] {
        let refused = Pack::load(&zip(&members(&rules(&[one]), &[]))).unwrap_err().to_string();
        assert!(refused.contains("correlation c") && refused.contains(why), "{refused}");
    }
}
