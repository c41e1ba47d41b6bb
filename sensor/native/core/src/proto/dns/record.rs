//! The `dns` event: one transaction.

use std::borrow::Cow;

use super::names;
use super::wire::Message;
use crate::event::{Field, Value};
use crate::record;

/// A query, its reply, or both.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // the header's flags, a column each
pub(crate) struct Dns {
    proto: &'static str,
    netbios: bool,
    pub(super) id: u16,
    /// Nanoseconds between query and reply.
    rtt: Option<i64>,
    query: Option<String>,
    qclass: Option<(u16, Cow<'static, str>)>,
    qtype: Option<(u16, Cow<'static, str>)>,
    rcode: Option<u16>,
    opcode: (u8, Cow<'static, str>),
    authoritative: bool,
    truncated: bool,
    recursion_desired: bool,
    recursion_available: bool,
    z: u8,
    answers: Vec<String>,
    ttls: Vec<f64>,
    auth: Vec<String>,
    rejected: bool,
}

impl Dns {
    pub(super) fn new(proto: &'static str, id: u16, netbios: bool) -> Self {
        Self {
            proto,
            netbios,
            id,
            ..Self::default()
        }
    }

    /// Adds what a message says; `elapsed` nanoseconds after the transaction's first.
    pub(super) fn take(&mut self, message: &Message, elapsed: i64) {
        let header = &message.header;
        self.opcode = (header.opcode(), names::opcode(header.opcode(), self.netbios));
        let Some(rcode) = header.is_response().then(|| header.rcode()) else {
            if let Some(question) = &message.question {
                self.recursion_desired = header.recursion_desired();
                self.truncated = header.truncated();
                self.z = header.z();
                self.qclass = Some((question.class, names::class(question.class)));
                // RFC 1002: the number of SRV is that of a node status.
                let node_status = self.netbios && question.kind == 33;
                let name = if node_status {
                    Cow::Borrowed("NBSTAT")
                } else {
                    names::record_type(question.kind)
                };
                self.qtype = Some((question.kind, name));
                self.query = Some(if self.netbios {
                    netbios_name(&question.name)
                } else {
                    question.name.clone()
                });
            }
            return;
        };
        self.rcode = Some(rcode);
        let empty = header.answers == 0 && header.authorities == 0 && header.additionals == 0;
        self.rejected |= header.questions > 0 && empty || rcode != 0 && header.questions == 0;
        if let Some(name) = &message.answered {
            if self.query.is_none() {
                self.query = Some(if self.netbios { netbios_name(name) } else { name.clone() });
            }
            self.authoritative = header.authoritative();
            self.recursion_available = header.recursion_available();
            self.rtt = self.rtt.or(Some(elapsed).filter(|elapsed| *elapsed > 0));
        }
        for (text, ttl) in &message.answers {
            self.answers.push(text.clone());
            self.ttls.push(f64::from(*ttl));
        }
        self.auth.extend(message.authorities.iter().cloned());
    }
}

/// Sixteen bytes as 32 letters from A to P (RFC 1001, 14.1); the last byte is the service, not the name.
fn netbios_name(encoded: &str) -> String {
    let letters: Vec<u8> = encoded
        .bytes()
        .take_while(|byte| *byte != b'.')
        .map(|b| b.to_ascii_uppercase())
        .collect();
    if letters.len() != 32 || !letters.iter().all(|letter| (b'A'..=b'P').contains(letter)) {
        return encoded.to_owned();
    }
    let bytes: Vec<u8> = letters
        .chunks_exact(2)
        .map(|pair| (pair[0] - b'A') << 4 | (pair[1] - b'A'))
        .collect();
    crate::proto::text(bytes[..15].trim_ascii_end())
        .trim_end_matches('\0')
        .to_owned()
}

fn number<T>(pair: Option<&(u16, T)>) -> Option<Value<'static>> {
    pair.map(|(number, _)| Value::Uint((*number).into()))
}

fn name<'a>(pair: Option<&'a (u16, Cow<'static, str>)>) -> Option<Value<'a>> {
    pair.map(|(_, name)| Value::Str(name))
}

const FIELDS: [Field<Dns>; 21] = [
    Field {
        name: "proto",
        get: |d| Some(Value::Str(d.proto)),
    },
    Field {
        name: "trans_id",
        get: |d| Some(Value::Uint(d.id.into())),
    },
    Field {
        name: "rtt",
        get: |d| d.rtt.map(Value::Interval),
    },
    Field {
        name: "query",
        get: |d| d.query.as_deref().map(Value::Str),
    },
    Field {
        name: "qclass",
        get: |d| number(d.qclass.as_ref()),
    },
    Field {
        name: "qclass_name",
        get: |d| name(d.qclass.as_ref()),
    },
    Field {
        name: "qtype",
        get: |d| number(d.qtype.as_ref()),
    },
    Field {
        name: "qtype_name",
        get: |d| name(d.qtype.as_ref()),
    },
    Field {
        name: "rcode",
        get: |d| d.rcode.map(|code| Value::Uint(code.into())),
    },
    Field {
        name: "rcode_name",
        get: |d| d.rcode.map(|code| Value::Str(names::rcode(code))),
    },
    Field {
        name: "AA",
        get: |d| Some(Value::Bool(d.authoritative)),
    },
    Field {
        name: "TC",
        get: |d| Some(Value::Bool(d.truncated)),
    },
    Field {
        name: "RD",
        get: |d| Some(Value::Bool(d.recursion_desired)),
    },
    Field {
        name: "RA",
        get: |d| Some(Value::Bool(d.recursion_available)),
    },
    Field {
        name: "Z",
        get: |d| Some(Value::Uint(d.z.into())),
    },
    Field {
        name: "answers",
        get: |d| Some(d.answers.as_slice()).filter(|a| !a.is_empty()).map(Value::Strs),
    },
    Field {
        name: "TTLs",
        get: |d| Some(d.ttls.as_slice()).filter(|t| !t.is_empty()).map(Value::Floats),
    },
    Field {
        name: "rejected",
        get: |d| Some(Value::Bool(d.rejected)),
    },
    Field {
        name: "auth",
        get: |d| Some(d.auth.as_slice()).filter(|a| !a.is_empty()).map(Value::Strs),
    },
    Field {
        name: "opcode",
        get: |d| Some(Value::Uint(d.opcode.0.into())),
    },
    Field {
        name: "opcode_name",
        get: |d| Some(Value::Str(&d.opcode.1)),
    },
];

record!(Dns, "dns", FIELDS);
