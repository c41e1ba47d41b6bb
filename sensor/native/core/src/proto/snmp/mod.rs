//! SNMP: who reads devices and who writes to them, and whether with a community that everybody knows.
//!
//! One event per connection, as Zeek has it.

pub(super) mod record;
mod wire;

use crate::proto::{Context, Dir, Next, Parser, Verdict, text};
use record::Snmp as Session;
use wire::Message;

/// Datagrams that are no SNMP before the connection is given up.
const MAX_VIOLATIONS: u8 = 16;

/// Whether a datagram is a message; on a port of nobody a whole one without a fault.
pub(crate) fn probe(bytes: &[u8], _: Dir, usual: bool) -> Verdict {
    match Message::parse(bytes) {
        Some(message) if usual || !(message.is_cut || message.damaged) => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// SNMP of one connection.
#[derive(Default)]
pub(crate) struct Snmp {
    session: Option<Session>,
    violations: u8,
}

impl Parser for Snmp {
    fn name(&self) -> &'static str {
        "snmp"
    }

    fn data(&mut self, context: &mut Context<'_>, _: Dir, bytes: &[u8]) -> Next {
        let Some(message) = Message::parse(bytes) else {
            self.violations += 1;
            return if self.violations >= MAX_VIOLATIONS {
                Next::NotMine
            } else {
                Next::More
            };
        };
        context.confirm("snmp");
        if message.damaged {
            context.weird("snmp_malformed_message", None, Some("SNMP"));
        }
        self.session
            .get_or_insert_with(|| Session::new(context.ts, message.version))
            .take(context.ts, &message);
        Next::More
    }

    fn gap(&mut self, _: &mut Context<'_>, _: Dir, _: u64) -> Next {
        Next::Bulk
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        if let Some(session) = self.session.take() {
            context.emit(session.first(), session);
        }
    }
}

#[cfg(test)]
mod tests;
