//! The event: what a decoder or a log parser emits and a rule sees (Sigma's taxonomy, that is Zeek's names for traffic).
//!
//! Decoders emit typed records with a static field table; log lines become a list of named values. Text is made only for
//! what is printed or alerted.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::jsonl::Line;

/// A moment in nanoseconds since 1970-01-01T00:00:00Z: the packet's or the line's, never the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

/// A field's value, borrowed from its record. Absence is `Option::None` around it; JSON null is [`Value::Null`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Present and null.
    Null,
    /// `true` or `false`; equal to the words for a rule.
    Bool(bool),
    /// A signed whole number.
    Int(i64),
    /// An unsigned whole number.
    Uint(u64),
    /// A decimal number.
    Float(f64),
    /// A number of JSON that is no whole one of 64 bits, as it was written.
    Number(&'a str),
    /// Text. Bytes beyond UTF-8 were replaced (U+FFFD) when the record was made.
    Str(&'a str),
    /// An address; its text is RFC 5952.
    Addr(IpAddr),
    /// A moment; printed in seconds with six decimals, as Zeek does.
    Time(Time),
    /// A span in nanoseconds; printed in seconds.
    Interval(i64),
    /// Several texts (Zeek's vectors and sets).
    Strs(&'a [String]),
    /// Several spans or numbers.
    Floats(&'a [f64]),
    /// Several values of any kind.
    List(&'a [OwnedValue]),
}

/// A value that owns its text: fields of log lines and JSON lines.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnedValue {
    /// Present and null.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A signed whole number.
    Int(i64),
    /// An unsigned whole number.
    Uint(u64),
    /// A decimal number.
    Float(f64),
    /// A number of JSON that is no whole one of 64 bits, as it was written.
    Number(Box<str>),
    /// Text.
    Str(String),
    /// Several values.
    List(Vec<OwnedValue>),
}

impl OwnedValue {
    /// The same value, borrowed.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(i) => Value::Int(*i),
            Self::Uint(u) => Value::Uint(*u),
            Self::Float(f) => Value::Float(*f),
            Self::Number(text) => Value::Number(text),
            Self::Str(s) => Value::Str(s),
            Self::List(l) => Value::List(l),
        }
    }
}

/// Sigma's log source. A rule serves an event when each part that the rule names equals the event's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct LogSource {
    /// For instance `zeek`, `fortigate`, `windows`.
    pub product: Option<Cow<'static, str>>,
    /// For instance `vpn`, `webserver`, `firewall`.
    pub category: Option<Cow<'static, str>>,
    /// For instance `dns`, `conn`, `event`.
    pub service: Option<Cow<'static, str>>,
}

impl LogSource {
    /// `zeek/<service>`, the log source of a decoded protocol.
    pub const fn zeek(service: &'static str) -> Self {
        Self {
            product: Some(Cow::Borrowed("zeek")),
            category: None,
            service: Some(Cow::Borrowed(service)),
        }
    }

    /// Whether a rule with this log source serves events of `event`'s.
    pub fn serves(&self, event: &Self) -> bool {
        let part = |rule: &Option<Cow<'_, str>>, event: &Option<Cow<'_, str>>| rule.is_none() || rule == event;
        part(&self.product, &event.product)
            && part(&self.category, &event.category)
            && part(&self.service, &event.service)
    }
}

/// Transport protocol of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP, 6.
    Tcp,
    /// UDP, 17.
    Udp,
    /// ICMP and `ICMPv6`: type and code stand for the ports.
    Icmp,
    /// Anything else, by its IP protocol number.
    Other(u8),
}

/// A connection's five-tuple, as seen from its originator. Shared by all events of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnId {
    /// Originator's address.
    pub orig_h: IpAddr,
    /// Originator's port; ICMP type.
    pub orig_p: u16,
    /// Responder's address.
    pub resp_h: IpAddr,
    /// Responder's port; ICMP code.
    pub resp_p: u16,
    /// Transport protocol.
    pub transport: Transport,
}

/// Zeek's connection identifier: `C` and up to 17 characters of base62, from a keyed hash (the same for any number of workers).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Uid {
    len: u8,
    text: [u8; 18],
}

impl Uid {
    /// Makes one from a 96-bit hash, most significant digit first.
    pub fn from_hash(mut hash: u128) -> Self {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut text = [b'0'; 18];
        text[0] = b'C';
        for slot in text[1..].iter_mut().rev() {
            *slot = DIGITS[(hash % 62) as usize];
            hash /= 62;
        }
        Self { len: 18, text }
    }

    /// The identifier's text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or("C")
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One column of a record: its Zeek name and how to read it.
pub struct Field<R> {
    /// Zeek's name, with dots where Zeek has them.
    pub name: &'static str,
    /// Reads the value; `None` is absent (Zeek's `-`).
    pub get: for<'a> fn(&'a R) -> Option<Value<'a>>,
}

/// What is the same for all records of a protocol. One static per record type: its address is its identity.
#[derive(Debug)]
pub struct Kind {
    /// Zeek's log name (`_path`).
    pub path: &'static str,
    /// The log source that rules name.
    pub logsource: LogSource,
    /// Column names in the order they are printed.
    pub names: &'static [&'static str],
}

/// A typed record of a decoded protocol. Implemented by [`record!`](crate::record), never by hand.
pub trait Record: fmt::Debug + Send + Sync {
    /// The record's static description.
    fn kind(&self) -> &'static Kind;
    /// The value of column `index` of `kind().names`; `None` is absent.
    fn value(&self, index: usize) -> Option<Value<'_>>;
}

