//! DNS (RFC 1035) over UDP and TCP, multicast DNS (RFC 6762), LLMNR (RFC 4795) and `NetBIOS` names (RFC 1002).
//!
//! One event per transaction, as Zeek has it: a query and its reply, or whichever of both was seen.

mod names;
pub(super) mod record;
mod wire;

use crate::event::{ConnId, Time, Transport};
use crate::proto::{Context, Dir, Next, Parser, Unfinished, Verdict};
use record::Dns as Transaction;
use wire::{Message, Stop};

/// Transactions of one connection that wait for their other half; above it the oldest is emitted as it is.
const MAX_PENDING: usize = 64;
/// More questions than this are not DNS (Zeek: 25).
const MAX_QUESTIONS: u16 = 25;
const NETBIOS: u16 = 137;
const MULTICAST: u16 = 5353;

/// Whether a datagram is DNS.
pub(crate) fn probe_datagram(bytes: &[u8], _: Dir, usual: bool) -> Verdict {
    if wire::header(bytes).is_some_and(|header| header.questions <= MAX_QUESTIONS) && (usual || wire::is_sound(bytes)) {
        Verdict::Yes
    } else {
        Verdict::No
    }
}

/// Whether a TCP stream starts with a DNS message behind its length.
pub(crate) fn probe_stream(bytes: &[u8], _: Dir, usual: bool) -> Verdict {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else {
        return Verdict::More;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    if length < wire::HEADER {
        return Verdict::No;
    }
    let Some(header) = wire::header(rest) else {
        return Verdict::More;
    };
    if header.questions == 0 || header.questions > MAX_QUESTIONS || !header.is_plausible() {
        return Verdict::No;
    }
    if usual {
        return Verdict::Yes;
    }
    match rest.get(..length) {
        Some(message) if wire::is_sound(message) => Verdict::Yes,
        Some(_) => Verdict::No,
        None if rest.len() > 512 => Verdict::No,
        None => Verdict::More,
    }
}

/// DNS of one connection.
pub(crate) struct Dns {
    proto: &'static str,
    netbios: bool,
    /// Bytes of an unfinished message, by direction; TCP only.
    partial: Option<[Unfinished; 2]>,
    pending: Vec<Pending>,
    lost: [bool; 2],
    /// Multicast DNS: messages have no number, and replies answer nobody in particular.
    unpaired: bool,
    begun: bool,
}

struct Pending {
    is_query: bool,
    started: Time,
    transaction: Transaction,
}

impl Dns {
    pub(crate) fn over_udp(id: &ConnId) -> Self {
        let netbios = id.resp_p == NETBIOS;
        Self {
            proto: "udp",
            netbios,
            partial: None,
            pending: Vec::new(),
            lost: [false; 2],
            unpaired: id.resp_p == MULTICAST,
            begun: false,
        }
    }

    pub(crate) fn over_tcp(id: &ConnId) -> Self {
        debug_assert_eq!(id.transport, Transport::Tcp);
        let partial = Some(<[Unfinished; 2]>::default());
        Self {
            proto: "tcp",
            netbios: false,
            partial,
            pending: Vec::new(),
            lost: [false; 2],
            unpaired: false,
            begun: false,
        }
    }

    fn message(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(Stop::NotMine) => return Next::NotMine,
        };
        if message.header.questions > MAX_QUESTIONS {
            context.weird("DNS_Conn_count_too_large", None, Some("DNS"));
            return Next::NotMine;
        }
        context.confirm("dns");
        if let Some(name) = message.damage {
            context.weird(name, None, Some("DNS"));
        }
        let is_query = !message.header.is_response();
        // A connection that starts with an answer was asked for by the other end, as far as there is one.
        let to_many = context.head.id.resp_h.is_multicast() || self.partial.is_some();
        if !std::mem::replace(&mut self.begun, true) && dir == Dir::Orig && !is_query && !to_many {
            context.head.turn_over();
        }
        // The other half of the oldest transaction with this number.
        let other = self.pending.iter().position(|waits| {
            !self.unpaired && waits.is_query != is_query && waits.transaction.id == message.header.id
        });
        let mut entry = match other {
            Some(index) => self.pending.remove(index),
            None => Pending {
                is_query,
                started: context.ts,
                transaction: Transaction::new(self.proto, message.header.id, self.netbios),
            },
        };
        entry.transaction.take(&message, context.ts.0 - entry.started.0);
        if other.is_some() || self.unpaired {
            context.emit(entry.started, entry.transaction);
        } else {
            if self.pending.len() >= MAX_PENDING {
                let oldest = self.pending.remove(0);
                context.emit(oldest.started, oldest.transaction);
            }
            self.pending.push(entry);
        }
        Next::More
    }
}

impl Parser for Dns {
    fn name(&self) -> &'static str {
        "dns"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        if self.lost[dir.index()] {
            return Next::More;
        }
        let Some(partial) = &mut self.partial else {
            return self.message(context, dir, bytes);
        };
        let mut unfinished = std::mem::take(&mut partial[dir.index()]);
        let result = unfinished.feed(bytes, |bytes| {
            let mut rest = bytes;
            while let Some((length, after)) = rest.split_first_chunk::<2>() {
                let length = usize::from(u16::from_be_bytes(*length));
                let Some(message) = after.get(..length) else { break };
                rest = &after[length..];
                if self.message(context, dir, message) == Next::NotMine {
                    return Err(Next::NotMine);
                }
            }
            Ok(bytes.len() - rest.len())
        });
        if let Some(partial) = &mut self.partial {
            partial[dir.index()] = unfinished;
        }
        result.err().unwrap_or(Next::More)
    }

    fn is_transactional(&self) -> bool {
        self.partial.is_none()
    }

    fn gap(&mut self, _: &mut Context<'_>, dir: Dir, _: u64) -> Next {
        // Without the length of the next message there is no way back in.
        self.lost[dir.index()] = true;
        if let Some(partial) = &mut self.partial {
            partial[dir.index()] = Unfinished::default();
        }
        if self.lost == [true; 2] { Next::Bulk } else { Next::More }
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        for pending in std::mem::take(&mut self.pending) {
            context.emit(pending.started, pending.transaction);
        }
    }
}

#[cfg(test)]
mod tests;
