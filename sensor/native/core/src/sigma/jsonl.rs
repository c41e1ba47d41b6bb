//! JSON lines as events: Windows events in the shape of an EVTX export, and any other object flattened with `.`.
//!
//! Windows (`{"Event": {"System", "EventData" | "UserData"}}`): attributes stand under `#attributes`, text beside them under
//! `#text`. Fields are `Provider_Name`, the scalars of `System`, then the leaves of the body by their own name at any depth,
//! blanks taken out; the body wins over the header, which stays readable for gates as [`HEADER`] and its name.

use std::fmt;
use std::sync::Arc;

use serde::de::IgnoredAny;

use super::leaves::{At, Leaves, Names};
use crate::event::{Body, Event, Fields, LogSource, OwnedValue, Time, Value};

/// Before the names of header values which the body hides.
pub const HEADER: &str = "Event.System.";

/// A line longer than this is refused.
pub const MAX_LINE: usize = 4 << 20;
/// Deeper objects are refused; `serde_json` refuses at 128 itself.
pub(super) const MAX_DEPTH: usize = 64;
/// An object of more leaves is refused: no event has them.
pub(super) const MAX_FIELDS: usize = 4_096;

/// Why a line is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineError {
    /// Not JSON.
    Syntax(String),
    /// JSON, but no object.
    NoObject,
    /// Longer, deeper or wider than any event is.
    TooLarge,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(what) => write!(f, "it is no JSON ({what})"),
            Self::NoObject => f.write_str("it is JSON and no object: a line must be one event"),
            Self::TooLarge => write!(
                f,
                "it is too large: over {MAX_LINE} bytes, {MAX_DEPTH} levels or {MAX_FIELDS} fields"
            ),
        }
    }
}

impl std::error::Error for LineError {}

/// Makes events of lines. Names are shared between events.
#[derive(Debug)]
pub struct Reader {
    path: Arc<str>,
    logsource: Arc<LogSource>,
    names: Names,
}

impl Reader {
    /// A reader of lines whose events are of `logsource`.
    pub fn new(logsource: LogSource) -> Self {
        Self {
            path: "json".into(),
            logsource: Arc::new(logsource),
            names: Names::default(),
        }
    }

    /// The event of one line. Its time is the line's own where it has one under a name of the common shapes, else the epoch.
    ///
    /// # Errors
    /// [`LineError`]: no JSON, no object, too large.
    pub fn event(&mut self, line: &[u8]) -> Result<Event, LineError> {
        if line.len() > MAX_LINE {
            return Err(LineError::TooLarge);
        }
        let text = std::str::from_utf8(line).map_err(|e| LineError::Syntax(e.to_string()))?;
        if !text.trim_start().starts_with('{') {
            let whole = serde_json::from_str::<IgnoredAny>(text);
            return Err(whole.map_or_else(|e| LineError::Syntax(e.to_string()), |_| LineError::NoObject));
        }
        let windows =
            memchr::memmem::find(line, b"\"Event\"").is_some() && memchr::memmem::find(line, b"\"System\"").is_some();
        let mut leaves = Leaves::new(&mut self.names);
        if !(windows && leaves.read(text, At::Root)? && leaves.has_system) {
            leaves = Leaves::new(&mut self.names);
            leaves.read(text, At::Path(""))?;
        }
        leaves.hide();
        let Leaves { values, stamp, .. } = leaves;
        let ts = stamp.or_else(|| own_time(&values)).unwrap_or_default();
        let body = Fields {
            path: Arc::clone(&self.path),
            logsource: Arc::clone(&self.logsource),
            values,
        };
        Ok(Event {
            ts,
            uid: None,
            conn: None,
            body: Body::Named(Box::new(body)),
        })
    }
}

/// Names under which log shippers write an event's time, first that is one.
const TIME_NAMES: [&str; 7] = [
    "@timestamp",
    "ts",
    "timestamp",
    "UtcTime",
    "time",
    "TimeCreated",
    "eventTime",
];

fn own_time(values: &[(Arc<str>, OwnedValue)]) -> Option<Time> {
    TIME_NAMES.iter().find_map(|wanted| {
        let (_, value) = values.iter().find(|(name, _)| &**name == *wanted)?;
        match value.as_value() {
            Value::Str(text) => parse_time(text),
            Value::Int(seconds) => seconds.checked_mul(1_000_000_000).map(Time),
            Value::Uint(seconds) => i64::try_from(seconds).ok()?.checked_mul(1_000_000_000).map(Time),
            Value::Float(seconds) if seconds.abs() < 9e9 => Some(Time((seconds * 1e6).round() as i64 * 1_000)),
            _ => None,
        }
    })
}

