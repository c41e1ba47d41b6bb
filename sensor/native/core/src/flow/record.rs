//! The `conn` event: a connection at its end, with Zeek's meaning.

use crate::event::{Field, Value};
use crate::flow::community::CommunityId;
use crate::flow::history::History;
use crate::record;

/// One side's counts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Side {
    pub(crate) packets: u64,
    pub(crate) ip_bytes: u64,
    /// Payload bytes; TCP's from sequence numbers.
    pub(crate) bytes: u64,
    pub(crate) l2: Option<[u8; 6]>,
}

/// What is known of a connection at its end.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) proto: &'static str,
    pub(crate) ip_proto: u8,
    pub(crate) service: Option<String>,
    /// Nanoseconds; absent where all was one moment.
    pub(crate) duration: Option<i64>,
    pub(crate) orig: Side,
    pub(crate) resp: Side,
    pub(crate) l2: [Option<String>; 2],
    pub(crate) state: &'static str,
    pub(crate) local: (bool, bool),
    pub(crate) missed: u64,
    pub(crate) history: History,
    pub(crate) tunnel_parents: Vec<String>,
    pub(crate) community_id: CommunityId,
    pub(crate) vlans: [Option<u16>; 2],
}

const FIELDS: [Field<Conn>; 21] = [
    Field {
        name: "proto",
        get: |c| Some(Value::Str(c.proto)),
    },
    Field {
        name: "service",
        get: |c| c.service.as_deref().map(Value::Str),
    },
    Field {
        name: "duration",
        get: |c| c.duration.map(Value::Interval),
    },
    Field {
        name: "orig_bytes",
        get: |c| c.duration.map(|_| Value::Uint(c.orig.bytes)),
    },
    Field {
        name: "resp_bytes",
        get: |c| c.duration.map(|_| Value::Uint(c.resp.bytes)),
    },
    Field {
        name: "conn_state",
        get: |c| Some(Value::Str(c.state)),
    },
    Field {
        name: "local_orig",
        get: |c| Some(Value::Bool(c.local.0)),
    },
    Field {
        name: "local_resp",
        get: |c| Some(Value::Bool(c.local.1)),
    },
    Field {
        name: "missed_bytes",
        get: |c| Some(Value::Uint(c.missed)),
    },
    Field {
        name: "history",
        get: |c| Some(c.history.as_str()).filter(|h| !h.is_empty()).map(Value::Str),
    },
    Field {
        name: "orig_pkts",
        get: |c| Some(Value::Uint(c.orig.packets)),
    },
    Field {
        name: "orig_ip_bytes",
        get: |c| Some(Value::Uint(c.orig.ip_bytes)),
    },
    Field {
        name: "resp_pkts",
        get: |c| Some(Value::Uint(c.resp.packets)),
    },
    Field {
        name: "resp_ip_bytes",
        get: |c| Some(Value::Uint(c.resp.ip_bytes)),
    },
    Field {
        name: "tunnel_parents",
        get: |c| {
            Some(c.tunnel_parents.as_slice())
                .filter(|p| !p.is_empty())
                .map(Value::Strs)
        },
    },
    Field {
        name: "ip_proto",
        get: |c| Some(Value::Uint(c.ip_proto.into())),
    },
    Field {
        name: "community_id",
        get: |c| Some(Value::Str(c.community_id.as_str())),
    },
    Field {
        name: "vlan",
        get: |c| c.vlans[0].map(|vlan| Value::Uint(vlan.into())),
    },
    Field {
        name: "inner_vlan",
        get: |c| c.vlans[1].map(|vlan| Value::Uint(vlan.into())),
    },
    Field {
        name: "orig_l2_addr",
        get: |c| c.l2[0].as_deref().map(Value::Str),
    },
    Field {
        name: "resp_l2_addr",
        get: |c| c.l2[1].as_deref().map(Value::Str),
    },
];

record!(Conn, "conn", FIELDS);

/// Something that should not be: `weird`.
#[derive(Debug)]
pub(crate) struct Weird {
    pub(crate) name: &'static str,
    pub(crate) addl: Option<String>,
    pub(crate) source: Option<&'static str>,
}

const WEIRD: [Field<Weird>; 4] = [
    Field {
        name: "name",
        get: |w| Some(Value::Str(w.name)),
    },
    Field {
        name: "addl",
        get: |w| w.addl.as_deref().map(Value::Str),
    },
    Field {
        name: "notice",
        get: |_| Some(Value::Bool(false)),
    },
    Field {
        name: "source",
        get: |w| w.source.map(Value::Str),
    },
];

record!(Weird, "weird", WEIRD);

/// A tunnel was seen first, or ended.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) kind: &'static str,
    pub(crate) action: &'static str,
}

const TUNNEL: [Field<Tunnel>; 2] = [
    Field {
        name: "tunnel_type",
        get: |t| Some(Value::Str(t.kind)),
    },
    Field {
        name: "action",
        get: |t| Some(Value::Str(t.action)),
    },
];

record!(Tunnel, "tunnel", TUNNEL);
