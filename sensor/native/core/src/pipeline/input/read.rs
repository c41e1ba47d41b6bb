//! A text file read in blocks: whoever reads its text makes events of each block.

use std::collections::VecDeque;
use std::io::{self, Read as _};

use super::bytes::Source;
use crate::event::{Event, Time};
use crate::stats::{Report, Tally};

/// Text is read in small blocks: few events wait at a time, and their memory is used again while it is still near.
const BLOCK: usize = 8 * 1024;

/// What comes next of a text.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Nothing more.
    End,
}

/// Makes events of a text that comes in parts.
pub trait Reading: Report {
    /// Takes a part; adds the events that it ends, with their offsets. Returns up to where the text is done with.
    fn take(&mut self, part: Part<'_>, ready: &mut VecDeque<(Event, u64)>) -> u64;

    /// What was wrong with the text, known at its end.
    fn warnings(&self) -> Vec<String>;
}

/// A text file.
pub struct Text {
    source: Source,
    reading: Box<dyn Reading + Send>,
    ready: VecDeque<(Event, u64)>,
    block: Vec<u8>,
    ended: bool,
    cut: Option<String>,
}

impl Text {
    /// `source`, read by `reading`.
    pub fn new(source: Source, reading: Box<dyn Reading + Send>) -> Self {
        Self {
            source,
            reading,
            ready: VecDeque::new(),
            block: vec![0; BLOCK],
            ended: false,
            cut: None,
        }
    }

    /// Reads on until an event is ready or the file ends.
    fn ahead(&mut self) {
        while self.ready.is_empty() && !self.ended {
            let Self {
                source,
                reading,
                ready,
                block,
                ended,
                cut,
            } = self;
            match source.read(block) {
                Ok(0) => {
                    *ended = true;
                    reading.take(Part::End, ready);
                }
                Ok(n) => {
                    reading.take(Part::Bytes(&block[..n]), ready);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    *ended = true;
                    let at = reading.take(Part::End, ready);
                    *cut = Some(format!(
                        "cut short at byte {at} ({error}); everything before it was read"
                    ));
                }
            }
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
        let Some((event, offset)) = self.ready.pop_front() else {
            return false;
        };
        each(&event, offset);
        true
    }

    /// What was wrong with the file, known at its end.
    pub fn warnings(&self) -> Vec<String> {
        self.cut.iter().cloned().chain(self.reading.warnings()).collect()
    }
}

impl Report for Text {
    fn report(&self, tally: &mut Tally) {
        self.reading.report(tally);
    }
}
