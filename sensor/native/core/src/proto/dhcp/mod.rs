//! DHCP (RFC 2131): who is on the network, under which name, and who hands out its addresses.
//!
//! One event per transaction number, as Zeek has it: its messages come over several connections (broadcasts and unicasts),
//! so that what is under way belongs to all of them, in [`Leases`].

pub(super) mod record;
mod wire;

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::event::{Body, Event, EventSink, Time};
use crate::proto::{Context, Dir, Next, Parser, Verdict};
use crate::stats::{Report, Tally};
use record::Dhcp as Transaction;
use wire::Message;

/// Transactions under way; above it the oldest is emitted as it is.
const MAX_PENDING: usize = 4096;
/// Zeek's limits of one event: messages and connections.
const MAX_MESSAGES: usize = 50;
const MAX_UIDS: usize = 10;
/// Nanoseconds without a message, and in all, after which a transaction is over (Zeek's).
const QUIET: i64 = 5 * 1_000_000_000;
const LONGEST: i64 = 30 * 1_000_000_000;
/// Datagrams that are no DHCP before the connection is given up.
const MAX_VIOLATIONS: u8 = 16;

/// Whether a datagram is DHCP: the magic number behind the fixed fields.
pub(crate) fn probe(bytes: &[u8], _: Dir, _: bool) -> Verdict {
    if wire::is_message(bytes) {
        Verdict::Yes
    } else {
        Verdict::No
    }
}

/// Transactions of all connections.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    pending: HashMap<u32, Transaction, foldhash::fast::RandomState>,
    /// Numbers in the order their transactions began; some may be over already.
    order: VecDeque<(u32, Time)>,
    evicted: u64,
}

impl Leases {
    /// Emits what is over at `now`.
    pub(crate) fn expire(&mut self, now: Time, sink: &mut dyn EventSink) {
        for _ in 0..self.order.len() {
            let Some(&(xid, began)) = self.order.front() else {
                return;
            };
            if began.0.saturating_add(QUIET) >= now.0 {
                return;
            }
            self.order.pop_front();
            let Some(waits) = self.pending.get(&xid).filter(|waits| waits.first == began) else {
                continue;
            };
            if waits.last.0.saturating_add(QUIET) < now.0 || began.0.saturating_add(LONGEST) < now.0 {
                self.emit(xid, sink);
            } else {
                self.order.push_back((xid, began));
            }
        }
    }

    /// Whether [`Self::expire`] may have something to do at `now`.
    pub(crate) fn is_due(&self, now: Time) -> bool {
        self.order
            .front()
            .is_some_and(|(_, began)| began.0.saturating_add(QUIET) < now.0)
    }

    /// Emits everything.
    pub(crate) fn finish(&mut self, sink: &mut dyn EventSink) {
        while let Some((xid, began)) = self.order.pop_front() {
            if self.pending.get(&xid).is_some_and(|waits| waits.first == began) {
                self.emit(xid, sink);
            }
        }
    }

    fn take(&mut self, context: &mut Context<'_>, dir: Dir, kind: u8, message: &Message<'_>) {
        let (ts, uid, id) = (context.ts, context.head.uid, context.head.id);
        let sender = if dir == Dir::Orig { id.orig_h } else { id.resp_h };
        if !self.pending.contains_key(&message.xid) {
            while self.order.len() >= MAX_PENDING {
                let Some((oldest, began)) = self.order.pop_front() else {
                    break;
                };
                if self.pending.get(&oldest).is_some_and(|waits| waits.first == began) {
                    self.evicted += 1;
                    self.emit(oldest, context.sink);
                }
            }
            self.order.push_back((message.xid, ts));
        }
        let waits = self
            .pending
            .entry(message.xid)
            .or_insert_with(|| Transaction::new(ts, uid));
        waits.take(ts, uid, sender, kind, message);
        if waits.msg_types.len() >= MAX_MESSAGES || waits.uids.len() >= MAX_UIDS {
            self.emit(message.xid, context.sink);
        }
    }

    fn emit(&mut self, xid: u32, sink: &mut dyn EventSink) {
        if let Some(over) = self.pending.remove(&xid) {
            sink.event(Event {
                ts: over.first,
                uid: Some(over.uid),
                conn: None,
                body: Body::Typed(Box::new(over)),
            });
        }
    }
}

impl Report for Leases {
    fn report(&self, tally: &mut Tally) {
        tally.add("dhcp.pending", self.pending.len() as u64);
        tally.add("dhcp.dropped{evicted}", self.evicted);
    }
}

/// DHCP of one connection.
#[derive(Default)]
pub(crate) struct Dhcp {
    violations: u8,
}

impl Parser for Dhcp {
    fn name(&self) -> &'static str {
        "dhcp"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        let Some(message) = Message::parse(bytes) else {
            self.violations += 1;
            return if self.violations >= MAX_VIOLATIONS {
                Next::NotMine
            } else {
                Next::More
            };
        };
        context.confirm("dhcp");
        if message.damaged {
            context.weird("DHCP_malformed_option", None, Some("DHCP"));
        }
        let Some(kind) = message.options.kind else {
            context.weird("DHCP_no_type_option", None, Some("DHCP"));
            return Next::More;
        };
        let limits = context.limits;
        if let Ok(mut leases) = limits.leases.try_borrow_mut() {
            leases.take(context, dir, kind, &message);
        }
        Next::More
    }

    fn gap(&mut self, _: &mut Context<'_>, _: Dir, _: u64) -> Next {
        Next::Bulk
    }

    fn finish(&mut self, _: &mut Context<'_>) {}
}

/// An option's text, without the zeros that some clients end it with.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    super::text(&bytes[..end])
}

#[cfg(test)]
mod tests;
