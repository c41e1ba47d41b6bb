//! The `ftp` event: one command and the reply to it.

use std::net::IpAddr;

use crate::event::{Field, Value};
use crate::record;

/// Where a transfer's connection goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Channel {
    pub(super) passive: bool,
    pub(super) orig_h: IpAddr,
    pub(super) resp_h: IpAddr,
    pub(super) resp_p: u16,
}

/// One command.
#[derive(Debug, Default)]
pub(crate) struct Ftp {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) command: String,
    pub(super) arg: Option<String>,
    pub(super) mime_type: Option<&'static str>,
    pub(super) file_size: Option<u64>,
    pub(super) reply: Option<(u16, String)>,
    pub(super) channel: Option<Channel>,
}

const FIELDS: [Field<Ftp>; 12] = [
    Field {
        name: "user",
        get: |f| f.user.as_deref().map(Value::Str),
    },
    Field {
        name: "password",
        get: |f| f.password.as_deref().map(Value::Str),
    },
    Field {
        name: "command",
        get: |f| Some(Value::Str(&f.command)),
    },
    Field {
        name: "arg",
        get: |f| f.arg.as_deref().map(Value::Str),
    },
    Field {
        name: "mime_type",
        get: |f| f.mime_type.map(Value::Str),
    },
    Field {
        name: "file_size",
        get: |f| f.file_size.map(Value::Uint),
    },
    Field {
        name: "reply_code",
        get: |f| f.reply.as_ref().map(|(code, _)| Value::Uint((*code).into())),
    },
    Field {
        name: "reply_msg",
        get: |f| f.reply.as_ref().map(|(_, said)| Value::Str(said)),
    },
    Field {
        name: "data_channel.passive",
        get: |f| f.channel.map(|channel| Value::Bool(channel.passive)),
    },
    Field {
        name: "data_channel.orig_h",
        get: |f| f.channel.map(|channel| Value::Addr(channel.orig_h)),
    },
    Field {
        name: "data_channel.resp_h",
        get: |f| f.channel.map(|channel| Value::Addr(channel.resp_h)),
    },
    Field {
        name: "data_channel.resp_p",
        get: |f| f.channel.map(|channel| Value::Uint(channel.resp_p.into())),
    },
];

record!(Ftp, "ftp", FIELDS);
