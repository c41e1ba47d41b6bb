//! Prints the decoded events of captures as JSON lines: `events PATH...`; counters go to standard error with `--stats`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use vigla_core::capture;
use vigla_core::event::Event;
use vigla_core::flow::{Config, Networks, Traffic};
use vigla_core::json;
use vigla_core::stats::{Report, Tally};

fn main() -> ExitCode {
    let (flags, paths): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    match run(
        &paths,
        flags.iter().any(|flag| flag == "--stats"),
        flags.iter().any(|flag| flag == "--quiet"),
    ) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(paths: &[String], stats: bool, quiet: bool) -> Result<(), String> {
    let mut traffic = Traffic::new(Config::default(), Networks::default());
    let mut tally = Tally::default();
    let mut out = io::stdout().lock();
    let mut buffer = Vec::with_capacity(1 << 17);
    let mut failed = None;
    let mut sink = |event: &Event| {
        if quiet {
            return;
        }
        json::event(&mut buffer, event);
        buffer.push(b'\n');
        if buffer.len() > 1 << 16 {
            failed = out.write_all(&buffer).err().or(failed.take());
            buffer.clear();
        }
    };
    for path in paths {
        let mut reader = capture::open(Path::new(path)).map_err(|error| error.to_string())?;
        while let Some(frame) = reader.next_frame() {
            traffic.frame(&frame, &mut sink);
        }
        if let Some(warning) = reader.warning() {
            eprintln!("{warning}");
        }
        reader.report(&mut tally);
    }
    traffic.finish(&mut sink);
    out.write_all(&buffer).map_err(|error| error.to_string())?;
    if let Some(error) = failed {
        return Err(error.to_string());
    }
    traffic.report(&mut tally);
    if stats {
        for (name, n) in tally.iter() {
            eprintln!("{name} {n}");
        }
    }
    Ok(())
}
