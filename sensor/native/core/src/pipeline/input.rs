//! A file as a source of events: a capture, a log file, or JSON lines, told apart by content and never by name.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::Fault;
use super::settings::Settings;
use crate::capture::{self, Frame};
use crate::event::{Event, EventSink, Time};
use crate::flow::Traffic;
use crate::log::frame::{Framer, LIMIT};
use crate::log::lines::Sender;
use crate::log::source::Sources;
use crate::packet::link::LinkType;
use crate::sigma::jsonl;
use crate::stats::{Report, Tally};

const BLOCK: usize = 64 * 1024;
/// Lines are read in small blocks: few events wait at a time, and their memory is used again while it is still near.
const LINES: usize = 8 * 1024;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Names that promise a capture: a file of such a name that is none is a mistake, not a log.
const CAPTURE_NAMES: [&str; 4] = ["pcap", "pcapng", "cap", "dmp"];

/// An input and its name.
pub struct Input {
    /// The file's name without its folder, as hits name it.
    pub name: Arc<str>,
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Capture(Box<Capture>),
    Lines(Box<Lines>),
}

/// A capture, its connections, and one frame read ahead.
struct Capture {
    reader: capture::Reader,
    traffic: Traffic,
    ahead: Option<Ahead>,
    buffer: Vec<u8>,
    last: Time,
    finished: bool,
}

/// A frame's facts; its bytes are in the buffer.
#[derive(Clone, Copy)]
struct Ahead {
    ts: Time,
    link: LinkType,
    orig_len: u32,
    number: u64,
    offset: u64,
}

struct Lines {
    source: Box<dyn Read + Send>,
    framer: Framer,
    reading: Reading,
    ready: VecDeque<(Event, u64)>,
    block: Vec<u8>,
    ended: bool,
    warning: Option<String>,
}

enum Reading {
    Log(Box<Sender>),
    Json {
        reader: jsonl::Reader,
        lines: u64,
        refused: u64,
        first: Option<String>,
    },
}

