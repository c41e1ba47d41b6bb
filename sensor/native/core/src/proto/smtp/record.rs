//! The `smtp` event: one mail transaction.

use std::net::IpAddr;

use crate::event::{Field, Value};
use crate::record;

/// What was seen of a mail.
#[derive(Debug, Default)]
pub(crate) struct Smtp {
    pub(super) depth: u64,
    pub(super) helo: Option<String>,
    pub(super) mailfrom: Option<String>,
    pub(super) rcptto: Vec<String>,
    pub(super) date: Option<String>,
    pub(super) from: Option<String>,
    pub(super) to: Vec<String>,
    pub(super) cc: Vec<String>,
    pub(super) reply_to: Option<String>,
    pub(super) msg_id: Option<String>,
    pub(super) in_reply_to: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) x_originating_ip: Option<IpAddr>,
    pub(super) first_received: Option<String>,
    pub(super) second_received: Option<String>,
    pub(super) last_reply: Option<String>,
    pub(super) path: Vec<String>,
    pub(super) user_agent: Option<String>,
    pub(super) tls: bool,
    pub(super) is_webmail: bool,
}

fn text(value: Option<&String>) -> Option<Value<'_>> {
    value.map(|text| Value::Str(text))
}

fn texts(values: &[String]) -> Option<Value<'_>> {
    Some(values).filter(|values| !values.is_empty()).map(Value::Strs)
}

const FIELDS: [Field<Smtp>; 20] = [
    Field {
        name: "trans_depth",
        get: |s| Some(Value::Uint(s.depth)),
    },
    Field {
        name: "helo",
        get: |s| text(s.helo.as_ref()),
    },
    Field {
        name: "mailfrom",
        get: |s| text(s.mailfrom.as_ref()),
    },
    Field {
        name: "rcptto",
        get: |s| texts(&s.rcptto),
    },
    Field {
        name: "date",
        get: |s| text(s.date.as_ref()),
    },
    Field {
        name: "from",
        get: |s| text(s.from.as_ref()),
    },
    Field {
        name: "to",
        get: |s| texts(&s.to),
    },
    Field {
        name: "cc",
        get: |s| texts(&s.cc),
    },
    Field {
        name: "reply_to",
        get: |s| text(s.reply_to.as_ref()),
    },
    Field {
        name: "msg_id",
        get: |s| text(s.msg_id.as_ref()),
    },
    Field {
        name: "in_reply_to",
        get: |s| text(s.in_reply_to.as_ref()),
    },
    Field {
        name: "subject",
        get: |s| text(s.subject.as_ref()),
    },
    Field {
        name: "x_originating_ip",
        get: |s| s.x_originating_ip.map(Value::Addr),
    },
    Field {
        name: "first_received",
        get: |s| text(s.first_received.as_ref()),
    },
    Field {
        name: "second_received",
        get: |s| text(s.second_received.as_ref()),
    },
    Field {
        name: "last_reply",
        get: |s| text(s.last_reply.as_ref()),
    },
    Field {
        name: "path",
        get: |s| texts(&s.path),
    },
    Field {
        name: "user_agent",
        get: |s| text(s.user_agent.as_ref()),
    },
    Field {
        name: "tls",
        get: |s| Some(Value::Bool(s.tls)),
    },
    Field {
        name: "is_webmail",
        get: |s| Some(Value::Bool(s.is_webmail)),
    },
];

record!(Smtp, "smtp", FIELDS);
