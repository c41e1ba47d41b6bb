//! JSON lines as events: Windows events in the shape of an EVTX export, and any other object flattened with `.`.
//!
//! Windows (`{"Event": {"System", "EventData" | "UserData"}}`): attributes stand under `#attributes`, text beside them under
//! `#text`. Fields are `Provider_Name`, the scalars of `System`, then the leaves of the body by their own name at any depth,
//! blanks taken out; the body wins over the header, which stays readable for gates as [`HEADER`] and its name.

use std::fmt;
use std::sync::Arc;

use hashbrown::HashSet;
use serde_json::{Map, Value as Json};

use crate::event::{Body, Event, Fields, LogSource, OwnedValue, Time, Value};

/// Before the names of header values which the body hides.
pub const HEADER: &str = "Event.System.";

/// A line longer than this is refused.
pub const MAX_LINE: usize = 4 << 20;
/// Deeper objects are refused; `serde_json` refuses at 128 itself.
const MAX_DEPTH: usize = 64;
/// An object of more leaves is refused: no event has them.
const MAX_FIELDS: usize = 4_096;
/// Different names that are remembered; beyond it names are copied for each event.
const MAX_NAMES: usize = 65_536;

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
    names: HashSet<Arc<str>, foldhash::fast::RandomState>,
}

impl Reader {
    /// A reader of lines whose events are of `logsource`.
    pub fn new(logsource: LogSource) -> Self {
        Self {
            path: "json".into(),
            logsource: Arc::new(logsource),
            names: HashSet::default(),
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
        let document: Json = serde_json::from_slice(line).map_err(|e| LineError::Syntax(e.to_string()))?;
        let Json::Object(object) = document else {
            return Err(LineError::NoObject);
        };
        let mut fields = Leaves {
            names: &mut self.names,
            values: Vec::with_capacity(32),
            seen: Seen::default(),
        };
        let mut stamp = None;
        match windows(&object) {
            Some((system, event)) => {
                stamp = system
                    .get("TimeCreated")
                    .and_then(|t| t.pointer("/#attributes/SystemTime"))
                    .and_then(time);
                fields.windows(system, event)?;
            }
            None => fields.generic("", Json::Object(object), 0)?,
        }
        let values = fields.values;
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

fn time(value: &Json) -> Option<Time> {
    value.as_str().and_then(parse_time)
}

/// ISO 8601 text; UTC where it names no offset.
pub(super) fn parse_time(text: &str) -> Option<Time> {
    let timestamp = super::moment::timestamp(text)?;
    i64::try_from(timestamp.as_nanosecond()).ok().map(Time)
}

fn windows(object: &Map<String, Json>) -> Option<(&Map<String, Json>, &Map<String, Json>)> {
    let event = object.get("Event")?.as_object()?;
    Some((event.get("System")?.as_object()?, event))
}

#[derive(Default)]
struct Seen(hashbrown::HashMap<Arc<str>, usize, foldhash::fast::RandomState>);

struct Leaves<'n> {
    names: &'n mut HashSet<Arc<str>, foldhash::fast::RandomState>,
    values: Vec<(Arc<str>, OwnedValue)>,
    seen: Seen,
}

impl Leaves<'_> {
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        if self.names.len() < MAX_NAMES {
            self.names.insert(Arc::clone(&name));
        }
        name
    }

    /// Adds a leaf; several of one name become a list.
    fn add(&mut self, name: &str, value: OwnedValue) -> Result<(), LineError> {
        if self.values.len() >= MAX_FIELDS {
            return Err(LineError::TooLarge);
        }
        let name = self.name(name);
        match self.seen.0.get(&name) {
            Some(place) => join(&mut self.values[*place].1, value),
            None => {
                self.seen.0.insert(Arc::clone(&name), self.values.len());
                self.values.push((name, value));
            }
        }
        Ok(())
    }