impl Input {
    /// Opens `path`. `sources` describe log lines.
    ///
    /// # Errors
    /// [`Fault::Input`] when it cannot be read, is binary and no capture, or is a log file and there are no definitions.
    pub fn open(path: &Path, settings: &Settings, sources: Option<&Arc<Sources>>) -> Result<Self, Fault> {
        let shown = path.display().to_string();
        let unreadable = |error: io::Error| Fault::Input(format!("{shown}: {error}"));
        let mut file = File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if meta.is_dir() {
            return Err(Fault::Input(format!("{shown}: is a folder; name the files in it")));
        }
        let mut head = vec![0; BLOCK];
        let have = fill(&mut file, &mut head).map_err(unreadable)?;
        head.truncate(have);
        let extension = path
            .extension()
            .map(|text| text.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        let name: Arc<str> = path
            .file_name()
            .map_or_else(|| shown.clone().into(), |name| name.to_string_lossy().into());
        let is_capture = is_capture(&head);
        let whole: Box<dyn Read + Send> = Box::new(Cursor::new(head).chain(file));
        if is_capture || CAPTURE_NAMES.contains(&extension.as_str()) {
            let reader = capture::Reader::new(shown, whole)?;
            let traffic = Traffic::new(settings.flows(), settings.networks()?);
            let capture = Capture {
                reader,
                traffic,
                ahead: None,
                buffer: Vec::new(),
                last: Time(0),
                finished: false,
            };
            return Ok(Self {
                name,
                path: path.to_owned(),
                kind: Kind::Capture(Box::new(capture)),
            });
        }
        let (source, start) = plain(whole).map_err(unreadable)?;
        if is_binary(&start) {
            let quoted: Vec<String> = start.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            return Err(Fault::Input(format!(
                "{shown}: neither a capture nor a log file: it starts with {}; give a pcap or pcapng file, or text",
                quoted.join(" ")
            )));
        }
        let source: Box<dyn Read + Send> = Box::new(Cursor::new(start).chain(source));
        let (reading, limit) = match (&settings.logsource, sources) {
            (Some(logsource), _) => {
                let reader = jsonl::Reader::new(logsource.clone().into());
                (
                    Reading::Json {
                        reader,
                        lines: 0,
                        refused: 0,
                        first: None,
                    },
                    jsonl::MAX_LINE,
                )
            }
            (None, Some(sources)) => (
                Reading::Log(Box::new(settings.sender(path, written(&meta), sources)?)),
                LIMIT,
            ),
            (None, None) => {
                return Err(Fault::Input(format!(
                    "{shown}: no capture, and log lines need the source definitions of a pack; name one"
                )));
            }
        };
        let lines = Lines {
            source,
            framer: Framer::new(0, limit),
            reading,
            ready: VecDeque::new(),
            block: vec![0; LINES],
            ended: false,
            warning: None,
        };
        Ok(Self {
            name,
            path: path.to_owned(),
            kind: Kind::Lines(Box::new(lines)),
        })
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Time of what comes next; `None` at the end.
    pub fn next_time(&mut self) -> Option<Time> {
        match &mut self.kind {
            Kind::Capture(capture) => capture.next_time(),
            Kind::Lines(lines) => {
                lines.ahead();
                lines.ready.front().map(|(event, _)| event.ts)
            }
        }
    }

    /// Takes the next frame or line; `each` gets the events that follow from it, with their place in the input. False at the
    /// end, when everything was given out.
    pub fn step(&mut self, each: &mut dyn FnMut(&Event, u64)) -> bool {
        match &mut self.kind {
            Kind::Capture(capture) => capture.step(each),
            Kind::Lines(lines) => {
                lines.ahead();
                match lines.ready.pop_front() {
                    Some((event, offset)) => {
                        each(&event, offset);
                        true
                    }
                    None => false,
                }
            }
        }
    }

    /// What was wrong with the file, known at its end.
    pub fn warnings(&self) -> Vec<String> {
        match &self.kind {
            Kind::Capture(capture) => capture.reader.warning().map(ToString::to_string).into_iter().collect(),
            Kind::Lines(lines) => lines.warnings(&self.path),
        }
    }
}

impl Report for Input {
    fn report(&self, tally: &mut Tally) {
        match &self.kind {
            Kind::Capture(capture) => {
                capture.reader.report(tally);
                capture.traffic.report(tally);
            }
            Kind::Lines(lines) => match &lines.reading {
                Reading::Log(sender) => sender.report(tally),
                Reading::Json { lines, refused, .. } => {
                    tally.add("jsonl.lines", *lines);
                    tally.add("jsonl.dropped{no event}", *refused);
                }
            },
        }
    }
}

impl Capture {
    /// Reads a frame ahead: only where inputs are merged, for it costs a copy.
    fn next_time(&mut self) -> Option<Time> {
        if self.ahead.is_none() && !self.finished {
            match self.reader.next_frame() {
                Some(frame) => {
                    self.buffer.clear();
                    self.buffer.extend_from_slice(frame.data);
                    let Frame {
                        ts,
                        link,
                        orig_len,
                        number,
                        offset,
                        ..
                    } = frame;
                    self.ahead = Some(Ahead {
                        ts,
                        link,
                        orig_len,
                        number,
                        offset,
                    });
                }
                // The connections that are still open end now.
                None => return Some(self.last),
            }
        }
        self.ahead.map(|ahead| ahead.ts)
    }

    fn step(&mut self, each: &mut dyn FnMut(&Event, u64)) -> bool {
        if self.finished {
            return false;
        }
        let ahead = self.ahead.take();
        let frame = match ahead {
            Some(Ahead {
                ts,
                link,
                orig_len,
                number,
                offset,
            }) => Some(Frame {
                ts,
                link,
                data: &self.buffer,
                orig_len,
                number,
                offset,
            }),
            None => self.reader.next_frame(),
        };
        if let Some(frame) = frame {
            let number = frame.number;
            self.last = frame.ts;
            self.traffic.frame(&frame, &mut |event: &Event| each(event, number));
        } else {
            self.finished = true;
            let sink: &mut dyn EventSink = &mut |event: &Event| each(event, u64::MAX);
            self.traffic.finish(sink);
        }
        true
    }
}

impl Lines {
    /// Reads on until an event is ready or the input ends.
    fn ahead(&mut self) {
        while self.ready.is_empty() && !self.ended {
            let Self {
                source,
                framer,
                reading,
                ready,
                block,
                ended,
                warning,
            } = self;
            let too_long = framer.too_long;
            match source.read(block) {
                Ok(0) => {
                    *ended = true;
                    framer.finish(&mut |line| reading.line(line.bytes, line.offset, ready));
                }
                Ok(n) => framer.push(&block[..n], &mut |line| reading.line(line.bytes, line.offset, ready)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    *ended = true;
                    framer.finish(&mut |line| reading.line(line.bytes, line.offset, ready));
                    *warning = Some(format!(
                        "cut short at byte {} ({error}); everything before it was read",
                        framer.settled()
                    ));
                }
            }
            let too_long = framer.too_long - too_long;
            match reading {
                Reading::Log(sender) => sender.too_long(too_long),
                Reading::Json { refused, lines, .. } => {
                    *lines += too_long;
                    *refused += too_long;
                }
            }
        }
    }

    fn warnings(&self, path: &Path) -> Vec<String> {
        let shown = path.display();
        let mut warnings: Vec<String> = self.warning.iter().map(|what| format!("{shown}: {what}")).collect();
        match &self.reading {
            Reading::Log(sender) => {
                let (unmatched, received) = (sender.account.unmatched, sender.account.received);
                if unmatched > 0 {
                    let example = sender.samples().first().map_or("", String::as_str);
                    let example: String = example.chars().take(80).collect();
                    warnings.push(format!(
                        "{shown}: no source definition claims {unmatched} of {received} lines, the first: {example:?}"
                    ));
                }
            }
            Reading::Json {
                refused, lines, first, ..
            } => {
                if let Some(first) = first {
                    warnings.push(format!("{shown}: {refused} of {lines} lines are no events, {first}"));
                }
            }
        }
        warnings
    }
}

impl Reading {
    fn line(&mut self, bytes: &[u8], offset: u64, ready: &mut VecDeque<(Event, u64)>) {
        match self {
            Self::Log(sender) => {
                sender.line(bytes, &mut |event| ready.push_back((event, offset)));
            }
            Self::Json {
                reader,
                lines,
                refused,
                first,
            } => {
                *lines += 1;
                match reader.event(bytes) {
                    Ok(event) => ready.push_back((event, offset)),
                    Err(error) => {
                        *refused += 1;
                        first.get_or_insert_with(|| format!("the first is line {lines}: {error}"));
                    }
                }
            }
        }
    }
}

/// Gives every line of a log file, and the file's sender, to `each`; returns the sender with its accounts.
///
/// # Errors
/// [`Fault::Input`] when the file cannot be read, [`Fault::Settings`] when it is pinned to no definition.
pub fn read_lines(
    path: &Path,
    settings: &Settings,
    sources: &Arc<Sources>,
    each: &mut dyn FnMut(&mut Sender, &[u8]),
) -> Result<Sender, Fault> {
    let unreadable = |error: io::Error| Fault::Input(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(unreadable)?;
    let mut sender = settings.sender(path, written(&file.metadata().map_err(unreadable)?), sources)?;
    let mut source = decompressed(Box::new(file)).map_err(unreadable)?;
    let mut framer = Framer::default();
    let mut block = vec![0; BLOCK];
    loop {
        match source.read(&mut block) {
            Ok(0) => break,
            Ok(n) => framer.push(&block[..n], &mut |line| each(&mut sender, line.bytes)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    framer.finish(&mut |line| each(&mut sender, line.bytes));
    sender.too_long(framer.too_long);
    Ok(sender)
}

/// When a file was last written.
pub(super) fn written(meta: &std::fs::Metadata) -> Time {
    let since = meta
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Time(
        since
            .and_then(|since| i64::try_from(since.as_nanos()).ok())
            .unwrap_or(0),
    )
}

fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < buffer.len() {
        match from.read(&mut buffer[have..]) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

/// Whether the head of a file begins a capture; of a compressed file the head of what is inside.
fn is_capture(head: &[u8]) -> bool {
    if !head.starts_with(GZIP) && !head.starts_with(ZSTD) {
        return capture::is_capture(head);
    }
    // A damaged or cut stream still shows its beginning.
    let mut inner = [0; 64];
    let mut have = 0;
    if let Ok(mut reader) = decompressed(Box::new(Cursor::new(head.to_vec()))) {
        while have < inner.len() {
            match reader.read(&mut inner[have..]) {
                Ok(n) if n > 0 => have += n,
                _ => break,
            }
        }
    }
    capture::is_capture(&inner[..have])
}

fn decompressed(source: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut source = source;
    let mut magic = vec![0; 4];
    let have = fill(&mut source, &mut magic)?;
    magic.truncate(have);
    let (gzip, zstd) = (magic.starts_with(GZIP), magic.starts_with(ZSTD));
    let whole = Cursor::new(magic).chain(source);
    Ok(if gzip {
        Box::new(flate2::read::MultiGzDecoder::new(whole))
    } else if zstd {
        let mut decoder = zstd::stream::read::Decoder::new(whole)?;
        decoder.window_log_max(27)?;
        Box::new(decoder)
    } else {
        Box::new(whole)
    })
}

/// A source without its compression, and its first bytes.
fn plain(source: Box<dyn Read + Send>) -> io::Result<(Box<dyn Read + Send>, Vec<u8>)> {
    let mut source = decompressed(source)?;
    let mut start = vec![0; 4096];
    let mut have = 0;
    while have < start.len() {
        match source.read(&mut start[have..]) {
            Ok(n) if n > 0 => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What is wrong further on is said when it is read.
            _ => break,
        }
    }
    start.truncate(have);
    Ok((source, start))
}

/// Whether this is no text: control characters that no log has, in more than one byte of thirty. NUL may end lines.
fn is_binary(start: &[u8]) -> bool {
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return false;
    }
    let odd = start
        .iter()
        .filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31))
        .count();
    odd * 30 > start.len()
}
