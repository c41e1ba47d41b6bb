//! Kerberos (RFC 4120) between clients and distribution centers: who asked for which ticket, and what came of it.
//!
//! One event per request and its answer, with Zeek's names; what it leaves out in its own setting, an error that only asks
//! for pre-authentication, is left out here too: every log-in begins with one.

mod names;
mod pkinit;
pub(super) mod record;
mod wire;

use crate::event::{ConnId, Time, Transport};
use crate::proto::{Context, Dir, Next, Parser, Unfinished, Verdict, text};
use record::Kerberos as Transaction;
use wire::{Kind, Message};

/// Requests of one connection that wait for their answer; above it the oldest is emitted as it is.
const MAX_PENDING: usize = 16;
/// Bytes of one message over TCP that are kept: tickets of members of many groups have tens of thousands.
const MAX_MESSAGE: usize = 64 * 1024;
/// What claims to be longer is none.
const MAX_CLAIMED: usize = 1 << 24;
/// Messages that are no Kerberos before the connection is given up.
const MAX_VIOLATIONS: u8 = 16;
/// Bytes of a head that are enough to tell.
const HEAD: usize = 17;
/// What centers say to clients that have to prove themselves first: MIT's words and those of Windows.
const ASKS_FOR_PROOF: [&str; 2] = ["NEEDED_PREAUTH", "Need to use PA-ENC-TIMESTAMP/PA-PK-AS-REQ"];

