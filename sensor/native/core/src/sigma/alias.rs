//! Aliases: one event serves the rules of another log source as well, and reads their fields through a map.

use std::net::IpAddr;

use hashbrown::HashMap;

use super::error::PackError;
use super::folding::fold;
use super::model::{self, Reading};
use super::network::Network;
use super::predicate::FieldId;
use super::value;
use crate::event::{Event, LogSource, OwnedValue, Value};

/// When an alias holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Always.
    Always,
    /// The responder is local.
    ResponderLocal,
    /// The originator is local and the responder is not.
    OriginatorLocalResponderRemote,
}

/// A value made from other fields of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derive {
    /// The path of a request target, without its query.
    UriStem,
    /// The query of a request target, without `?`; absent where there is none.
    UriQuery,
    /// `http://host/target`, or the target where it is absolute or no host is known.
    UriFull,
    /// The host that was named, else the responder's address.
    HostOrIp,
    /// A span or time as a number of seconds.
    Seconds,
    /// The folded text.
    Lower,
}

/// Where a rule's field is read.
#[derive(Debug, Clone)]
pub enum Source {
    /// The event's field of this name.
    Name(Box<str>),
    /// Made from the event's field of this name.
    Derived(Derive, Box<str>),
}

/// One row of the alias table.
#[derive(Debug, Clone)]
pub struct Alias {
    /// Events of this log source ...
    pub event: LogSource,
    /// ... serve rules of this one ...
    pub serves: LogSource,
    /// ... when the guard holds ...
    pub guard: Guard,
    /// ... and read these fields so; any other is the event's own.
    pub fields: HashMap<FieldId, Source>,
}

impl Alias {
    /// Compiles row `index`.
    ///
    /// # Errors
    /// An unknown guard or derivation.
    pub fn new(index: usize, written: &model::Alias, fields: &HashMap<&str, FieldId>) -> Result<Self, PackError> {
        let fault = |what: String| PackError::rules(format!("alias {index}: {what}"));
        let guard = match written.guard.as_deref() {
            None => Guard::Always,
            Some("responder_local") => Guard::ResponderLocal,
            Some("originator_local_responder_remote") => Guard::OriginatorLocalResponderRemote,
            Some(other) => return Err(fault(format!("the guard {other:?} is unknown"))),
        };
        let mut map = HashMap::new();
        for (name, reading) in &written.fields {
            let source = match reading {
                Reading::Name(name) => Source::Name(name.as_str().into()),
                Reading::Derived { derive, from } => {
                    let derive = Derive::parse(derive).ok_or_else(|| fault(format!("{derive:?} is no derivation")))?;
                    Source::Derived(derive, from.as_str().into())
                }
            };
            // A field that no predicate names is never read.
            if let Some(id) = fields.get(name.as_str()) {
                map.insert(*id, source);
            }
        }
        Ok(Self {
            event: (&written.event).into(),
            serves: (&written.serves).into(),
            guard,
            fields: map,
        })
    }
}

impl Guard {
    /// Whether it holds for an event. An event without addresses meets no guard but [`Guard::Always`].
    pub fn holds(self, event: &Event, local: &[Network]) -> bool {
        let is_local = |address: Option<IpAddr>| address.map(|a| local.iter().any(|n| n.contains(a)));
        let originator = || is_local(address(event, |c| c.orig_h, "id.orig_h"));
        let responder = || is_local(address(event, |c| c.resp_h, "id.resp_h"));
        match self {
            Self::Always => true,
            Self::ResponderLocal => responder() == Some(true),
            Self::OriginatorLocalResponderRemote => originator() == Some(true) && responder() == Some(false),
        }
    }
}

fn address(event: &Event, of: fn(&crate::event::ConnId) -> IpAddr, name: &str) -> Option<IpAddr> {
    event
        .conn
        .as_ref()
        .map(of)
        .or_else(|| event.get(name).and_then(super::network::address))
}

impl Derive {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "uri_stem" => Self::UriStem,
            "uri_query" => Self::UriQuery,
            "uri_full" => Self::UriFull,
            "host_or_ip" => Self::HostOrIp,
            "seconds" => Self::Seconds,
            "lower" => Self::Lower,
            _ => return None,
        })
    }

    /// The derived value; `None` where what it is made from is absent.
    pub fn of(self, event: &Event, from: &str) -> Option<OwnedValue> {
        let value = event.get(from);
        let text = |value: Option<Value<'_>>| {
            let mut out = String::new();
            value.is_some_and(|v| value::text_into(v, &mut out)).then_some(out)
        };
        // A client that names no host, or an empty one, names the address.
        let host = |name: &str| {
            let named = text(event.get(name)).filter(|host| !host.is_empty());
            named.or_else(|| text(event.get("id.resp_h")))
        };
        match self {
            Self::UriStem => {
                let uri = text(value)?;
                Some(OwnedValue::Str(
                    uri.split(['?', '#']).next().unwrap_or_default().to_owned(),
                ))
            }
            Self::UriQuery => text(value)?
                .split_once('?')
                .map(|(_, query)| OwnedValue::Str(query.to_owned())),
            Self::UriFull => {
                let uri = text(value)?;
                match host("host").filter(|_| uri.starts_with('/')) {
                    Some(host) => Some(OwnedValue::Str(format!("http://{host}{uri}"))),
                    None => Some(OwnedValue::Str(uri)),
                }
            }
            Self::HostOrIp => host(from).map(OwnedValue::Str),
            Self::Seconds => super::number::Number::of(value?).map(|n| OwnedValue::Float(n.as_f64())),
            Self::Lower => Some(OwnedValue::Str(fold(&text(value)?))),
        }
    }
}
