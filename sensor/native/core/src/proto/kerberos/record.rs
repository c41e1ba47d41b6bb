//! The `kerberos` event: a request to a distribution center and what it answered.

use std::borrow::Cow;

use super::names;
use super::pkinit::subject;
use super::wire::{Exchange, Kind, Message};
use crate::event::{Field, Time, Value};
use crate::record;

/// A request and its answer, or whichever of both was seen.
#[derive(Debug)]
pub(crate) struct Kerberos {
    exchange: Option<Exchange>,
    client: Option<String>,
    service: Option<String>,
    success: Option<bool>,
    error_code: Option<i64>,
    error_msg: Option<Cow<'static, str>>,
    from: Option<Time>,
    till: Option<Time>,
    cipher: Option<Cow<'static, str>>,
    options: Option<[bool; 2]>,
    /// Of the certificates that client and center show (RFC 4556).
    subjects: [Option<String>; 2],
}

impl Kerberos {
    /// Begins with the first message of an exchange.
    pub(super) fn new() -> Self {
        Self {
            exchange: None,
            client: None,
            service: None,
            success: None,
            error_code: None,
            error_msg: None,
            from: None,
            till: None,
            cipher: None,
            options: None,
            subjects: [None, None],
        }
    }

    /// What was asked.
    pub(super) fn request(&self) -> Option<Kind> {
        self.exchange.map(Kind::Request)
    }

    pub(super) fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// Adds a message.
    pub(super) fn take(&mut self, message: Message<'_>) {
        match message.kind {
            Kind::Request(exchange) => {
                self.exchange = Some(exchange);
                // The realm of a TGS request is the service's; who asks is in its ticket, which only the center reads.
                if exchange == Exchange::As {
                    self.client = principal(message.client_name, message.realm);
                }
                self.from = message.from;
                self.till = message.till;
                self.options = message.options;
                self.subjects[0] = message.padata.and_then(subject);
            }
            Kind::Reply(exchange) => {
                self.exchange = Some(exchange);
                self.success = Some(true);
                self.client = self.client.take().or(principal(message.client_name, message.realm));
                self.cipher = message.cipher.map(names::cipher);
                self.subjects[1] = message.padata.and_then(subject);
            }
            Kind::Error => {
                self.success = Some(false);
                self.client = self.client.take().or(match (message.client_name, message.realm) {
                    (None, realm) => realm,
                    both => principal(both.0, both.1),
                });
                self.error_code = message.error_code;
                self.error_msg = message
                    .error_text
                    .filter(|text| !text.is_empty())
                    .map(Cow::Owned)
                    .or(message.error_code.map(names::error));
            }
        }
        if message.service.is_some() {
            self.service = message.service;
        }
    }
}

/// Zeek's way to write a client: its name, a stroke, its realm, even where one is missing.
fn principal(name: Option<String>, realm: Option<String>) -> Option<String> {
    match (name, realm) {
        (None, None) => None,
        (name, realm) => Some(format!("{}/{}", name.unwrap_or_default(), realm.unwrap_or_default())),
    }
}

fn text(value: Option<&str>) -> Option<Value<'_>> {
    value.map(Value::Str)
}

const FIELDS: [Field<Kerberos>; 13] = [
    Field {
        name: "request_type",
        get: |k| {
            k.exchange.map(|exchange| match exchange {
                Exchange::As => Value::Str("AS"),
                Exchange::Tgs => Value::Str("TGS"),
            })
        },
    },
    Field {
        name: "client",
        get: |k| text(k.client.as_deref()),
    },
    Field {
        name: "service",
        get: |k| text(k.service.as_deref()),
    },
    Field {
        name: "success",
        get: |k| k.success.map(Value::Bool),
    },
    Field {
        name: "error_code",
        get: |k| k.error_code.map(Value::Int),
    },
    Field {
        name: "error_msg",
        get: |k| text(k.error_msg.as_deref()),
    },
    Field {
        name: "from",
        get: |k| k.from.map(Value::Time),
    },
    Field {
        name: "till",
        get: |k| k.till.map(Value::Time),
    },
    Field {
        name: "cipher",
        get: |k| text(k.cipher.as_deref()),
    },
    Field {
        name: "forwardable",
        get: |k| k.options.map(|[forwardable, _]| Value::Bool(forwardable)),
    },
    Field {
        name: "renewable",
        get: |k| k.options.map(|[_, renewable]| Value::Bool(renewable)),
    },
    Field {
        name: "client_cert_subject",
        get: |k| text(k.subjects[0].as_deref()),
    },
    Field {
        name: "server_cert_subject",
        get: |k| text(k.subjects[1].as_deref()),
    },
];

record!(Kerberos, "kerberos", FIELDS);
