//! JSON lines against a pack: `{"line": n, "rules": [ids]}` for every line that matches. For benches and twin tests.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
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
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
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
    let (mut tally, mut line, mut rules, mut text) = (Tally::default(), Vec::new(), Vec::new(), Vec::new());
    let mut number = 0_u64;
    loop {
        line.clear();
        let mut limited = input.take(MAX_LINE as u64 + 1);
        if limited.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let whole = line.ends_with(b"\n") || line.len() <= MAX_LINE;
        if !whole {
            skip_line(input)?;
        }
        match reader.event(line.trim_ascii()) {
            _ if line.trim_ascii().is_empty() => tally.add("jsonl.blank", 1),
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
    }
    out.flush()?;
    tally.add("jsonl.lines", number);
    engine.report(&mut tally);
    Ok(tally)
}

fn skip_line(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, done) = match memchr::memchr(b'\n', buffer) {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if done {
            return Ok(());
        }
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
