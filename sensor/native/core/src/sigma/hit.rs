//! A hit: one rule, one event, and the evidence for it; or a correlation's, over the hits of others.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::pack::hex;
use crate::event::{LogSource, Time};

/// Which field met which condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Matched {
    /// The named selection.
    pub selection: String,
    /// The field that the rule names, or of a keyword the field that held it.
    pub field: String,
    /// The operator.
    pub op: Cow<'static, str>,
    /// The rule's side.
    pub value: Json,
    /// The event's side.
    pub actual: Json,
}

impl Matched {
    fn to_json(&self) -> Json {
        json!({"selection": self.selection, "field": self.field, "op": self.op, "value": self.value, "actual": self.actual})
    }
}

/// What happened, of a correlation.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlated {
    /// `event_count`, `value_count`, ...
    pub kind: &'static str,
    /// Names and values of the group key, as the last event wrote them.
    pub group: Vec<(String, String)>,
    /// Time of the first contributing event.
    pub start: Time,
    /// Time of the last contributing event.
    pub end: Time,
    /// The window in milliseconds.
    pub timespan_ms: i64,
    /// Contributing events.
    pub count: u64,
    /// The number that met the condition.
    pub value: f64,
    /// Of sums, averages and percentiles: whether all events were still there one by one; if not, `value` is an estimate.
    pub exact: Option<bool>,
    /// Quiet hits that a summary stands for; 0 in a hit.
    pub repeats: u64,
    /// Ids of the rules.
    pub rules: Vec<String>,
    /// Event ids of at most 20 contributing events.
    pub samples: Vec<EventId>,
}

/// First 16 bytes of a SHA-256.
pub type EventId = [u8; 16];

/// What kind of hit.
#[derive(Debug, Clone, PartialEq)]
pub enum HitKind {
    /// A rule matched an event.
    Match,
    /// A correlation's condition was met.
    Correlation(Box<Correlated>),
    /// A correlation's quiet time ended with repeats.
    Summary(Box<Correlated>),
}

/// A hit.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// What kind.
    pub kind: HitKind,
    /// Its id: the same for the same input, whoever runs it.
    pub id: EventId,
    /// The rule's place: rules first, then correlations in their order of evaluation.
    pub member: u32,
    /// The rule's UUID.
    pub rule: Arc<str>,
    /// Whether it raises an alert. One that does not only feeds correlations, and may be dropped after them.
    pub alert: bool,
    /// Event time; of a correlation the end of its window.
    pub ts: Time,
    /// The input's name.
    pub input: Arc<str>,
    /// The event's place in its input.
    pub offset: u64,
    /// The event itself, whichever rule it met: two rules' hits of one event are one event to a correlation.
    pub source: EventId,
    /// The event's log source.
    pub logsource: Arc<LogSource>,
    /// The event's JSON, as printed.
    pub event: Arc<str>,
    /// The evidence.
    pub matched: Vec<Matched>,
    /// Texts of the fields that correlations read, in the order of the rule's `correlate`; `None` is absent or null.
    pub keys: Box<[Option<Box<str>>]>,
    /// The event was further from its receipt than the lateness: it correlates at its receipt.
    pub retimed: bool,
}

impl Hit {
    /// The document of docs/native-boundary.md.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Map::new();
        let kind = match &self.kind {
            HitKind::Match => "match",
            HitKind::Correlation(_) => "correlation",
            HitKind::Summary(_) => "correlation-summary",
        };
        out.insert("kind".into(), kind.into());
        out.insert("event_id".into(), hex(&self.id).into());
        out.insert("rule".into(), (&*self.rule).into());
        out.insert("ts".into(), self.ts.0.into());
        out.insert("input".into(), (&*self.input).into());
        let source = &self.logsource;
        out.insert(
            "logsource".into(),
            json!({"product": source.product, "category": source.category, "service": source.service}),
        );
        out.insert("event".into(), Json::Null);
        out.insert("matched".into(), self.matched.iter().map(Matched::to_json).collect());
        if self.retimed {
            out.insert("retimed".into(), true.into());
        }
        if let HitKind::Correlation(correlated) | HitKind::Summary(correlated) = &self.kind {
            out.insert("correlation".into(), correlated.to_json());
        }
        splice(&out, &self.event)
    }
}

/// The document with the event's own text in its place: what was hashed is what is shipped, never a second reading of it.
fn splice(document: &Map<String, Json>, event: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(512 + event.len());
    for (name, value) in document {
        out.push(if out.is_empty() { b'{' } else { b',' });
        crate::json::text(&mut out, name);
        out.push(b':');
        if name == "event" {
            out.extend_from_slice(event.as_bytes());
        } else {
            // Writing JSON values to memory cannot fail.
            let _ = serde_json::to_writer(&mut out, value);
        }
    }
    out.push(b'}');
    out
}

impl Correlated {
    fn to_json(&self) -> Json {
        let group: Map<String, Json> = self.group.iter().map(|(n, v)| (n.clone(), v.as_str().into())).collect();
        let value = if self.value.fract() == 0.0 && self.value.abs() < 1e15 {
            Json::from(self.value as i64)
        } else {
            Json::from(self.value)
        };
        let mut said = json!({
            "type": self.kind,
            "group": group,
            "start": self.start.0,
            "end": self.end.0,
            "timespan_ms": self.timespan_ms,
            "count": self.count,
            "value": value,
            "repeats": self.repeats,
            "rules": self.rules,
            "samples": self.samples.iter().map(|id| hex(id)).collect::<Vec<_>>(),
        });
        if let Some(exact) = self.exact {
            said["estimate"] = if exact { "exact" } else { "sketch" }.into();
        }
        said
    }
}
