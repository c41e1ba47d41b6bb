//! LDAP (RFC 4511) over TCP and UDP, and its turn to TLS: one event per operation or search, when it is answered. Passwords
//! of simple binds are not kept; entries that a search finds are counted.

mod filter;
mod names;
pub(super) mod record;
mod wire;

use std::collections::VecDeque;

use super::der::{self, SEQUENCE};
use crate::event::Time;
use crate::proto::{Context, Dir, Next, Parser, Unfinished, Verdict};
use record::{Ldap as Operation, Search};
use wire::Request;

/// The extended operation that turns to TLS (RFC 4511, 4.14.1).
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
/// Bytes of one message that are read; the rest of it is passed over.
const MAX_MESSAGE: usize = 16 * 1024;
/// Requests without a response.
const MAX_PENDING: usize = 64;
/// Messages that are malformed after which this is not LDAP.
const MAX_VIOLATIONS: u32 = 16;

/// Whether bytes begin with a message of LDAP.
pub(crate) fn probe(bytes: &[u8], dir: Dir, _: bool) -> Verdict {
    if !b"\x30".starts_with(&bytes[..bytes.len().min(1)]) {
        return Verdict::No;
    }
    let Ok(head) = der::head(bytes) else {
        return Verdict::No;
    };
    let Some((_, length, header)) = head else {
        return Verdict::More;
    };
    let inside = &bytes[header..];
    match inside {
        _ if length < 5 => Verdict::No,
        [] | [2] => Verdict::More,
        [2, size @ 1..=4, rest @ ..] => match rest.get(usize::from(*size)) {
            None => Verdict::More,
            Some(tag) if dir == Dir::Orig && wire::is_request(*tag) => Verdict::Yes,
            Some(tag) if dir == Dir::Resp && wire::is_response(*tag) => Verdict::Yes,
            Some(_) => Verdict::No,
        },
        _ => Verdict::No,
    }
}

#[derive(Default)]
struct Side {
    partial: Unfinished,
    /// Bytes of a long message that are passed over.
    skip: usize,
    /// A gap: where the next message starts is unknown.
    lost: bool,
}

/// LDAP on one connection.
#[derive(Default)]
pub(crate) struct Ldap {
    /// Over UDP a message ends with its datagram.
    in_datagrams: bool,
    sides: [Side; 2],
    pending: VecDeque<(Time, Request)>,
    violations: u32,
    /// Whether SASL was used: what follows may be sealed.
    sasl: bool,
}

impl Ldap {
    /// Connectionless LDAP (MS-ADTS, 6.3.3).
    pub(crate) fn over_udp() -> Self {
        Self {
            in_datagrams: true,
            ..Self::default()
        }
    }

