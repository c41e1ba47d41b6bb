//! `match_lines PACK EVENTS[.zst|.gz] [PRODUCT[/SERVICE]]`: matches JSON lines, writes `{"line", "rules"}` lines to standard
//! output, counters and times to standard error.

use std::error::Error;
use std::io::{BufWriter, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use vigla_core::event::LogSource;
use vigla_core::sigma::match_lines::{match_lines, open};
use vigla_core::sigma::{Pack, Settings};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pack, events, rest @ ..] = arguments.as_slice() else {
        return Err("usage: match_lines PACK EVENTS [PRODUCT[/SERVICE]]".into());
    };
    let source = rest.first().map_or("windows", String::as_str);
    let (product, service) = source.split_once('/').map_or((source, None), |(p, s)| (p, Some(s)));
    let logsource = LogSource {
        product: Some(product.to_owned().into()),
        category: None,
        service: service.map(|s| s.to_owned().into()),
    };
    let started = Instant::now();
    let pack = Arc::new(Pack::load(&std::fs::read(pack)?)?);
    let loaded = started.elapsed();
    let mut input = open(Path::new(events))?;
    let started = Instant::now();
    let tally = match_lines(
        pack,
        Settings::default(),
        logsource,
        &mut *input,
        &mut BufWriter::new(stdout().lock()),
    )?;
    let seconds = started.elapsed().as_secs_f64();
    for (name, value) in tally.iter().filter(|(name, _)| !name.starts_with("sigma.rule_hits")) {
        eprintln!("{name} {value}");
    }
    let events = tally.get("sigma.events") as f64;
    eprintln!(
        "load {:.3} s, matched {seconds:.3} s, {:.0} events/s",
        loaded.as_secs_f64(),
        events / seconds
    );
    Ok(())
}
