//! Windows event logs (EVTX) as JSON records, in the shape that [`crate::sigma::jsonl`] reads: attributes under `#attributes`.
//!
//! The file is read chunk by chunk (64 KiB), in the order of its records: a full log is written over from its beginning. What
//! is damaged is skipped, counted and said. Decoding is the `evtx` crate's.

use std::error::Error;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use evtx::{EvtxChunkData, EvtxChunkHeader, ParserSettings};

use crate::event::Time;
use crate::stats::{Report, Tally};

/// What an event log begins with.
pub const MAGIC: &[u8] = b"ElfFile\0";
/// Chunks follow the file's header, which is not needed to find them.
const HEADER: u64 = 4096;
const CHUNK: usize = 64 * 1024;
/// A chunk's header.
const CHUNK_HEADER: usize = 512;

/// Opens the log from its beginning; it is read more than once.
pub type Open = dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number in the log.
    pub id: u64,
    /// When it was written.
    pub written: Time,
    /// The event as a JSON object.
    pub json: Vec<u8>,
}

/// What was read and what was lost.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    chunks: u64,
    bad_chunks: u64,
    records: u64,
    bad_records: u64,
}

/// An event log that is read once, in the order of its records.
pub struct EventLog {
    open: Box<Open>,
    source: Box<dyn Read + Send>,
    settings: Arc<ParserSettings>,
    /// Chunks of the file, whole or not.
    count: u64,
    oldest: u64,
    next: u64,
    wrapped: bool,
    buffer: Vec<u8>,
    counts: Counts,
    /// The first record or chunk that was lost.
    first_loss: Option<String>,
    /// How the file ends, when not as it should.
    cut: Option<String>,
}