    /// One message, or the part of it that is there; returns how many bytes were used, 0 where more are needed.
    fn step(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Result<usize, Next> {
        let side = &mut self.sides[dir.index()];
        if side.lost {
            return Ok(bytes.len());
        }
        if side.skip > 0 {
            let used = side.skip.min(bytes.len());
            side.skip -= used;
            return Ok(used);
        }
        let (length, header) = match der::head(bytes) {
            Ok(None) => return Ok(0),
            Ok(Some((SEQUENCE, length, header))) => (length, header),
            _ if self.sasl => return Err(Next::Bulk),
            _ => return Err(Next::NotMine),
        };
        let whole = header.saturating_add(length);
        let read = whole.min(MAX_MESSAGE);
        let Some(message) = bytes.get(..read) else {
            return Ok(0);
        };
        side.skip = whole - read;
        match self.message(context, dir, message) {
            Ok(true) => Err(Next::Switch(usize::MAX)),
            Ok(false) => Ok(read),
            Err(der::Malformed) => {
                context.weird("ldap_malformed_message", None, Some("LDAP"));
                self.violations += 1;
                if self.violations > MAX_VIOLATIONS {
                    Err(Next::NotMine)
                } else {
                    Ok(read)
                }
            }
        }
    }

    /// Takes a message; true where TLS begins behind it.
    fn message(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Result<bool, der::Malformed> {
        let (id, operation) = wire::message(bytes)?;
        if dir == Dir::Resp {
            return self.response(context, id, &operation);
        }
        if !wire::is_request(operation.tag) {
            return Err(der::Malformed);
        }
        let request = wire::request(id, &operation)?;
        match request {
            // Nothing answers these.
            Request::Operation(operation) if matches!(operation.opcode, "unbind" | "abandon") => {
                context.emit(context.ts, operation);
            }
            request => {
                if let Request::Operation(operation) = &request {
                    self.sasl |= matches!(operation.opcode, "bind SASL" | "bind Sicily");
                }
                self.pending.push_back((context.ts, request));
                if self.pending.len() > MAX_PENDING {
                    context.weird("ldap_too_many_pending_requests", None, Some("LDAP"));
                    let oldest = self.pending.pop_front();
                    tell(context, oldest);
                }
            }
        }
        Ok(false)
    }

    fn response(
        &mut self,
        context: &mut Context<'_>,
        id: u64,
        operation: &der::Element<'_>,
    ) -> Result<bool, der::Malformed> {
        let place = self.pending.iter().position(|(_, request)| id_of(request) == id);
        match operation.tag {
            wire::ENTRY => {
                if let Some((_, Request::Search(search))) = place.and_then(|at| self.pending.get_mut(at)) {
                    search.result_count += 1;
                }
                return Ok(false);
            }
            // References and intermediate responses come before the last.
            0x73 | 0x79 => return Ok(false),
            tag if !wire::is_response(tag) => return Err(der::Malformed),
            _ => {}
        }
        let (result, said) = wire::result(operation)?;
        let asked = place.and_then(|at| self.pending.remove(at));
        let (ts, mut request) = asked.unwrap_or_else(|| (context.ts, unseen(id, operation.tag)));
        let turns = match &mut request {
            Request::Operation(operation) => {
                (operation.result, operation.diagnostic_message) = (Some(result), said);
                result == "success" && operation.object.as_deref() == Some(START_TLS)
            }
            Request::Search(search) => {
                (search.result, search.diagnostic_message) = (Some(result), said);
                false
            }
        };
        tell(context, Some((ts, request)));
        Ok(turns)
    }
}

fn id_of(request: &Request) -> u64 {
    match request {
        Request::Operation(operation) => operation.message_id,
        Request::Search(search) => search.message_id,
    }
}

/// A request of which only the response is there.
fn unseen(id: u64, tag: u8) -> Request {
    if tag == wire::SEARCH_DONE {
        return Request::Search(Search {
            message_id: id,
            ..Search::default()
        });
    }
    Request::Operation(Operation {
        message_id: id,
        opcode: names::opcode(tag),
        ..Operation::default()
    })
}

fn tell(context: &mut Context<'_>, request: Option<(Time, Request)>) {
    match request {
        Some((ts, Request::Operation(operation))) => context.emit(ts, operation),
        Some((ts, Request::Search(search))) => context.emit(ts, search),
        None => {}
    }
}

impl Parser for Ldap {
    fn name(&self) -> &'static str {
        "ldap"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        context.confirm("ldap");
        let mut unfinished = std::mem::take(&mut self.sides[dir.index()].partial);
        let result = unfinished.each(bytes, |bytes| self.step(context, dir, bytes));
        if self.in_datagrams {
            self.sides[dir.index()] = Side::default();
        } else {
            self.sides[dir.index()].partial = unfinished;
        }
        result.err().unwrap_or(Next::More)
    }

    fn is_transactional(&self) -> bool {
        self.in_datagrams
    }

    fn gap(&mut self, _: &mut Context<'_>, dir: Dir, n: u64) -> Next {
        let side = &mut self.sides[dir.index()];
        match usize::try_from(n) {
            Ok(n) if n <= side.skip => side.skip -= n,
            _ => {
                side.lost = true;
                side.partial = Unfinished::default();
            }
        }
        if self.sides.iter().all(|side| side.lost) {
            Next::Bulk
        } else {
            Next::More
        }
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        while let Some(request) = self.pending.pop_front() {
            tell(context, Some(request));
        }
    }
}

#[cfg(test)]
mod tests;
