//! Messages of LDAP (RFC 4511, 4): what a request asks for, what a response says.

use super::record::{Ldap, Search};
use super::{filter, names};
use crate::proto::der::{self, Element, Elements, INTEGER, Malformed, OCTETS, SEQUENCE};
use crate::proto::text;

const BOOLEAN: u8 = 0x01;
const ENUMERATED: u8 = 0x0a;
pub(super) const ENTRY: u8 = 0x64;
pub(super) const SEARCH_DONE: u8 = 0x65;

/// What stands for a secret.
const HIDDEN: &str = "<hidden>";
/// Bytes of a name or a text, names of a list.
const MAX_TEXT: usize = 1024;
const MAX_NAMES: usize = 64;

pub(super) fn is_request(tag: u8) -> bool {
    matches!(tag, 0x60 | 0x42 | 0x63 | 0x66 | 0x68 | 0x4a | 0x6c | 0x6e | 0x50 | 0x77)
}

pub(super) fn is_response(tag: u8) -> bool {
    matches!(
        tag,
        0x61 | ENTRY | SEARCH_DONE | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x73 | 0x78 | 0x79
    )
}

/// A message's number and its operation, of bytes that hold one message, or its beginning.
pub(super) fn message<'a>(bytes: &'a [u8]) -> Result<(u64, Element<'a>), Malformed> {
    let outer = Elements::as_far_as(bytes).expect(SEQUENCE)?;
    let mut inside = outer.elements();
    let id = der::unsigned(inside.value(INTEGER)?).ok_or(Malformed)?;
    let operation: Element<'a> = inside.next().ok_or(Malformed)??;
    Ok((id, operation))
}

/// What a request asks for.
pub(super) enum Request {
    Operation(Ldap),
    Search(Search),
}

pub(super) fn request(id: u64, operation: &Element<'_>) -> Result<Request, Malformed> {
    let mut parts = operation.elements();
    let mut asked = Ldap {
        message_id: id,
        opcode: names::opcode(operation.tag),
        ..Ldap::default()
    };
    match operation.tag {
        0x60 => {
            asked.version = der::unsigned(parts.value(INTEGER)?);
            asked.object = kept(parts.value(OCTETS)?);
            let proof = parts.next().ok_or(Malformed)??;
            (asked.opcode, asked.argument) = match proof.tag {
                0x80 => (
                    "bind simple",
                    Some(HIDDEN.to_owned()).filter(|_| proof.whole() != Ok(&[])),
                ),
                0xa3 => ("bind SASL", kept(proof.value(OCTETS)?)),
                // What Microsoft had before SASL (MS-ADTS, 5.1.1.1.3).
                0x89..=0x8b => ("bind Sicily", None),
                _ => ("bind", None),
            };
        }
        0x63 => return search(id, operation).map(Request::Search),
        0x66 | 0x68 => asked.object = kept(parts.value(OCTETS)?),
        0x4a => asked.object = kept(operation.whole()?),
        0x6c => {
            asked.object = kept(parts.value(OCTETS)?);
            asked.argument = kept(parts.value(OCTETS)?);
        }
        0x6e => {
            asked.object = kept(parts.value(OCTETS)?);
            asked.argument = kept(parts.expect(SEQUENCE)?.value(OCTETS)?);
        }
        0x50 => asked.argument = der::unsigned(operation.whole()?).map(|id| id.to_string()),
        0x77 => {
            let oid = kept(parts.value(0x80)?);
            asked.argument = oid.as_deref().and_then(names::extended).map(str::to_owned);
            asked.object = oid;
        }
        _ => {}
    }
    Ok(Request::Operation(asked))
}

fn search(id: u64, operation: &Element<'_>) -> Result<Search, Malformed> {
    let mut parts = operation.elements();
    let base_object = kept(parts.value(OCTETS)?);
    let scope = der::integer(parts.value(ENUMERATED)?).ok_or(Malformed)?;
    let deref = der::integer(parts.value(ENUMERATED)?).ok_or(Malformed)?;
    parts.value(INTEGER)?;
    parts.value(INTEGER)?;
    parts.value(BOOLEAN)?;
    let mut asked = Search {
        message_id: id,
        scope: Some(names::scope(scope)),
        deref_aliases: Some(names::deref(deref)),
        base_object,
        ..Search::default()
    };
    asked.filter = Some(filter::text(&parts.next().ok_or(Malformed)??)?);
    for name in parts.expect(SEQUENCE)?.elements().take(MAX_NAMES) {
        asked.attributes.extend(kept(name?.whole()?));
    }
    Ok(asked)
}

/// A response's result and what it says about it.
pub(super) fn result(operation: &Element<'_>) -> Result<(&'static str, Option<String>), Malformed> {
    let mut parts = operation.elements();
    let code = der::integer(parts.value(ENUMERATED)?).ok_or(Malformed)?;
    parts.value(OCTETS)?;
    Ok((names::result(code), kept(parts.value(OCTETS)?)))
}

/// As much of a text as is kept; an empty one is none.
fn kept(bytes: &[u8]) -> Option<String> {
    let all = text(&bytes[..bytes.len().min(MAX_TEXT)]);
    Some(all).filter(|all| !all.is_empty())
}
