//! Where packets come from: capture files, and interfaces ([`live`]). Yields frames with a link type and a time.
//!
//! pcap and pcapng, plain, gzip or zstd, told apart by their first bytes and never by name. Files are streamed: memory is
//! one window of [`window::WINDOW`] bytes, whatever the file's size. A file that is cut short or damaged gives its frames up
//! to there and one [`Warning`]; only what is no capture at all is an error.

pub mod live;
mod pcap;
mod pcapng;
mod window;

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use crate::event::Time;
use crate::packet::link::LinkType;
use crate::stats::{Report, Tally};
use window::{Short, Window};

/// The longest frame believed; a longer one means that the file is damaged.
pub const MAX_FRAME: usize = 256 * 1024;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// One captured frame; its bytes are valid until the next call of [`Reader::next_frame`].
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// When it was captured.
    pub ts: Time,
    /// What its first header is.
    pub link: LinkType,
    /// The captured bytes.
    pub data: &'a [u8],
    /// Its length on the wire; above `data.len()` where the capture cut it.
    pub orig_len: u32,
    /// Its number in the file, from 1.
    pub number: u64,
    /// Where its record starts in the (decompressed) file, in bytes.
    pub offset: u64,
    /// Its transport checksum was left to the card that sends it, and says nothing.
    pub offloaded: bool,
}

/// Why reading ended before the file did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// The file ends inside a record.
    Cut,
    /// A record's length is impossible.
    Corrupt,
    /// The compressed data is damaged, or the file could not be read further.
    Unreadable,
}

/// One sentence for people about a capture that was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub name: String,
    /// What was found.
    pub damage: Damage,
    /// Number of the frame that could not be read, from 1.
    pub number: u64,
    /// Where its record starts, in bytes of the decompressed file.
    pub offset: u64,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name, number, offset, ..
        } = self;
        let what = match self.damage {
            Damage::Cut => "cut short",
            Damage::Corrupt => "corrupt (impossible length)",
            Damage::Unreadable => "unreadable (damaged compression or device)",
        };
        write!(
            f,
            "{name}: {what} in packet {number} at byte {offset}; everything before it was read"
        )
    }
}

/// Why a file cannot be read as a capture.
#[derive(Debug)]
pub enum CaptureError {
    /// The file cannot be opened or read.
    Io(String, io::Error),
    /// Its first bytes belong to no capture format; they are quoted.
    NotACapture(String, Vec<u8>),
    /// The link type is known to be not served, or unknown.
    LinkType(String, u32),
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(name, error) => write!(f, "{name}: {error}"),
            Self::NotACapture(name, head) if head.is_empty() => {
                write!(
                    f,
                    "{name}: not a capture: the file is empty; give a pcap or pcapng file, plain, gzip or zstd"
                )
            }
            Self::NotACapture(name, head) => {
                write!(f, "{name}: not a capture: it starts with")?;
                for byte in head {
                    write!(f, " {byte:02x}")?;
                }
                f.write_str("; give a pcap or pcapng file, plain, gzip or zstd")
            }
            Self::LinkType(name, number) => write!(
                f,
                "{name}: link type {number} ({}) is not served; capture on Ethernet, or convert with editcap -T ether",
                crate::packet::link::name_of(*number)
            ),
        }
    }
}

impl std::error::Error for CaptureError {}

/// What a format's record reader found. Ranges are into the window's buffer.
enum Record {
    Frame {
        ts: Time,
        link: u32,
        data: std::ops::Range<usize>,
        orig_len: u32,
        offset: u64,
    },
    /// A frame of an interface whose link type is not served.
    Skipped,
    End,
    Damaged(Damage),
}

enum Format {
    Pcap(pcap::Header),
    Pcapng(pcapng::Sections),
}

/// Reads one capture file, frame by frame.
pub struct Reader {
    name: String,
    window: Window,
    format: Format,
    number: u64,
    bytes: u64,
    skipped: u64,
    truncated: u64,
    warning: Option<Warning>,
    done: bool,
}

/// Opens a capture file.
///
/// # Errors
/// [`CaptureError`] where the file cannot be read, is no capture, or has a link type that is not served.
pub fn open(path: &Path) -> Result<Reader, CaptureError> {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => Reader::new(name, Box::new(file)),
        Err(error) => Err(CaptureError::Io(name, error)),
    }
}

