//! A file as a source of events: a capture, a Windows event log, JSON objects or a log file, told apart by content and never
//! by name.

mod bytes;
mod captured;
mod lines;
mod objects;
mod read;
mod records;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use self::bytes::Nature;
use self::captured::Capture;
use self::lines::Lines;
use self::objects::Objects;
use self::read::{Reading, Text};
use self::records::Records;
use super::Fault;
use super::settings::Settings;
use crate::capture;
use crate::event::{Event, LogSource, Time};
use crate::flow::Traffic;
use crate::jsonl::{Reader, Wanted};
use crate::log::evtx::EventLog;
use crate::log::frame::Framer;
use crate::log::lines::Sender;
use crate::log::source::Sources;
use crate::stats::{Report, Tally};

const BLOCK: usize = 64 * 1024;
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
    EventLog(Box<Records>),
    Text(Box<Text>),
}

impl Input {
    /// Opens `path`. `sources` describe log lines; of JSON only what is `wanted` is kept by name, where that is known.
    ///
    /// # Errors
    /// [`Fault::Input`] when it cannot be read, is binary and no capture or event log, or is a log file and there are no
    /// definitions.
    pub fn open(
        path: &Path,
        settings: &Settings,
        sources: Option<&Arc<Sources>>,
        wanted: Option<&Arc<Wanted>>,
    ) -> Result<Self, Fault> {
        let shown = path.display().to_string();
        let reader = |logsource: LogSource| match wanted {
            Some(wanted) => Reader::lazy(logsource, wanted),
            None => Reader::new(logsource),
        };
        let unreadable = |error: io::Error| Fault::Input(format!("{shown}: {error}"));
        let file = File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if meta.is_dir() {
            return Err(Fault::Input(format!("{shown}: is a folder; name the files in it")));
        }
        let (head, whole) = bytes::head(file).map_err(unreadable)?;
        let extension = path
            .extension()
            .map(|text| text.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        let kind = match bytes::nature(&head) {
            Nature::EventLog => {
                let again = path.to_owned();
                let log = EventLog::new(Box::new(move || bytes::open(&again))).map_err(unreadable)?;
                let logsource = settings.logsource.clone().map_or_else(windows, LogSource::from);
                Kind::EventLog(Box::new(Records::new(log, reader(logsource))))
            }
            nature if nature == Nature::Capture || CAPTURE_NAMES.contains(&extension.as_str()) => {
                let packets = capture::Reader::new(shown.clone(), whole)?;
                let traffic = Traffic::new(settings.flows(), settings.networks()?);
                Kind::Capture(Box::new(Capture::new(packets, traffic)))
            }
            _ => {
                let (source, start) = bytes::text(whole).map_err(unreadable)?;
                refuse_binary(&shown, &start)?;
                let reading: Box<dyn Reading + Send> = match (&settings.logsource, sources) {
                    (Some(logsource), _) => Box::new(Objects::new(reader(logsource.clone().into()))),
                    (None, Some(sources)) => Box::new(Lines::new(settings.sender(path, written(&meta), sources)?)),
                    (None, None) => {
                        return Err(Fault::Input(format!(
                            "{shown}: no capture, and log lines need the source definitions of a pack; name one"
                        )));
                    }
                };
                Kind::Text(Box::new(Text::new(source, reading)))
            }
        };
        let name = path
            .file_name()
            .map_or_else(|| shown.clone().into(), |name| name.to_string_lossy().into());
        Ok(Self {
            name,
            path: path.to_owned(),
            kind,
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
            Kind::EventLog(records) => records.next_time(),
            Kind::Text(text) => text.next_time(),
        }
    }

    /// Takes the next frame, record or line; `each` gets the events that follow from it, with their place in the input. False
    /// at the end, when everything was given out.
    pub fn step(&mut self, each: &mut dyn FnMut(&Event, u64)) -> bool {
        match &mut self.kind {
            Kind::Capture(capture) => capture.step(each),
            Kind::EventLog(records) => records.step(each),
            Kind::Text(text) => text.step(each),
        }
    }

    /// What was wrong with the file, known at its end.
    pub fn warnings(&self) -> Vec<String> {
        let found = match &self.kind {
            Kind::Capture(capture) => return capture.warnings(),
            Kind::EventLog(records) => records.warnings(),
            Kind::Text(text) => text.warnings(),
        };
        let shown = self.path.display();
        found.into_iter().map(|what| format!("{shown}: {what}")).collect()
    }
}

impl Report for Input {
    fn report(&self, tally: &mut Tally) {
        match &self.kind {
            Kind::Capture(capture) => capture.report(tally),
            Kind::EventLog(records) => records.report(tally),
            Kind::Text(text) => text.report(tally),
        }
    }
}

/// The JSON objects of a text, mended where that is needed.
///
/// # Errors
/// The first thing in it that is no event.
pub(super) fn raw_objects(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let plain = |text: Vec<u8>| -> io::Result<Vec<u8>> {
        let (mut source, _) = bytes::text(Box::new(io::Cursor::new(text)))?;
        let mut plain = Vec::new();
        io::Read::read_to_end(&mut source, &mut plain)?;
        Ok(plain)
    };
    objects::cut(&plain(text.to_vec()).map_err(|error| error.to_string())?)
}

/// The log source of event logs where none was said.
fn windows() -> LogSource {
    LogSource {
        product: Some("windows".into()),
        category: None,
        service: None,
    }
}

fn refuse_binary(shown: &str, start: &[u8]) -> Result<(), Fault> {
    if !bytes::is_binary(start) {
        return Ok(());
    }
    let quoted: Vec<String> = start.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Err(Fault::Input(format!(
        "{shown}: neither a capture nor a log file: it starts with {}; give a pcap or pcapng file, a Windows event log, or text",
        quoted.join(" ")
    )))
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
    let (mut source, start) = bytes::text(Box::new(file)).map_err(unreadable)?;
    refuse_binary(&path.display().to_string(), &start)?;
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
