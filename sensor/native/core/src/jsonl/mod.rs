//! JSON lines as events: Windows events in the shape of an EVTX export, and any other object flattened with `.`.
//!
//! Windows (`{"Event": {"System", "EventData" | "UserData"}}`): attributes stand under `#attributes`, text beside them under
//! `#text`. Fields are `Provider_Name`, the scalars of `System`, then the leaves of the body by their own name at any depth,
//! blanks taken out; the body wins over the header, which stays readable for gates as [`HEADER`] and its name.

mod cursor;
mod line;
mod walk;
mod wanted;
mod whole;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use memchr::memmem::Finder;
use serde::de::IgnoredAny;

pub use line::{Leaf, Line};
pub use wanted::{Wanted, WantedId};

use crate::event::{Body, Event, Fields, LogSource, OwnedValue, Time, Value};
use line::Lazily;
use walk::{Head, MAX_DEPTH, MAX_PATH, Stop, walk};
use wanted::Neighbor;
use whole::{MAX_FIELDS, Whole};

/// Before the names of header values which the body hides.
pub const HEADER: &str = "Event.System.";

/// A line longer than this is refused.
pub const MAX_LINE: usize = 4 << 20;

/// How most lines of the Windows shape begin; in all others its names are looked for.
const WINDOWS: &str = r#"{"Event":{"#;

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
                "it is too large: over {MAX_LINE} bytes, {MAX_DEPTH} levels, {MAX_FIELDS} fields or {MAX_PATH} bytes in a field's name"
            ),
        }
    }
}

impl std::error::Error for LineError {}

/// Makes events of lines.
#[derive(Debug)]
pub struct Reader {
    path: Arc<str>,
    logsource: Arc<LogSource>,
    lazy: Option<Lazy>,
    /// What a line of the Windows shape holds.
    names_of_windows: [Finder<'static>; 2],
    repaired: u64,
}

/// What a lazy reader keeps between lines.
#[derive(Debug)]
struct Lazy {
    wanted: Arc<Wanted>,
    neighbor: Neighbor,
    seen: Vec<u32>,
    walks: u32,
    spare: Option<Box<Line>>,
}

impl Reader {
    /// A reader of lines whose events are of `logsource`; all fields are read.
    pub fn new(logsource: LogSource) -> Self {
        Self {
            path: "json".into(),
            logsource: Arc::new(logsource),
            lazy: None,
            names_of_windows: [Finder::new("\"Event\""), Finder::new("\"System\"")],
            repaired: 0,
        }
    }

    /// A reader that keeps by name only what an engine can ask for (`Engine::wanted`).
    pub fn lazy(logsource: LogSource, wanted: &Arc<Wanted>) -> Self {
        let lazy = Lazy {
            wanted: Arc::clone(wanted),
            neighbor: Neighbor::default(),
            seen: vec![0; wanted.names().len()],
            walks: 0,
            spare: None,
        };
        Self {
            lazy: Some(lazy),
            ..Self::new(logsource)
        }
    }

    /// Lines in which bytes beyond UTF-8 and halves of surrogate pairs were replaced (U+FFFD).
    pub fn repaired(&self) -> u64 {
        self.repaired
    }

    /// Takes the buffers of an event that is done with.
    pub fn recycle(&mut self, event: Event) {
        if let (Some(lazy), Body::Line(line)) = (&mut self.lazy, event.body) {
            lazy.spare = Some(line);
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
        let text = simdutf8::basic::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed);
        if !text.trim_start().starts_with('{') {
            let whole = serde_json::from_str::<IgnoredAny>(&text);
            return Err(whole.map_or_else(|e| LineError::Syntax(e.to_string()), |_| LineError::NoObject));
        }
        let windows = text.starts_with(WINDOWS) || self.names_of_windows.iter().all(|name| name.find(line).is_some());
        let lazily = match &mut self.lazy {
            Some(lazy) => lazy.line(&self.path, &self.logsource, &text, windows),
            None => Err(Stop::Enough),
        };
        let (head, body) = match lazily {
            Ok((head, line)) => (head, Body::Line(line)),
            Err(Stop::Enough) => self.whole(&text, windows)?,
            Err(stop) => return Err(refusal(stop, &text)),
        };
        self.repaired += u64::from(head.halves || matches!(text, Cow::Owned(_)));
        let ts = head.time.unwrap_or_default();
        Ok(Event {
            ts,
            uid: None,
            conn: None,
            body,
        })
    }