/// Whether these first bytes of a file (64 or more are enough) start a capture, also a compressed one.
pub fn is_capture(head: &[u8]) -> bool {
    if pcap::Header::parse(head).is_some() || pcapng::is_section(head) {
        return true;
    }
    let mut inner = [0; 24];
    let read = if head.starts_with(&GZIP) {
        fill(&mut flate2::read::MultiGzDecoder::new(head), &mut inner)
    } else if head.starts_with(&ZSTD) {
        zstd::stream::read::Decoder::new(head).map_or(0, |mut decoder| fill(&mut decoder, &mut inner))
    } else {
        return false;
    };
    // A block of compressed data may need more than `head`: then the compressed magic has to do.
    read < 4 || pcap::Header::parse(&inner).is_some() || pcapng::is_section(&inner[..read])
}

/// Reads until `buf` is full, the end or an error; returns how many bytes there are.
fn fill(from: &mut dyn Read, buf: &mut [u8]) -> usize {
    let mut have = 0;
    while have < buf.len() {
        match from.read(&mut buf[have..]) {
            Ok(n) if n > 0 => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => break,
        }
    }
    have
}

impl Reader {
    /// Reads a capture from any source; `name` stands in messages.
    ///
    /// # Errors
    /// As [`open`].
    pub fn new(name: String, mut source: Box<dyn Read + Send>) -> Result<Self, CaptureError> {
        let mut head = vec![0; 4];
        let have = fill(&mut source, &mut head);
        head.truncate(have);
        let (gzip, zstd) = (head.starts_with(&GZIP), head == ZSTD);
        let whole = Cursor::new(head).chain(source);
        let plain: Box<dyn Read + Send> = if gzip {
            Box::new(flate2::read::MultiGzDecoder::new(whole))
        } else if zstd {
            let mut decoder =
                zstd::stream::read::Decoder::new(whole).map_err(|error| CaptureError::Io(name.clone(), error))?;
            decoder
                .window_log_max(27)
                .map_err(|error| CaptureError::Io(name.clone(), error))?;
            Box::new(decoder)
        } else {
            Box::new(whole)
        };
        let mut window = Window::new(plain);
        let magic = window.peek(24);
        let format = if let Some(header) = pcap::Header::parse(magic) {
            if !crate::packet::link::is_served(header.link) {
                return Err(CaptureError::LinkType(name, header.link));
            }
            window.consume(pcap::HEADER);
            Format::Pcap(header)
        } else if pcapng::is_section(magic) {
            Format::Pcapng(pcapng::Sections::default())
        } else {
            let head = magic[..magic.len().min(8)].to_vec();
            return Err(CaptureError::NotACapture(name, head));
        };
        Ok(Self {
            name,
            window,
            format,
            number: 0,
            bytes: 0,
            skipped: 0,
            truncated: 0,
            warning: None,
            done: false,
        })
    }

    /// The file's name, as given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next frame; `None` at the end, or where the file is damaged ([`Reader::warning`] says so).
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        loop {
            if self.done {
                return None;
            }
            let offset = self.window.offset();
            let record = match &mut self.format {
                Format::Pcap(header) => header.next(&mut self.window),
                Format::Pcapng(sections) => sections.next(&mut self.window),
            };
            match record {
                Record::Frame {
                    ts,
                    link,
                    data,
                    orig_len,
                    offset,
                } => {
                    self.number += 1;
                    let data = self.window.slice(data);
                    self.bytes += data.len() as u64;
                    self.truncated += u64::from((data.len() as u64) < u64::from(orig_len));
                    return Some(Frame {
                        ts,
                        link: LinkType(link),
                        data,
                        orig_len,
                        number: self.number,
                        offset,
                        offloaded: false,
                    });
                }
                Record::Skipped => {
                    self.number += 1;
                    self.skipped += 1;
                }
                Record::End => self.done = true,
                Record::Damaged(damage) => {
                    self.done = true;
                    let damage = if self.window.failed() {
                        Damage::Unreadable
                    } else {
                        damage
                    };
                    self.warning = Some(Warning {
                        name: self.name.clone(),
                        damage,
                        number: self.number + 1,
                        offset,
                    });
                }
            }
        }
    }

    /// What was wrong with the file; known when [`Reader::next_frame`] has returned `None`.
    pub fn warning(&self) -> Option<&Warning> {
        self.warning.as_ref()
    }

    /// How many bytes of the (decompressed) file were read.
    pub fn position(&self) -> u64 {
        self.window.offset()
    }
}

impl Report for Reader {
    fn report(&self, tally: &mut Tally) {
        tally.add("capture.packets", self.number);
        tally.add("capture.bytes", self.bytes);
        tally.add("capture.frames_truncated", self.truncated);
        tally.add("capture.dropped{link_type}", self.skipped);
        tally.add("capture.damaged_files", u64::from(self.warning.is_some()));
    }
}

impl From<Short> for Record {
    fn from(short: Short) -> Self {
        match short {
            Short::End => Self::End,
            Short::Cut => Self::Damaged(Damage::Cut),
        }
    }
}

#[cfg(test)]
mod tests;