/// Whether a datagram is a message, of the length that it says on a port of nobody.
pub(crate) fn probe_datagram(bytes: &[u8], _: Dir, usual: bool) -> Verdict {
    match wire::start(bytes) {
        Some(length) if usual || length == bytes.len() => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// Whether a TCP stream starts with a message behind its length (RFC 4120, 7.2.2).
pub(crate) fn probe_stream(bytes: &[u8], _: Dir, usual: bool) -> Verdict {
    let Some((length, message)) = bytes.split_first_chunk::<4>() else {
        return Verdict::More;
    };
    let length = u32::from_be_bytes(*length) as usize;
    if !(HEAD..=MAX_CLAIMED).contains(&length) {
        return Verdict::No;
    }
    match wire::start(message) {
        Some(says) if usual || says == length => Verdict::Yes,
        None if message.len() < HEAD => Verdict::More,
        _ => Verdict::No,
    }
}

/// One direction of a TCP connection.
#[derive(Default)]
struct Side {
    partial: Unfinished,
    /// Bytes of a message too long to keep that are still to come.
    skip: usize,
    lost: bool,
}

struct Pending {
    started: Time,
    nonce: Option<i64>,
    transaction: Transaction,
}

/// Kerberos of one connection.
pub(crate) struct Kerberos {
    /// TCP only.
    sides: Option<[Side; 2]>,
    pending: Vec<Pending>,
    violations: u8,
    begun: bool,
}

impl Kerberos {
    pub(crate) fn new(id: &ConnId) -> Self {
        Self {
            sides: (id.transport == Transport::Tcp).then(Default::default),
            pending: Vec::new(),
            violations: 0,
            begun: false,
        }
    }

    fn message(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Result<(), Next> {
        let Some(message) = Message::parse(bytes) else {
            self.violations += 1;
            return if self.violations >= MAX_VIOLATIONS {
                Err(Next::NotMine)
            } else {
                Ok(())
            };
        };
        context.confirm(if self.sides.is_some() { "krb_tcp" } else { "krb" });
        if message.damaged {
            context.weird("kerberos_malformed_message", None, Some("KRB"));
        }
        let is_request = matches!(message.kind, Kind::Request(_));
        // Datagrams that start with an answer were asked for by the other end.
        if !std::mem::replace(&mut self.begun, true) && dir == Dir::Orig && !is_request && self.sides.is_none() {
            context.head.turn_over();
        }
        if is_request {
            self.asked(context, message);
        } else {
            self.answered(context, message);
        }
        Ok(())
    }

    fn asked(&mut self, context: &mut Context<'_>, message: Message<'_>) {
        // A client that hears nothing asks again with the same number.
        let again = |waits: &Pending| waits.nonce == message.nonce && Some(message.kind) == waits.transaction.request();
        if message.nonce.is_some() && self.pending.iter().any(again) {
            return;
        }
        if self.pending.len() >= MAX_PENDING {
            let oldest = self.pending.remove(0);
            context.emit(oldest.started, oldest.transaction);
        }
        let (started, nonce) = (context.ts, message.nonce);
        let mut transaction = Transaction::new();
        transaction.take(message);
        self.pending.push(Pending {
            started,
            nonce,
            transaction,
        });
    }

    fn answered(&mut self, context: &mut Context<'_>, message: Message<'_>) {
        // An answer has no number in clear. Of the requests that it may answer, the first for the same service.
        let answers = |waits: &Pending| match message.kind {
            Kind::Reply(exchange) => waits.transaction.request() == Some(Kind::Request(exchange)),
            _ => true,
        };
        let same = |waits: &Pending| waits.transaction.service() == message.service.as_deref();
        let place = self
            .pending
            .iter()
            .position(|waits| answers(waits) && same(waits))
            .or_else(|| self.pending.iter().position(answers));
        let mut entry = match place {
            Some(place) => self.pending.remove(place),
            None => Pending {
                started: context.ts,
                nonce: None,
                transaction: Transaction::new(),
            },
        };
        if message
            .error_text
            .as_deref()
            .is_some_and(|text| ASKS_FOR_PROOF.contains(&text))
        {
            return;
        }
        entry.transaction.take(message);
        context.emit(entry.started, entry.transaction);
    }

    /// Takes what is whole at the start of a stream: how many bytes, none where the end of a message has not come.
    fn step(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8], skip: &mut usize) -> Result<usize, Next> {
        let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
            return Ok(0);
        };
        let length = u32::from_be_bytes(*length) as usize;
        // The highest bit asks for an extension that nobody has (RFC 5021): no length to go on by.
        if length > MAX_CLAIMED {
            return Err(Next::NotMine);
        }
        if length > MAX_MESSAGE && rest.len() >= MAX_MESSAGE {
            self.message(context, dir, &rest[..rest.len().min(length)])?;
            *skip = length - rest.len().min(length);
            return Ok(4 + rest.len().min(length));
        }
        let Some(message) = rest.get(..length) else {
            return Ok(0);
        };
        self.message(context, dir, message)?;
        Ok(4 + length)
    }

    fn stream(&mut self, context: &mut Context<'_>, dir: Dir, side: &mut Side, bytes: &[u8]) -> Result<(), Next> {
        let skipped = side.skip.min(bytes.len());
        side.skip -= skipped;
        let skip = &mut side.skip;
        side.partial
            .each(&bytes[skipped..], |bytes| self.step(context, dir, bytes, skip))
    }
}

impl Parser for Kerberos {
    fn name(&self) -> &'static str {
        "krb"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        let Some(sides) = &mut self.sides else {
            return self.message(context, dir, bytes).err().unwrap_or(Next::More);
        };
        let mut side = std::mem::take(&mut sides[dir.index()]);
        let result = if side.lost {
            Ok(())
        } else {
            self.stream(context, dir, &mut side, bytes)
        };
        if let Some(sides) = &mut self.sides {
            sides[dir.index()] = side;
        }
        result.err().unwrap_or(Next::More)
    }

    fn gap(&mut self, _: &mut Context<'_>, dir: Dir, bytes: u64) -> Next {
        let Some(sides) = &mut self.sides else {
            return Next::More;
        };
        let side = &mut sides[dir.index()];
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes > 0 && bytes <= side.skip {
            side.skip -= bytes;
            return Next::More;
        }
        // Without the length of the next message there is no way back in.
        *side = Side {
            lost: true,
            ..Side::default()
        };
        if sides.iter().all(|side| side.lost) {
            Next::Bulk
        } else {
            Next::More
        }
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        for waits in std::mem::take(&mut self.pending) {
            context.emit(waits.started, waits.transaction);
        }
    }
}

#[cfg(test)]
mod tests;
