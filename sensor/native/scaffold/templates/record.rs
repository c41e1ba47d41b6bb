//! The `NAME` event: one connection.

use crate::event::{Field, Value};
use crate::record;

/// What was seen of a connection.
#[derive(Debug, Default)]
pub(crate) struct Title {
    pub(super) client: Option<String>,
    pub(super) server: Option<String>,
}

const FIELDS: [Field<Title>; 2] = [
    Field {
        name: "client",
        get: |s| s.client.as_deref().map(Value::Str),
    },
    Field {
        name: "server",
        get: |s| s.server.as_deref().map(Value::Str),
    },
];

record!(Title, "NAME", FIELDS);
