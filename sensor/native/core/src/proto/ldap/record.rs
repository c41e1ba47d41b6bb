//! The `ldap` event, one operation, and the `ldap_search` event, one search.

use crate::event::{Field, Value};
use crate::record;

/// One operation that is no search.
#[derive(Debug, Default)]
pub(crate) struct Ldap {
    pub(super) message_id: u64,
    pub(super) version: Option<u64>,
    pub(super) opcode: &'static str,
    pub(super) result: Option<&'static str>,
    pub(super) diagnostic_message: Option<String>,
    pub(super) object: Option<String>,
    pub(super) argument: Option<String>,
}

/// One search.
#[derive(Debug, Default)]
pub(crate) struct Search {
    pub(super) message_id: u64,
    pub(super) scope: Option<&'static str>,
    pub(super) deref_aliases: Option<&'static str>,
    pub(super) base_object: Option<String>,
    pub(super) result_count: u64,
    pub(super) result: Option<&'static str>,
    pub(super) diagnostic_message: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) attributes: Vec<String>,
}

fn text(value: Option<&String>) -> Option<Value<'_>> {
    value.map(|text| Value::Str(text))
}

const FIELDS: [Field<Ldap>; 7] = [
    Field {
        name: "message_id",
        get: |l| Some(Value::Uint(l.message_id)),
    },
    Field {
        name: "version",
        get: |l| l.version.map(Value::Uint),
    },
    Field {
        name: "opcode",
        get: |l| Some(Value::Str(l.opcode)),
    },
    Field {
        name: "result",
        get: |l| l.result.map(Value::Str),
    },
    Field {
        name: "diagnostic_message",
        get: |l| text(l.diagnostic_message.as_ref()),
    },
    Field {
        name: "object",
        get: |l| text(l.object.as_ref()),
    },
    Field {
        name: "argument",
        get: |l| text(l.argument.as_ref()),
    },
];

record!(Ldap, "ldap", FIELDS);

const SEARCH_FIELDS: [Field<Search>; 9] = [
    Field {
        name: "message_id",
        get: |s| Some(Value::Uint(s.message_id)),
    },
    Field {
        name: "scope",
        get: |s| s.scope.map(Value::Str),
    },
    Field {
        name: "deref_aliases",
        get: |s| s.deref_aliases.map(Value::Str),
    },
    Field {
        name: "base_object",
        get: |s| text(s.base_object.as_ref()),
    },
    Field {
        name: "result_count",
        get: |s| Some(Value::Uint(s.result_count)),
    },
    Field {
        name: "result",
        get: |s| s.result.map(Value::Str),
    },
    Field {
        name: "diagnostic_message",
        get: |s| text(s.diagnostic_message.as_ref()),
    },
    Field {
        name: "filter",
        get: |s| text(s.filter.as_ref()),
    },
    Field {
        name: "attributes",
        get: |s| {
            Some(&s.attributes[..])
                .filter(|names| !names.is_empty())
                .map(Value::Strs)
        },
    },
];

record!(Search, "ldap_search", SEARCH_FIELDS);
