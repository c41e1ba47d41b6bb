//! Correlations over two rules, fed by hand.

use std::sync::Arc;

use crate::packs::{self, event, pack, rule};
use serde_json::{Value as Json, json};
use vigla_core::correlate::{Correlator, Settings};
use vigla_core::event::Time;
use vigla_core::sigma::{Engine, Hit, HitKind, Pack};

pub const SECOND: i64 = 1_000_000_000;

/// Rules `fail`, `success` and `lock` over field `what`, grouped by `src`; `user` and `bytes` are counted.
pub fn rules(correlations: &[Json]) -> Json {
    let test = |word: &str| json!({"op": "eq", "field": 2, "value": word});
    json!({
        "fields": ["src", "user", "what", "login", "bytes"],
        "predicates": [test("fail"), test("success"), test("lock")],
        "nodes": [{"p": 0}, {"p": 1}, {"p": 2}],
        "rules": [rule("fail", 0), rule("success", 1), rule("lock", 2)],
        "correlations": correlations,
    })
}

pub fn correlation(id: &str, kind: &str, rules: &[&str], seconds: i64, op: &str, value: f64) -> Json {
    let field = match kind {
        "value_count" => json!(["user"]),
        "value_sum" | "value_avg" | "value_percentile" | "value_median" => json!(["bytes"]),
        _ => json!([]),
    };
    json!({
        "id": id, "title": id, "type": kind, "rules": rules, "group_by": ["src"], "timespan_ms": seconds * 1000,
        "field": field, "condition": [{"op": op, "value": value}],
    })
}

/// Over the rules `fail`, `success`, `lock`, by their places.
pub fn extended(id: &str, kind: &str, seconds: i64, expression: &Json) -> Json {
    let mut one = correlation(id, kind, &["fail", "success", "lock"], seconds, "gte", 1.0);
    one["condition"] = json!([]);
    one["expression"] = expression.clone();
    one
}

/// One of every kind and pace.
pub fn every_kind() -> Vec<Json> {
    let all = ["fail", "success", "lock"];
    let but = |rule: usize| json!({"and": [{"rule": 0}, {"not": {"rule": rule}}]});
    let mut chained = correlation("chained", "event_count", &["few"], 40, "gte", 2.0);
    chained["group_by"] = json!([]);
    let mut percentile = correlation("percentile", "value_percentile", &all, 15, "gt", 2.5);
    percentile["percentile"] = json!(70);
    vec![
        chained,
        correlation("many", "event_count", &all, 12, "gte", 3.0),
        correlation("few", "event_count", &["fail"], 10, "lte", 2.0),
        correlation("users", "value_count", &all, 12, "gt", 2.0),
        correlation("one", "value_count", &all, 12, "eq", 1.0),
        correlation("both", "temporal", &all, 9, "gte", 2.0),
        correlation("then", "temporal_ordered", &["fail", "success"], 9, "gte", 2.0),
        correlation("sum", "value_sum", &all, 14, "gte", 7.5),
        correlation("average", "value_avg", &["success", "fail"], 14, "lt", 1.25),
        correlation("median", "value_median", &all, 14, "neq", 2.5),
        percentile,
        extended("alone", "temporal", 11, &but(1)),
        extended(
            "or",
            "temporal",
            11,
            &json!({"and": [{"rule": 2}, {"or": [{"rule": 0}, {"rule": 1}]}]}),
        ),
        extended(
            "order",
            "temporal_ordered",
            20,
            &json!({"and": [{"rule": 0}, {"rule": 1}, {"not": {"rule": 2}}]}),
        ),
        correlation("after", "temporal_ordered", &["alone", "lock"], 30, "gte", 2.0),
    ]
}

pub struct Bench {
    pub engine: Engine,
    pub correlator: Correlator,
    pub offset: u64,
    pub out: Vec<Hit>,
}

impl Bench {
    pub fn new(correlations: &[Json], settings: Settings) -> Self {
        Self::of(pack(&rules(correlations), &[]), settings)
    }

    pub fn of(pack: Arc<Pack>, settings: Settings) -> Self {
        let engine = Engine::new(Arc::clone(&pack), packs::settings());
        Self {
            engine,
            correlator: Correlator::new(pack, settings),
            offset: 0,
            out: Vec::new(),
        }
    }

    /// What another process has that read this one's checkpoint.
    pub fn restarted(self, correlations: &[Json]) -> Self {
        let mut after = Self::new(correlations, live());
        after.correlator.restore(&self.correlator.snapshot()).unwrap();
        after.engine.restore(&self.engine.snapshot());
        (after.out, after.offset) = (self.out, self.offset);
        after
    }

    pub fn at(&mut self, input: &str, offset: u64, document: &Json, receipt: Option<i64>) {
        let (event, input, mut hits) = (event(document), input.into(), Vec::new());
        self.engine.event(&event, &input, offset, &mut |hit| hits.push(hit));
        for hit in hits {
            self.correlator
                .hit(&hit, receipt.map(Time), &mut |hit| self.out.push(hit));
        }
    }

    /// One event, received when it happened.
    pub fn send(&mut self, second: f64, src: &str, what: &str, user: &str) {
        self.offset += 1;
        let document = json!({"ts": second, "src": src, "what": what, "user": user});
        self.at("a.log", self.offset, &document, Some((second * 1e9) as i64));
    }

    pub fn advance(&mut self, second: i64) {
        self.correlator
            .advance(Time(second * SECOND), &mut |hit| self.out.push(hit));
    }

    pub fn finish(&mut self) {
        self.correlator.finish(&mut |hit| self.out.push(hit));
    }

    /// (rule, window end in seconds, group, count, repeats) of what came out.
    pub fn said(&self) -> Vec<(String, i64, String, u64, u64)> {
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

/// Live settings.
pub fn live() -> Settings {
    Settings::LIVE
}