    fn windows(&mut self, system: &Map<String, Json>, event: &Map<String, Json>) -> Result<(), LineError> {
        for (name, value) in system {
            match value {
                Json::Object(parts) => {
                    for (attribute, text) in parts.get("#attributes").and_then(Json::as_object).into_iter().flatten() {
                        let wanted = name == "Provider" && attribute == "Name";
                        if wanted {
                            self.add("Provider_Name", leaf(text.clone()))?;
                        }
                    }
                    if let Some(text) = parts.get("#text") {
                        self.add(&squeeze(name), leaf(text.clone()))?;
                    }
                }
                scalar => self.add(&squeeze(name), leaf(scalar.clone()))?,
            }
        }
        let header = self.values.len();
        let seen = std::mem::take(&mut self.seen);
        for (section, body) in event {
            if section != "System" && section != "#attributes" {
                self.body(section, body.clone(), 0)?;
            }
        }
        // The body wins; what it hides of the header stays readable under its full name.
        for (name, place) in seen.0 {
            if self.seen.0.contains_key(&name) {
                self.values[place].0 = self.name(&format!("{HEADER}{name}"));
            }
        }
        debug_assert!(header <= self.values.len());
        Ok(())
    }

    /// Leaves of a Windows body, by their own names.
    fn body(&mut self, name: &str, value: Json, depth: usize) -> Result<(), LineError> {
        if depth > MAX_DEPTH {
            return Err(LineError::TooLarge);
        }
        match value {
            Json::Object(parts) => {
                for (part, value) in parts {
                    match part.as_str() {
                        "#attributes" => {}
                        "#text" => self.add(&squeeze(name), leaf(value))?,
                        _ => self.body(&part, value, depth + 1)?,
                    }
                }
                Ok(())
            }
            Json::Array(items) if items.iter().any(Json::is_object) => {
                items.into_iter().try_for_each(|item| self.body(name, item, depth + 1))
            }
            scalar if depth > 0 => self.add(&squeeze(name), leaf(scalar)),
            _ => Ok(()), // an empty section
        }
    }

    /// Leaves of any object, by their paths; a list of objects gives a list per path.
    fn generic(&mut self, path: &str, value: Json, depth: usize) -> Result<(), LineError> {
        if depth > MAX_DEPTH {
            return Err(LineError::TooLarge);
        }
        match value {
            Json::Object(parts) => {
                for (part, value) in parts {
                    let below = if path.is_empty() {
                        part
                    } else {
                        format!("{path}.{part}")
                    };
                    self.generic(&below, value, depth + 1)?;
                }
                Ok(())
            }
            Json::Array(items) if items.iter().any(Json::is_object) => items
                .into_iter()
                .try_for_each(|item| self.generic(path, item, depth + 1)),
            scalar => self.add(path, leaf(scalar)),
        }
    }
}

/// A name without blanks, as the compiler writes it.
fn squeeze(name: &str) -> std::borrow::Cow<'_, str> {
    if name.contains(' ') {
        name.replace(' ', "").into()
    } else {
        name.into()
    }
}

fn join(old: &mut OwnedValue, new: OwnedValue) {
    let list = match old {
        OwnedValue::List(list) => list,
        single => {
            let first = std::mem::replace(single, OwnedValue::Null);
            *single = OwnedValue::List(vec![first]);
            let OwnedValue::List(list) = single else { return };
            list
        }
    };
    match new {
        OwnedValue::List(more) => list.extend(more),
        one => list.push(one),
    }
}

fn leaf(value: Json) -> OwnedValue {
    match value {
        Json::Null => OwnedValue::Null,
        Json::Bool(b) => OwnedValue::Bool(b),
        Json::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(i), _) => OwnedValue::Int(i),
            (_, Some(u)) => OwnedValue::Uint(u),
            _ => n.as_f64().map_or(OwnedValue::Null, OwnedValue::Float),
        },
        Json::String(s) => OwnedValue::Str(s),
        Json::Array(items) => OwnedValue::List(items.into_iter().map(leaf).collect()),
        Json::Object(_) => OwnedValue::Null, // only below a list of lists: nothing names it
    }
}

#[cfg(test)]
mod tests {
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
