//! The bytes of an input file without what they are wrapped in: gzip, zstd, UTF-16.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use crate::capture;
use crate::log::{evtx, unicode};

const BLOCK: usize = 64 * 1024;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// A source of bytes.
pub type Source = Box<dyn Read + Send>;

/// What an input is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// pcap or pcapng, compressed or not.
    Capture,
    /// A Windows event log, compressed or not.
    EventLog,
    /// Anything else.
    Other,
}

/// Tells by the head of a file what it is; of a compressed file by the head of what is inside.
pub fn nature(head: &[u8]) -> Nature {
    let mut inner = [0; 64];
    let mut have = 0;
    // A damaged or cut stream still shows its beginning.
    if let Ok(mut reader) = decompressed(Box::new(Cursor::new(head.to_vec()))) {
        while have < inner.len() {
            match reader.read(&mut inner[have..]) {
                Ok(n) if n > 0 => have += n,
                _ => break,
            }
        }
    }
    let inner = &inner[..have];
    if capture::is_capture(inner) || capture::is_capture(head) {
        Nature::Capture
    } else if inner.starts_with(evtx::MAGIC) {
        Nature::EventLog
    } else {
        Nature::Other
    }
}

/// The first bytes of a file, and all of it from its beginning.
///
/// # Errors
/// It cannot be read.
pub fn head(mut file: File) -> io::Result<(Vec<u8>, Source)> {
    let mut head = vec![0; BLOCK];
    let have = fill(&mut file, &mut head)?;
    head.truncate(have);
    Ok((head.clone(), Box::new(Cursor::new(head).chain(file))))
}

/// A file without its compression.
///
/// # Errors
/// It cannot be opened.
pub fn open(path: &Path) -> io::Result<Source> {
    decompressed(Box::new(File::open(path)?))
}

/// Text as UTF-8 without compression, and its first bytes as they were.
///
/// # Errors
/// It cannot be read.
pub fn text(source: Source) -> io::Result<(Source, Vec<u8>)> {
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
    let whole = Cursor::new(start.clone()).chain(source);
    let text: Source = match unicode::utf16(&start) {
        Some(encoding) => Box::new(unicode::Utf8::new(whole, encoding)),
        None => Box::new(whole),
    };
    Ok((text, start))
}

/// Whether this is no text: control characters that no log has, in more than one byte of thirty. NUL may end lines.
pub fn is_binary(start: &[u8]) -> bool {
    if unicode::utf16(start).is_some() {
        return false;
    }
    let odd = start
        .iter()
        .filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31))
        .count();
    odd * 30 > start.len()
}

fn decompressed(source: Source) -> io::Result<Source> {
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
