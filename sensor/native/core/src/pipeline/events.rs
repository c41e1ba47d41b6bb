//! The decoded events of files as text, in the shape of Zeek's JSON streaming.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use super::Fault;
use super::input::Input;
use super::settings::Settings;
use crate::json;
use crate::log::source::Sources;
use crate::stats::{Report, Tally};

const BUFFER: usize = 1 << 17;

/// Writes every event of every input to `out`, file after file as they are named, one object a line. Returns the counters,
/// and what was wrong with inputs.
///
/// # Errors
/// [`Fault`]: an input that cannot be read, or the output that cannot be written. Inputs are opened before anything is written.
pub fn events(
    paths: &[PathBuf],
    settings: &Settings,
    sources: Option<&Arc<Sources>>,
    out: &mut dyn Write,
) -> Result<(Tally, Vec<String>), Fault> {
    let mut inputs = paths
        .iter()
        .map(|path| Input::open(path, settings, sources, None))
        .collect::<Result<Vec<_>, _>>()?;
    let mut tally = Tally::default();
    let mut warnings = Vec::new();
    let mut printed = 0_u64;
    let mut text = Vec::with_capacity(BUFFER + 4096);
    for mut input in inputs.drain(..) {
        loop {
            let more = input.step(&mut |event, _| {
                json::event(&mut text, event);
                text.push(b'\n');
                printed += 1;
            });
            if text.len() >= BUFFER || !more {
                out.write_all(&text).map_err(Fault::Output)?;
                text.clear();
            }
            if !more {
                break;
            }
        }
        warnings.extend(input.warnings());
        input.report(&mut tally);
    }
    out.flush().map_err(Fault::Output)?;
    tally.add("events", printed);
    Ok((tally, warnings))
}
