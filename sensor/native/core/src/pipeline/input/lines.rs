//! A log file as an input: its lines, as the source definitions read them.

use std::collections::VecDeque;

use super::read::{Part, Reading};
use crate::event::Event;
use crate::log::frame::{Framer, LIMIT};
use crate::log::lines::Sender;
use crate::stats::{Report, Tally};

/// Lines of one sender.
pub struct Lines {
    framer: Framer,
    sender: Box<Sender>,
}

impl Lines {
    /// Lines that `sender` reads.
    pub fn new(sender: Sender) -> Self {
        Self {
            framer: Framer::new(0, LIMIT),
            sender: Box::new(sender),
        }
    }
}

impl Reading for Lines {
    fn take(&mut self, part: Part<'_>, ready: &mut VecDeque<(Event, u64)>) -> u64 {
        let Self { framer, sender } = self;
        let before = framer.too_long;
        let mut line = |line: crate::log::frame::Line<'_>| {
            sender.line(line.bytes, &mut |event| ready.push_back((event, line.offset)));
        };
        match part {
            Part::Bytes(bytes) => framer.push(bytes, &mut line),
            Part::End => framer.finish(&mut line),
        }
        sender.too_long(framer.too_long - before);
        framer.settled()
    }

    fn warnings(&self) -> Vec<String> {
        let (unmatched, received) = (self.sender.account.unmatched, self.sender.account.received);
        if unmatched == 0 {
            return Vec::new();
        }
        let example = self.sender.samples().first().map_or("", String::as_str);
        let example: String = example.chars().take(80).collect();
        vec![format!(
            "no source definition claims {unmatched} of {received} lines, the first: {example:?}"
        )]
    }
}

impl Report for Lines {
    fn report(&self, tally: &mut Tally) {
        self.sender.report(tally);
    }
}
