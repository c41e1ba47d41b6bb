//! JSON lines against a pack: `{"line": n, "rules": [ids]}` for every line that matches. For benches and twin tests.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use super::engine::{Engine, Settings};
use super::jsonl::{MAX_LINE, Reader};
use super::pack::Pack;
use crate::event::LogSource;
use crate::json;
use crate::stats::{Report as _, Tally};

/// Opens a file; gzip and zstd are told by their first bytes.
///
/// # Errors
/// It cannot be opened or read.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::with_capacity(1 << 18, File::open(path)?);
    let magic = file.fill_buf()?;
    Ok(if magic.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(file)))
    } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(BufReader::new(zstd::Decoder::with_buffer(file)?))
    } else {
        Box::new(file)
    })
}

/// Matches every line of `input`; the line numbers start at zero. Lines that are no events are counted and passed over.
///
/// # Errors
/// Reading or writing fails.
pub fn match_lines(
    pack: Arc<Pack>,
    settings: Settings,
    logsource: LogSource,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> io::Result<Tally> {
    let mut engine = Engine::new(pack, settings);
    let mut reader = Reader::lazy(logsource, engine.wanted());
    let (mut tally, mut rules, mut text) = (Tally::default(), Vec::new(), Vec::new());
    let mut number = 0_u64;
    each_line(input, &mut |line| {
        let line = line
            .strip_prefix(b"\xef\xbb\xbf")
            .filter(|_| number == 0)
            .unwrap_or(line); // a byte order mark
        match reader.event(line) {
            _ if line.is_empty() => tally.add("jsonl.blank", 1),
            Ok(event) => {
                engine.matches(&event, &mut rules);
                if !rules.is_empty() {
                    write_line(&mut text, number, &rules, &engine);
                    out.write_all(&text)?;
                }
                reader.recycle(event);
            }
            Err(_) => tally.add("jsonl.dropped{no event}", 1),
        }
        number += 1;
        Ok(())
    })?;
    out.flush()?;
    tally.add("jsonl.lines", number);
    engine.report(&mut tally);
    Ok(tally)
}

/// Calls `each` with every line, blanks around it taken off; most stand in the input's buffer whole and are not copied. A
/// line beyond [`MAX_LINE`] is cut there, which is no event any more.
fn each_line(input: &mut dyn BufRead, each: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut begun = Vec::new();
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return if begun.is_empty() {
                Ok(())
            } else {
                each(begun.trim_ascii())
            };
        }
        let end = memchr::memchr(b'\n', buffer);
        let part = &buffer[..end.unwrap_or(buffer.len())];
        if end.is_some() && begun.is_empty() {
            each(part.trim_ascii())?;
        } else {
            let room = (MAX_LINE + 1).saturating_sub(begun.len());
            begun.extend_from_slice(&part[..part.len().min(room)]);
            if end.is_some() {
                each(begun.trim_ascii())?;
                begun.clear();
            }
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
    }
}

fn write_line(text: &mut Vec<u8>, number: u64, rules: &[u32], engine: &Engine) {
    text.clear();
    text.extend_from_slice(b"{\"line\":");
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    text.extend_from_slice(b",\"rules\":[");
    for (index, rule) in rules.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        json::text(text, &engine.pack().program.rules[*rule as usize].metadata.id);
    }
    text.extend_from_slice(b"]}\n");
}
