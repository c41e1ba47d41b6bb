//! The `ssh` event: one connection.

use crate::event::{Field, Value};
use crate::record;

/// What was seen of a connection.
#[derive(Debug, Default)]
pub(crate) struct Ssh {
    pub(super) version: Option<u64>,
    pub(super) auth_success: Option<bool>,
    pub(super) auth_attempts: u64,
    pub(super) direction: Option<&'static str>,
    pub(super) client: Option<String>,
    pub(super) server: Option<String>,
    pub(super) cipher_alg: Option<String>,
    pub(super) mac_alg: Option<String>,
    pub(super) compression_alg: Option<String>,
    pub(super) kex_alg: Option<String>,
    pub(super) host_key_alg: Option<String>,
    pub(super) host_key_fingerprint: Option<String>,
}

fn text(value: Option<&String>) -> Option<Value<'_>> {
    value.map(|text| Value::Str(text))
}

const FIELDS: [Field<Ssh>; 12] = [
    Field {
        name: "version",
        get: |s| s.version.map(Value::Uint),
    },
    Field {
        name: "auth_success",
        get: |s| s.auth_success.map(Value::Bool),
    },
    Field {
        name: "auth_attempts",
        get: |s| Some(Value::Uint(s.auth_attempts)),
    },
    Field {
        name: "direction",
        get: |s| s.direction.map(Value::Str),
    },
    Field {
        name: "client",
        get: |s| text(s.client.as_ref()),
    },
    Field {
        name: "server",
        get: |s| text(s.server.as_ref()),
    },
    Field {
        name: "cipher_alg",
        get: |s| text(s.cipher_alg.as_ref()),
    },
    Field {
        name: "mac_alg",
        get: |s| text(s.mac_alg.as_ref()),
    },
    Field {
        name: "compression_alg",
        get: |s| text(s.compression_alg.as_ref()),
    },
    Field {
        name: "kex_alg",
        get: |s| text(s.kex_alg.as_ref()),
    },
    Field {
        name: "host_key_alg",
        get: |s| text(s.host_key_alg.as_ref()),
    },
    Field {
        name: "host_key_fingerprint",
        get: |s| text(s.host_key_fingerprint.as_ref()),
    },
];

record!(Ssh, "ssh", FIELDS);