/// Implements [`Record`] for a type from its static field table: `record!(Dns, "dns", FIELDS);`
///
/// `FIELDS` is a `const [Field<Dns>; N]`. The log source is `zeek/<path>`.
#[macro_export]
macro_rules! record {
    ($record:ty, $path:literal, $fields:ident) => {
        impl $record {
            /// The record's static description.
            pub const fn schema() -> &'static $crate::event::Kind {
                const NAMES: [&str; $fields.len()] = {
                    let mut names = [""; $fields.len()];
                    let mut i = 0;
                    while i < names.len() {
                        names[i] = $fields[i].name;
                        i += 1;
                    }
                    names
                };
                static KIND: $crate::event::Kind = $crate::event::Kind {
                    path: $path,
                    logsource: $crate::event::LogSource::zeek($path),
                    names: &NAMES,
                };
                &KIND
            }
        }

        impl $crate::event::Record for $record {
            fn kind(&self) -> &'static $crate::event::Kind {
                Self::schema()
            }

            fn value(&self, index: usize) -> Option<$crate::event::Value<'_>> {
                static TABLE: [$crate::event::Field<$record>; $fields.len()] = $fields;
                (TABLE[index].get)(self)
            }
        }
    };
}

/// An event of a log line or JSON line: named values in the order they came.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields {
    /// `_path` when printed: the source definition's id, or `json`.
    pub path: Arc<str>,
    /// The log source that the source definition gave it.
    pub logsource: Arc<LogSource>,
    /// Names and values; a name occurs once.
    pub values: Vec<(Arc<str>, OwnedValue)>,
}

impl Fields {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        let (_, value) = self.values.iter().find(|(n, _)| &**n == name)?;
        Some(value.as_value())
    }

    fn visit<'a>(&'a self, each: &mut dyn FnMut(&'a str, Value<'a>)) {
        for (name, value) in &self.values {
            each(name, value.as_value());
        }
    }
}

/// What an event says beside time and connection.
#[derive(Debug)]
pub enum Body {
    /// A decoded protocol's record.
    Typed(Box<dyn Record>),
    /// A log line's fields.
    Named(Box<Fields>),
    /// A JSON line, read lazily.
    Line(Box<Line>),
}

/// An event: what a rule sees.
#[derive(Debug)]
pub struct Event {
    /// When it happened.
    pub ts: Time,
    /// Connection identifier; of a log line, a hash over sender, time, line and ordinal.
    pub uid: Option<Uid>,
    /// The connection, for decoded traffic.
    pub conn: Option<ConnId>,
    /// The fields.
    pub body: Body,
}

/// Names of the columns that every traffic event has before its record's own.
pub const COMMON: [&str; 6] = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"];

impl Event {
    /// Zeek's log name.
    pub fn path(&self) -> &str {
        match &self.body {
            Body::Typed(record) => record.kind().path,
            Body::Named(fields) => &fields.path,
            Body::Line(line) => line.path(),
        }
    }

    /// The log source that rules are chosen by.
    pub fn logsource(&self) -> &LogSource {
        match &self.body {
            Body::Typed(record) => &record.kind().logsource,
            Body::Named(fields) => &fields.logsource,
            Body::Line(line) => line.logsource(),
        }
    }

    /// The value of common column `index` (see [`COMMON`]).
    pub fn common(&self, index: usize) -> Option<Value<'_>> {
        match index {
            0 => Some(Value::Time(self.ts)),
            1 => self.uid.as_ref().map(|uid| Value::Str(uid.as_str())),
            2 => self.conn.map(|c| Value::Addr(c.orig_h)),
            3 => self.conn.map(|c| Value::Uint(c.orig_p.into())),
            4 => self.conn.map(|c| Value::Addr(c.resp_h)),
            5 => self.conn.map(|c| Value::Uint(c.resp_p.into())),
            _ => None,
        }
    }

    /// The field called `name`. Linear in the number of fields: engines resolve names once and read by index instead.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        match &self.body {
            Body::Typed(record) => match COMMON.iter().position(|n| *n == name) {
                Some(index) => self.common(index),
                None => record
                    .kind()
                    .names
                    .iter()
                    .position(|n| *n == name)
                    .and_then(|index| record.value(index)),
            },
            Body::Named(fields) => fields.get(name),
            Body::Line(line) => match line.wanted().id(name) {
                Some(id) => line.wanted_value(id),
                None => line.whole().get(name),
            },
        }
    }

    /// Calls `each` with every present field, common columns of traffic events first.
    pub fn visit<'a>(&'a self, each: &mut dyn FnMut(&'a str, Value<'a>)) {
        match &self.body {
            Body::Typed(record) => {
                for (index, name) in COMMON.iter().enumerate() {
                    if let Some(value) = self.common(index) {
                        each(name, value);
                    }
                }
                for (index, name) in record.kind().names.iter().enumerate() {
                    if let Some(value) = record.value(index) {
                        each(name, value);
                    }
                }
            }
            Body::Named(fields) => fields.visit(each),
            Body::Line(line) => line.whole().visit(each),
        }
    }
}

/// Where events go. Decoders call it as soon as an event is complete; nothing is queued in between.
pub trait EventSink {
    /// Takes one event, to look at it and drop it, or to carry it to another thread.
    fn event(&mut self, event: Event);
}

impl<F: FnMut(&Event)> EventSink for F {
    fn event(&mut self, event: Event) {
        self(&event);
    }
}
