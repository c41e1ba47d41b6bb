//! A Windows event log as an input: each record is an event, its place is the record's number.

use std::collections::VecDeque;

use crate::event::{Event, Time};
use crate::jsonl::Reader;
use crate::log::evtx::{EventLog, Record};
use crate::stats::{Report, Tally};

use super::objects;

/// An event log and the events of the chunk at hand.
pub struct Records {
    log: EventLog,
    reader: Reader,
    ready: VecDeque<(Event, u64)>,
    refused: u64,
    first: Option<String>,
    ended: bool,
}

impl Records {
    /// The records of `log`, read by `reader`.
    pub fn new(log: EventLog, reader: Reader) -> Self {
        Self {
            log,
            reader,
            ready: VecDeque::new(),
            refused: 0,
            first: None,
            ended: false,
        }
    }

    /// Reads on until an event is ready or the log ends.
    fn ahead(&mut self) {
        let Self {
            log,
            reader,
            ready,
            refused,
            first,
            ended,
        } = self;
        while ready.is_empty() && !*ended {
            let more = log.chunk(&mut |record: Record| match objects::event(reader, &record.json) {
                Ok((mut event, _)) => {
                    if event.ts == Time::default() {
                        event.ts = record.written;
                    }
                    ready.push_back((event, record.id));
                }
                Err(why) => {
                    *refused += 1;
                    first.get_or_insert_with(|| format!("record {}: {why}", record.id));
                }
            });
            *ended = !more;
        }
    }

    /// Time of the next event; `None` at the end.
    pub fn next_time(&mut self) -> Option<Time> {
        self.ahead();
        self.ready.front().map(|(event, _)| event.ts)
    }

    /// Gives out the next event; false at the end.
    pub fn step(&mut self, each: &mut dyn FnMut(&Event, u64)) -> bool {
        self.ahead();
        let Some((event, number)) = self.ready.pop_front() else {
            return false;
        };
        each(&event, number);
        self.reader.recycle(event);
        true
    }

    /// What was wrong with the file, known at its end.
    pub fn warnings(&self) -> Vec<String> {
        let refused = self.first.as_ref().map(|first| {
            let refused = self.refused;
            format!("{refused} records are no events, the first is {first}")
        });
        self.log.warnings().into_iter().chain(refused).collect()
    }
}

impl Report for Records {
    fn report(&self, tally: &mut Tally) {
        self.log.report(tally);
        tally.add("evtx.dropped{no event}", self.refused);
    }
}