impl EventLog {
    /// Looks through the chunks' headers for the oldest.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn new(open: Box<Open>) -> io::Result<Self> {
        let mut log = Self {
            source: open()?,
            open,
            settings: Arc::new(ParserSettings::new().indent(false)),
            count: 0,
            oldest: 0,
            next: 0,
            wrapped: false,
            buffer: Vec::new(),
            counts: Counts::default(),
            first_loss: None,
            cut: None,
        };
        log.survey();
        log.rewind(log.oldest)?;
        Ok(log)
    }

    fn survey(&mut self) {
        let mut lowest = u64::MAX;
        let header = skip(&mut self.source, HEADER);
        if header.1 < HEADER {
            self.cut = Some(ending(header.1, header.0.as_ref()));
            return;
        }
        loop {
            let (failure, have) = self.fill();
            if have == 0 && failure.is_none() {
                return;
            }
            let number = self.count;
            self.count += u64::from(have > 0);
            if have >= CHUNK_HEADER
                && let Ok(chunk) = EvtxChunkHeader::from_bytes(&self.buffer)
                && chunk.first_event_record_id <= chunk.last_event_record_id
                && chunk.first_event_record_id < lowest
            {
                (lowest, self.oldest) = (chunk.first_event_record_id, number);
            }
            if have < CHUNK {
                self.cut = Some(ending(HEADER + number * CHUNK as u64 + have as u64, failure.as_ref()));
                return;
            }
        }
    }

    /// Reads a chunk into the buffer: what stopped it, and how many bytes there were. The rest of the buffer is zero.
    fn fill(&mut self) -> (Option<io::Error>, usize) {
        self.buffer.clear();
        self.buffer.resize(CHUNK, 0);
        let mut have = 0;
        while have < CHUNK {
            match self.source.read(&mut self.buffer[have..]) {
                Ok(0) => break,
                Ok(n) => have += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (Some(error), have),
            }
        }
        (None, have)
    }

    fn rewind(&mut self, chunk: u64) -> io::Result<()> {
        self.source = (self.open)()?;
        self.next = chunk;
        skip(&mut self.source, HEADER + chunk * CHUNK as u64);
        Ok(())
    }

    /// Gives the records of the next chunk to `each`; false at the end.
    pub fn chunk(&mut self, each: &mut dyn FnMut(Record)) -> bool {
        let end = if self.wrapped { self.oldest } else { self.count };
        if self.next >= end {
            if self.wrapped || self.oldest == 0 || self.rewind(0).is_err() {
                return false;
            }
            self.wrapped = true;
            return true;
        }
        self.fill();
        let number = self.next;
        self.next += 1;
        if self.buffer.iter().all(|byte| *byte == 0) {
            return true; // room that the log has not used yet
        }
        self.counts.chunks += 1;
        let data = std::mem::take(&mut self.buffer);
        let Self {
            settings,
            counts,
            first_loss,
            ..
        } = self;
        let settings = Arc::clone(settings);
        let (mut records, mut lost) = (0, 0);
        let mut note = |what: String| {
            first_loss.get_or_insert(what);
        };
        // The decoder is another's: should it fail, that costs the chunk.
        let read = catch_unwind(AssertUnwindSafe(|| {
            let mut chunk = EvtxChunkData::new(data, false)?;
            chunk.number = Some(number);
            let mut chunk = chunk.parse(settings)?;
            for record in chunk.iter() {
                match record.and_then(evtx::EvtxRecord::into_json_bytes) {
                    Ok(record) => {
                        records += 1;
                        each(Record {
                            id: record.event_record_id,
                            written: Time(i64::try_from(record.timestamp.as_nanosecond()).unwrap_or(0)),
                            json: record.data,
                        });
                    }
                    Err(error) => {
                        lost += 1;
                        note(told(&error));
                    }
                }
            }
            Ok::<(), evtx::err::ChunkError>(())
        }));
        counts.records += records;
        counts.bad_records += lost;
        let place = HEADER + number * CHUNK as u64;
        match read {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                counts.bad_chunks += 1;
                note(format!("chunk {number} (file offset {place:#x}): {}", told(&error)));
            }
            Err(_) => {
                counts.bad_chunks += 1;
                note(format!("chunk {number} (file offset {place:#x}): its decoder failed"));
            }
        }
        true
    }

    /// What was wrong with the file, known at its end.
    pub fn warnings(&self) -> Vec<String> {
        let Counts {
            bad_chunks,
            bad_records,
            records,
            chunks,
        } = self.counts;
        let loss = self.first_loss.as_ref().map(|first| {
            let of_chunks = format!("{bad_chunks} of {chunks} chunks");
            let of_records = format!("{bad_records} of {} records", records + bad_records);
            let what = match (bad_chunks, bad_records) {
                (0, _) => of_records,
                (_, 0) => of_chunks,
                _ => format!("{of_records} and {of_chunks}"),
            };
            format!("{what} cannot be read, the first: {first}; the rest was read")
        });
        self.cut.iter().cloned().chain(loss).collect()
    }
}

impl Report for EventLog {
    fn report(&self, tally: &mut Tally) {
        tally.add("evtx.chunks", self.counts.chunks);
        tally.add("evtx.records", self.counts.records);
        tally.add("evtx.dropped{record}", self.counts.bad_records);
        tally.add("evtx.dropped{chunk}", self.counts.bad_chunks);
    }
}

/// Reads on without keeping: what stopped it, and how far it came.
fn skip(source: &mut dyn Read, bytes: u64) -> (Option<io::Error>, u64) {
    let mut buffer = vec![0; CHUNK];
    let mut done = 0;
    while done < bytes {
        let most = (bytes - done).min(CHUNK as u64) as usize;
        match source.read(&mut buffer[..most]) {
            Ok(0) => break,
            Ok(n) => done += n as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (Some(error), done),
        }
    }
    (None, done)
}

fn ending(at: u64, failure: Option<&io::Error>) -> String {
    let why = failure.map_or(String::new(), |error| format!(" ({error})"));
    format!("cut short at byte {at}{why}; the records before it were read")
}

/// An error of the decoder with all its reasons: it wraps them one in another.
fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(reason) = inner {
        let reason_text = reason.to_string();
        if !text.ends_with(&reason_text) {
            text = format!("{}: {reason_text}", text.trim_end_matches('.'));
        }
        inner = reason.source();
    }
    text
}
