//! The `dhcp` event: what a client and its servers said under one transaction number.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use super::text;
use super::wire::{Message, fqdn};
use crate::event::{Field, Time, Uid, Value};
use crate::record;

/// Names of message types (RFC 2132 and later), by number less one; Zeek's.
const TYPES: [&str; 18] = [
    "DISCOVER",
    "OFFER",
    "REQUEST",
    "DECLINE",
    "ACK",
    "NAK",
    "RELEASE",
    "INFORM",
    "FORCERENEW",
    "LEASEQUERY",
    "LEASEUNASSIGNED",
    "LEASEUNKNOWN",
    "LEASEACTIVE",
    "BULKLEASEQUERY",
    "LEASEQUERYDONE",
    "ACTIVELEASEQUERY",
    "LEASEQUERYSTATUS",
    "TLS",
];
const ETHERNET: u8 = 1;
const SECOND: i64 = 1_000_000_000;

/// A transaction.
#[derive(Debug)]
pub(crate) struct Dhcp {
    pub(super) first: Time,
    pub(super) last: Time,
    pub(super) uid: Uid,
    pub(super) uids: Vec<String>,
    client_addr: Option<IpAddr>,
    server_addr: Option<IpAddr>,
    mac: Option<String>,
    host_name: Option<String>,
    client_fqdn: Option<String>,
    domain: Option<String>,
    requested_addr: Option<Ipv4Addr>,
    assigned_addr: Option<Ipv4Addr>,
    lease_time: Option<u32>,
    client_message: Option<String>,
    server_message: Option<String>,
    pub(super) msg_types: Vec<String>,
}

impl Dhcp {
    pub(super) fn new(ts: Time, uid: Uid) -> Self {
        Self {
            first: ts,
            last: ts,
            uid,
            uids: Vec::new(),
            client_addr: None,
            server_addr: None,
            mac: None,
            host_name: None,
            client_fqdn: None,
            domain: None,
            requested_addr: None,
            assigned_addr: None,
            lease_time: None,
            client_message: None,
            server_message: None,
            msg_types: Vec::new(),
        }
    }

    /// Adds a message that `sender` sent.
    pub(super) fn take(&mut self, ts: Time, uid: Uid, sender: IpAddr, kind: u8, message: &Message<'_>) {
        self.last = self.last.max(ts);
        if !self.uids.iter().any(|known| known == uid.as_str()) {
            self.uids.push(uid.as_str().to_owned());
        }
        let name = TYPES.get(usize::from(kind).wrapping_sub(1));
        self.msg_types
            .push(name.map_or_else(|| format!("unknown-message-type-{kind}"), |name| (*name).to_owned()));
        let options = &message.options;
        let words = |option: &Option<Cow<'_, [u8]>>| option.as_deref().map(text);
        if message.is_request {
            if !sender.is_unspecified() {
                self.client_addr = Some(sender);
            }
            replace(&mut self.host_name, words(&options.host_name));
            replace(&mut self.client_fqdn, options.fqdn.as_deref().and_then(fqdn));
            replace(&mut self.requested_addr, options.requested);
            replace(&mut self.client_message, words(&options.message));
            // A client's identifier of type Ethernet is its address (RFC 2132, 9.14).
            if let Some([ETHERNET, address @ ..]) = options.client_id.as_deref()
                && address.len() == 6
            {
                self.mac = Some(colons(address));
            }
        } else {
            if !message.assigned.is_unspecified() {
                self.server_addr = Some(sender);
                self.assigned_addr = Some(message.assigned);
            }
            self.client_addr = self.client_addr.or(self.assigned_addr.map(IpAddr::V4));
            replace(&mut self.domain, words(&options.domain));
            replace(&mut self.lease_time, options.lease);
            replace(&mut self.server_message, words(&options.message));
        }
        if self.mac.is_none() && !message.hardware.is_empty() {
            self.mac = Some(colons(message.hardware));
        }
    }
}

/// The later message counts, where it says something.
fn replace<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}

/// A hardware address as Zeek prints it.
fn colons(address: &[u8]) -> String {
    let mut out = String::with_capacity(address.len() * 3);
    for byte in address {
        let separator = if out.is_empty() { "" } else { ":" };
        let _ = write!(out, "{separator}{byte:02x}");
    }
    out
}

fn words(text: Option<&String>) -> Option<Value<'_>> {
    text.map(|text| Value::Str(text))
}

const FIELDS: [Field<Dhcp>; 14] = [
    Field {
        name: "uids",
        get: |d| Some(Value::Strs(&d.uids)),
    },
    Field {
        name: "client_addr",
        get: |d| d.client_addr.map(Value::Addr),
    },
    Field {
        name: "server_addr",
        get: |d| d.server_addr.map(Value::Addr),
    },
    Field {
        name: "mac",
        get: |d| words(d.mac.as_ref()),
    },
    Field {
        name: "host_name",
        get: |d| words(d.host_name.as_ref()),
    },
    Field {
        name: "client_fqdn",
        get: |d| words(d.client_fqdn.as_ref()),
    },
    Field {
        name: "domain",
        get: |d| words(d.domain.as_ref()),
    },
    Field {
        name: "requested_addr",
        get: |d| d.requested_addr.map(|address| Value::Addr(address.into())),
    },
    Field {
        name: "assigned_addr",
        get: |d| d.assigned_addr.map(|address| Value::Addr(address.into())),
    },
    Field {
        name: "lease_time",
        get: |d| d.lease_time.map(|seconds| Value::Interval(i64::from(seconds) * SECOND)),
    },
    Field {
        name: "client_message",
        get: |d| words(d.client_message.as_ref()),
    },
    Field {
        name: "server_message",
        get: |d| words(d.server_message.as_ref()),
    },
    Field {
        name: "msg_types",
        get: |d| Some(Value::Strs(&d.msg_types)),
    },
    Field {
        name: "duration",
        get: |d| Some(Value::Interval(d.last.0 - d.first.0)),
    },
];

record!(Dhcp, "dhcp", FIELDS);