    fn whole(&self, text: &str, windows: bool) -> Result<(Head, Body), LineError> {
        let (values, mut head) = values(text, windows).map_err(|stop| refusal(stop, text))?;
        head.time = head.time.or_else(|| own_time(&values));
        let body = Fields {
            path: Arc::clone(&self.path),
            logsource: Arc::clone(&self.logsource),
            values,
        };
        Ok((head, Body::Named(Box::new(body))))
    }
}

impl Lazy {
    fn line(
        &mut self,
        path: &Arc<str>,
        logsource: &Arc<LogSource>,
        text: &str,
        windows: bool,
    ) -> Result<(Head, Box<Line>), Stop> {
        let mut line = (self.spare.take()).unwrap_or_else(|| {
            Box::new(Line::new(
                Arc::clone(path),
                Arc::clone(logsource),
                Arc::clone(&self.wanted),
            ))
        });
        line.take(text);
        let mut sink = Lazily {
            leaves: &mut line.leaves,
            wanted: &self.wanted,
            neighbor: &mut self.neighbor,
            seen: &mut self.seen,
            walks: &mut self.walks,
        };
        let walked = walk(text, windows, &mut sink);
        line.leaves.end();
        match walked {
            Ok(mut head) => {
                line.windows = head.windows;
                let own = || (0..TIME_NAMES.len() as WantedId).find_map(|id| line.wanted_value(id).and_then(moment));
                head.time = head.time.or_else(own);
                Ok((head, line))
            }
            Err(stop) => {
                self.spare = Some(line);
                Err(stop)
            }
        }
    }
}

fn refusal(stop: Stop, text: &str) -> LineError {
    match stop {
        Stop::TooLarge | Stop::Enough => LineError::TooLarge,
        Stop::Broken => LineError::Syntax(match serde_json::from_str::<IgnoredAny>(text) {
            Err(error) => error.to_string(),
            Ok(_) => "it is not written as RFC 8259 asks".to_owned(),
        }),
    }
}

type Values = Vec<(Arc<str>, OwnedValue)>;

/// All fields of a line, and its head.
fn values(text: &str, windows: bool) -> Result<(Values, Head), Stop> {
    let mut whole = Whole::default();
    let head = walk(text, windows, &mut whole)?;
    Ok((whole.values(), head))
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
        moment(value.as_value())
    })
}

fn moment(value: Value<'_>) -> Option<Time> {
    match value {
        Value::Str(text) => parse_time(text),
        Value::Int(seconds) => seconds.checked_mul(1_000_000_000).map(Time),
        Value::Uint(seconds) => i64::try_from(seconds).ok()?.checked_mul(1_000_000_000).map(Time),
        Value::Number(text) => {
            let seconds: f64 = text.parse().ok()?;
            (seconds.abs() < 9e9).then(|| Time((seconds * 1e6).round() as i64 * 1_000))
        }
        Value::Float(seconds) if seconds.abs() < 9e9 => Some(Time((seconds * 1e6).round() as i64 * 1_000)),
        _ => None,
    }
}

/// ISO 8601 text; UTC where it names no offset.
fn parse_time(text: &str) -> Option<Time> {
    let timestamp = crate::sigma::timestamp(text)?;
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
        assert_eq!(event.get("ts"), Some(Value::Number("1.5")));
        assert_eq!(event.ts, Time(1_500_000_000));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let mut reader = Reader::new(LogSource::default());
        assert_eq!(reader.event(b"[1]").unwrap_err(), LineError::NoObject);
        assert!(matches!(reader.event(b"{\"a\":").unwrap_err(), LineError::Syntax(_)));
        assert!(matches!(reader.event(b"\xff\xfe").unwrap_err(), LineError::Syntax(_)));
        assert_eq!(
            reader.event(b"{\"a\":\"\xff\"}").unwrap().get("a"),
            Some(Value::Str("\u{fffd}"))
        );
        assert!(reader.event(br#"{"a":"\ud800"}"#).is_ok());
        assert_eq!(reader.repaired(), 2);
        let wide: Map<String, Json> = (0..5000).map(|n| (n.to_string(), n.into())).collect();
        assert_eq!(
            reader.event(Json::Object(wide).to_string().as_bytes()).unwrap_err(),
            LineError::TooLarge
        );
        let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
        assert_eq!(reader.event(deep.as_bytes()).unwrap_err(), LineError::TooLarge);
    }

    #[test]
    fn a_long_name_is_not_held_once_per_leaf() {
        let mut reader = Reader::new(LogSource::default());
        let mut line = |name: usize| {
            let text = format!(r#"{{"{}":{{"a":1,"b":2}}}}"#, "n".repeat(name));
            reader
                .event(text.as_bytes())
                .map(|event| event.get(&format!("{}.b", "n".repeat(name))) == Some(Value::Int(2)))
        };
        assert_eq!(line(MAX_PATH - 2), Ok(true));
        assert_eq!(line(MAX_PATH - 1), Err(LineError::TooLarge));
    }
}