/// ISO 8601 text; UTC where it names no offset.
pub(super) fn parse_time(text: &str) -> Option<Time> {
    let timestamp = super::moment::timestamp(text)?;
    i64::try_from(timestamp.as_nanosecond()).ok().map(Time)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value as Json};

    use super::*;

    fn event(line: &str) -> Event {
        Reader::new(LogSource::default()).event(line.as_bytes()).unwrap()
    }

    #[test]
    fn a_windows_event_becomes_fields() {
        let event = event(
            r##"{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"P","Guid":"G"}},
            "EventID":{"#attributes":{"Qualifiers":16384},"#text":1004},"Channel":"Application","Correlation":null,
            "TimeCreated":{"#attributes":{"SystemTime":"2013-10-23T16:16:39.000000Z"}}},
            "EventData":{"Data":{"#text":["a","b"]},"Binary":null,"Threat Name":"T"}}}"##,
        );
        assert_eq!(event.ts, Time(1_382_544_999_000_000_000));
        assert_eq!(event.get("EventID"), Some(Value::Int(1004)));
        assert_eq!(event.get("Provider_Name"), Some(Value::Str("P")));
        assert_eq!(event.get("ThreatName"), Some(Value::Str("T")));
        assert_eq!(event.get("Binary"), Some(Value::Null));
        assert_eq!(event.get("Guid"), None);
        assert_eq!(event.get("xmlns"), None);
        let list = [OwnedValue::Str("a".into()), OwnedValue::Str("b".into())];
        assert_eq!(event.get("Data"), Some(Value::List(&list)));
    }

    #[test]
    fn the_body_hides_the_header_and_the_header_stays_readable() {
        let event = event(
            r##"{"Event":{"System":{"EventID":104,"Channel":"System"},
            "UserData":{"LogFileCleared":{"#attributes":{"xmlns":"y"},"Channel":"Security","BackupPath":null}}}}"##,
        );
        assert_eq!(event.get("Channel"), Some(Value::Str("Security")));
        assert_eq!(event.get("Event.System.Channel"), Some(Value::Str("System")));
        assert_eq!(event.get("EventID"), Some(Value::Int(104)));
        assert_eq!(event.get("Event.System.EventID"), None);
    }

    #[test]
    fn any_object_is_flattened() {
        let event =
            event(r#"{"a":{"b":1,"c":[{"d":"x"},{"d":"y"}]},"e":[1,"z",null],"ts":1.5,"f":18446744073709551615}"#);
        assert_eq!(event.get("a.b"), Some(Value::Int(1)));
        let list = [OwnedValue::Str("x".into()), OwnedValue::Str("y".into())];
        assert_eq!(event.get("a.c.d"), Some(Value::List(&list)));
        assert_eq!(event.get("f"), Some(Value::Uint(u64::MAX)));
        assert_eq!(event.ts, Time(1_500_000_000));
    }

    #[test]
    fn a_flood_of_names_is_bounded() {
        let mut reader = Reader::new(LogSource::default());
        for n in 0..100_000 {
            let long = "x".repeat(if n % 100 == 0 { 10_000 } else { 1 });
            let event = reader
                .event(format!("{{\"{long}{n}\":1,\"{long}{n}\":2}}").as_bytes())
                .unwrap();
            let both = [OwnedValue::Int(1), OwnedValue::Int(2)];
            assert_eq!(event.get(&format!("{long}{n}")), Some(Value::List(&both)), "name {n}");
        }
        assert_eq!(reader.names.remembered(), (65_536, true));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let mut reader = Reader::new(LogSource::default());
        assert_eq!(reader.event(b"[1]").unwrap_err(), LineError::NoObject);
        assert!(matches!(reader.event(b"{\"a\":").unwrap_err(), LineError::Syntax(_)));
        assert!(matches!(reader.event(b"\xff\xfe").unwrap_err(), LineError::Syntax(_)));
        let wide: Map<String, Json> = (0..5000).map(|n| (n.to_string(), n.into())).collect();
        assert_eq!(
            reader.event(Json::Object(wide).to_string().as_bytes()).unwrap_err(),
            LineError::TooLarge
        );
        let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
        assert_eq!(reader.event(deep.as_bytes()).unwrap_err(), LineError::TooLarge);
    }
}
