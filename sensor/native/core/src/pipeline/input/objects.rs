//! A file of JSON objects as an input: one event each, however they are laid out. What is no event costs itself alone.

use std::collections::VecDeque;

use super::read::{Part, Reading};
use crate::event::{Event, LogSource};
use crate::jsonl::{LineError, MAX_LINE, Reader};
use crate::log::documents::{Broken, Documents, Sink};
use crate::log::mend::mend;
use crate::stats::{Report, Tally};

/// Lines that a warning names beside the first.
const NAMED: usize = 8;

/// JSON objects of one log source.
pub struct Objects {
    documents: Documents,
    events: Events,
}

/// Objects to events, with the accounts.
struct Events {
    reader: Reader,
    ready: VecDeque<(Event, u64)>,
    read: u64,
    mended: u64,
    refused: u64,
    first: Option<String>,
    more: Vec<u64>,
}

impl Objects {
    /// Objects, read by `reader`.
    pub fn new(reader: Reader) -> Self {
        Self {
            documents: Documents::new(MAX_LINE),
            events: Events {
                reader,
                ready: VecDeque::new(),
                read: 0,
                mended: 0,
                refused: 0,
                first: None,
                more: Vec::new(),
            },
        }
    }
}

/// The objects of a text, mended where that is needed.
///
/// # Errors
/// The first thing in it that is no event.
pub fn cut(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    struct Raw(Vec<Vec<u8>>, Option<String>, Reader);
    impl Sink for Raw {
        type Refusal = LineError;

        fn document(&mut self, bytes: &[u8], _: u64) -> Result<(), LineError> {
            let (_, mended) = event(&mut self.2, bytes)?;
            let mended = if mended { mend(bytes) } else { None };
            self.0.push(mended.unwrap_or_else(|| bytes.to_vec()));
            Ok(())
        }

        fn refused(&mut self, line: u64, why: LineError) {
            self.1.get_or_insert_with(|| format!("line {line}: {why}"));
        }

        fn broken(&mut self, line: u64, why: Broken) {
            self.refused(line, told(why));
        }
    }
    let mut raw = Raw(Vec::new(), None, Reader::new(LogSource::default()));
    let mut documents = Documents::new(MAX_LINE);
    documents.push(text, &mut raw);
    documents.finish(&mut raw);
    match raw.1 {
        Some(why) => Err(format!("the event cannot be read: {why}")),
        None => Ok(raw.0),
    }
}

fn told(broken: Broken) -> LineError {
    match broken {
        Broken::NoObject => LineError::Syntax("something stands where an object should begin".to_owned()),
        Broken::Syntax => LineError::Syntax("its brackets and what stands between them do not fit".to_owned()),
        Broken::Cut => LineError::Syntax("the input ends in it".to_owned()),
        Broken::TooLarge => LineError::TooLarge,
    }
}

/// The event of one object, mended where a strict reader refuses it; whether it was mended.
///
/// # Errors
/// [`LineError`] of the object as it came.
pub fn event(reader: &mut Reader, bytes: &[u8]) -> Result<(Event, bool), LineError> {
    let repaired = reader.repaired();
    match reader.event(bytes) {
        Ok(event) => Ok((event, reader.repaired() > repaired)),
        Err(LineError::Syntax(what)) => match mend(bytes).and_then(|mended| reader.event(&mended).ok()) {
            Some(event) => Ok((event, true)),
            None => Err(LineError::Syntax(what)),
        },
        Err(error) => Err(error),
    }
}

impl Events {
    fn lost(&mut self, line: u64, why: &LineError) {
        self.refused += 1;
        if self.first.is_none() {
            self.first = Some(format!("line {line}: {why}"));
        } else if self.more.len() <= NAMED {
            self.more.push(line);
        }
    }
}

impl Sink for Events {
    type Refusal = LineError;

    fn document(&mut self, bytes: &[u8], offset: u64) -> Result<(), LineError> {
        let (event, mended) = event(&mut self.reader, bytes)?;
        self.read += 1;
        self.mended += u64::from(mended);
        self.ready.push_back((event, offset));
        Ok(())
    }

    fn refused(&mut self, line: u64, why: LineError) {
        self.lost(line, &why);
    }

    fn broken(&mut self, line: u64, why: Broken) {
        self.lost(line, &told(why));
    }
}

impl Reading for Objects {
    fn take(&mut self, part: Part<'_>, ready: &mut VecDeque<(Event, u64)>) -> u64 {
        let Self { documents, events } = self;
        std::mem::swap(&mut events.ready, ready);
        match part {
            Part::Bytes(bytes) => documents.push(bytes, events),
            Part::End => documents.finish(events),
        }
        std::mem::swap(&mut events.ready, ready);
        documents.settled()
    }

    fn warnings(&self) -> Vec<String> {
        let Events {
            read,
            mended,
            refused,
            first,
            more,
            ..
        } = &self.events;
        let lost = first.as_ref().map(|first| {
            let mut also: Vec<String> = more.iter().take(NAMED).map(u64::to_string).collect();
            if more.len() > NAMED {
                also.push("more".to_owned());
            }
            let also = if also.is_empty() {
                String::new()
            } else {
                format!("; also {}", also.join(", "))
            };
            format!(
                "{refused} of {} lines are no events, the first is {first}{also}",
                read + refused
            )
        });
        let mended = (*mended > 0).then(|| {
            format!(
                "{mended} events held bytes, escapes or numbers that JSON does not allow; they were replaced and the events read"
            )
        });
        lost.into_iter().chain(mended).collect()
    }
}

impl Report for Objects {
    fn report(&self, tally: &mut Tally) {
        let events = &self.events;
        tally.add("jsonl.lines", events.read + events.refused);
        tally.add("jsonl.mended", events.mended);
        tally.add("jsonl.dropped{no event}", events.refused);
    }
}
