//! The `http` event: a request, its response, or both.

use crate::event::{Field, OwnedValue, Value};
use crate::record;

/// One transaction.
#[derive(Debug, Default)]
pub(crate) struct Http {
    pub(super) depth: u64,
    pub(super) method: Option<String>,
    pub(super) host: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) referrer: Option<String>,
    pub(super) version: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) origin: Option<String>,
    pub(super) request_len: u64,
    pub(super) response_len: u64,
    pub(super) status: Option<(u16, String)>,
    pub(super) info: Option<(u16, String)>,
    pub(super) username: Option<String>,
    pub(super) has_password: bool,
    pub(super) proxied: Vec<String>,
    pub(super) cookie: Option<String>,
    pub(super) client_headers: Vec<String>,
    pub(super) filenames: [Vec<String>; 2],
    pub(super) mime_types: [Vec<String>; 2],
}

/// Zeek's empty set.
const NO_TAGS: &[OwnedValue] = &[];

fn text(value: Option<&String>) -> Option<Value<'_>> {
    value.map(|text| Value::Str(text))
}

fn texts(values: &[String]) -> Option<Value<'_>> {
    Some(values).filter(|values| !values.is_empty()).map(Value::Strs)
}

const FIELDS: [Field<Http>; 24] = [
    Field {
        name: "trans_depth",
        get: |h| Some(Value::Uint(h.depth)),
    },
    Field {
        name: "method",
        get: |h| text(h.method.as_ref()),
    },
    Field {
        name: "host",
        get: |h| text(h.host.as_ref()),
    },
    Field {
        name: "uri",
        get: |h| text(h.uri.as_ref()),
    },
    Field {
        name: "referrer",
        get: |h| text(h.referrer.as_ref()),
    },
    Field {
        name: "version",
        get: |h| text(h.version.as_ref()),
    },
    Field {
        name: "user_agent",
        get: |h| text(h.user_agent.as_ref()),
    },
    Field {
        name: "origin",
        get: |h| text(h.origin.as_ref()),
    },
    Field {
        name: "request_body_len",
        get: |h| Some(Value::Uint(h.request_len)),
    },
    Field {
        name: "response_body_len",
        get: |h| Some(Value::Uint(h.response_len)),
    },
    Field {
        name: "status_code",
        get: |h| h.status.as_ref().map(|(code, _)| Value::Uint((*code).into())),
    },
    Field {
        name: "status_msg",
        get: |h| h.status.as_ref().map(|(_, reason)| Value::Str(reason)),
    },
    Field {
        name: "info_code",
        get: |h| h.info.as_ref().map(|(code, _)| Value::Uint((*code).into())),
    },
    Field {
        name: "info_msg",
        get: |h| h.info.as_ref().map(|(_, reason)| Value::Str(reason)),
    },
    Field {
        name: "tags",
        get: |_| Some(Value::List(NO_TAGS)),
    },
    Field {
        name: "username",
        get: |h| text(h.username.as_ref()),
    },
    Field {
        name: "password",
        get: |h| h.has_password.then_some(Value::Str("<hidden>")),
    },
    Field {
        name: "proxied",
        get: |h| texts(&h.proxied),
    },
    Field {
        name: "cookie",
        get: |h| text(h.cookie.as_ref()),
    },
    Field {
        name: "client_header_names",
        get: |h| texts(&h.client_headers),
    },
    Field {
        name: "orig_filenames",
        get: |h| texts(&h.filenames[0]),
    },
    Field {
        name: "orig_mime_types",
        get: |h| texts(&h.mime_types[0]),
    },
    Field {
        name: "resp_filenames",
        get: |h| texts(&h.filenames[1]),
    },
    Field {
        name: "resp_mime_types",
        get: |h| texts(&h.mime_types[1]),
    },
];

record!(Http, "http", FIELDS);
