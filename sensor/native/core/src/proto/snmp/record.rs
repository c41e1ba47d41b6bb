//! The `snmp` event: what one connection asked of a device, and under which community.

use super::wire::{Message, Operation, Version};
use crate::event::{Field, Time, Value};
use crate::record;

/// Communities that devices come with: the only ones that are shown. They are no secret, and rules look for them.
const DEFAULTS: [&[u8]; 24] = [
    b"admin",
    b"agent",
    b"cable-docsis",
    b"cisco",
    b"community",
    b"default",
    b"guest",
    b"hp_admin",
    b"ILMI",
    b"internal",
    b"manager",
    b"mngt",
    b"monitor",
    b"NoGaH$@!",
    b"OrigEquipMfr",
    b"private",
    b"proxy",
    b"public",
    b"read",
    b"rmon",
    b"secret",
    b"security",
    b"snmp",
    b"write",
];
const HIDDEN: &str = "<hidden>";
/// Bytes of a description that are kept (RFC 3418 allows 255).
const MAX_DESCRIPTION: usize = 255;
const HUNDREDTH: u64 = 10_000_000;

/// What was seen of a connection.
#[derive(Debug)]
pub(crate) struct Snmp {
    version: Version,
    first: Time,
    last: Time,
    community: Option<String>,
    gets: u64,
    bulk_gets: u64,
    responses: u64,
    sets: u64,
    display_string: Option<String>,
    up_since: Option<Time>,
}

impl Snmp {
    /// Begins with a message of this version.
    pub(super) fn new(ts: Time, version: Version) -> Self {
        Self {
            version,
            first: ts,
            last: ts,
            community: None,
            gets: 0,
            bulk_gets: 0,
            responses: 0,
            sets: 0,
            display_string: None,
            up_since: None,
        }
    }

    pub(super) fn first(&self) -> Time {
        self.first
    }

    /// Adds a message.
    pub(super) fn take(&mut self, ts: Time, message: &Message<'_>) {
        self.last = self.last.max(ts);
        // Before it knows the other end, version 3 asks without a user.
        if self.community.is_none() && !(message.version == Version::V3 && message.community.is_empty()) {
            self.community = Some(shown(message));
        }
        match message.operation {
            Some(Operation::Get) => self.gets += message.bindings,
            Some(Operation::GetBulk) => self.bulk_gets += message.bindings,
            Some(Operation::Response) => self.responses += message.bindings,
            Some(Operation::Set) => self.sets += message.bindings,
            Some(Operation::Other) | None => {}
        }
        if let Some(text) = message.description {
            self.display_string = Some(super::text(&text[..text.len().min(MAX_DESCRIPTION)]));
        }
        if let Some(span) = message.up_time
            && let Ok(span) = i64::try_from(span.saturating_mul(HUNDREDTH))
        {
            self.up_since = Some(Time(ts.0.saturating_sub(span)));
        }
    }
}

/// Users are names; communities are passwords.
fn shown(message: &Message<'_>) -> String {
    let community = message.community;
    if message.version == Version::V3 || community.is_empty() || DEFAULTS.contains(&community) {
        super::text(&community[..community.len().min(MAX_DESCRIPTION)])
    } else {
        HIDDEN.to_owned()
    }
}

const FIELDS: [Field<Snmp>; 9] = [
    Field {
        name: "duration",
        get: |s| Some(Value::Interval(s.last.0 - s.first.0)),
    },
    Field {
        name: "version",
        get: |s| {
            Some(Value::Str(match s.version {
                Version::V1 => "1",
                Version::V2c => "2c",
                Version::V3 => "3",
            }))
        },
    },
    Field {
        name: "community",
        get: |s| s.community.as_deref().map(Value::Str),
    },
    Field {
        name: "get_requests",
        get: |s| Some(Value::Uint(s.gets)),
    },
    Field {
        name: "get_bulk_requests",
        get: |s| Some(Value::Uint(s.bulk_gets)),
    },
    Field {
        name: "get_responses",
        get: |s| Some(Value::Uint(s.responses)),
    },
    Field {
        name: "set_requests",
        get: |s| Some(Value::Uint(s.sets)),
    },
    Field {
        name: "display_string",
        get: |s| s.display_string.as_deref().map(Value::Str),
    },
    Field {
        name: "up_since",
        get: |s| s.up_since.map(Value::Time),
    },
];

record!(Snmp, "snmp", FIELDS);
