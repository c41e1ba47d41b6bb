//! The `ssl` event: one TLS handshake.

use std::borrow::Cow;

use crate::event::{Field, Value};
use crate::record;

/// What was seen of a handshake.
#[derive(Debug, Default)]
pub(crate) struct Ssl {
    pub(super) version: Option<Cow<'static, str>>,
    pub(super) cipher: Option<Cow<'static, str>>,
    pub(super) curve: Option<Cow<'static, str>>,
    pub(super) server_name: Option<String>,
    pub(super) resumed: bool,
    pub(super) last_alert: Option<Cow<'static, str>>,
    pub(super) next_protocol: Option<String>,
    pub(super) established: bool,
    pub(super) history: String,
    pub(super) fingerprints: Option<Vec<String>>,
    pub(super) client_fingerprints: Vec<String>,
    pub(super) ja4: Option<String>,
}

fn name<'a>(name: Option<&'a Cow<'static, str>>) -> Option<Value<'a>> {
    name.map(|name| Value::Str(name))
}

const FIELDS: [Field<Ssl>; 12] = [
    Field {
        name: "version",
        get: |s| name(s.version.as_ref()),
    },
    Field {
        name: "cipher",
        get: |s| name(s.cipher.as_ref()),
    },
    Field {
        name: "curve",
        get: |s| name(s.curve.as_ref()),
    },
    Field {
        name: "server_name",
        get: |s| s.server_name.as_deref().map(Value::Str),
    },
    Field {
        name: "resumed",
        get: |s| Some(Value::Bool(s.resumed)),
    },
    Field {
        name: "last_alert",
        get: |s| name(s.last_alert.as_ref()),
    },
    Field {
        name: "next_protocol",
        get: |s| s.next_protocol.as_deref().map(Value::Str),
    },
    Field {
        name: "established",
        get: |s| Some(Value::Bool(s.established)),
    },
    Field {
        name: "ssl_history",
        get: |s| Some(Value::Str(&s.history)),
    },
    Field {
        name: "cert_chain_fps",
        get: |s| s.fingerprints.as_deref().map(Value::Strs),
    },
    Field {
        name: "client_cert_chain_fps",
        get: |s| s.fingerprints.as_ref().map(|_| Value::Strs(&s.client_fingerprints)),
    },
    Field {
        name: "ja4",
        get: |s| s.ja4.as_deref().map(Value::Str),
    },
];

record!(Ssl, "ssl", FIELDS);
