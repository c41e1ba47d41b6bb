//! Windows event logs: a file header, then `data` as chunks.

use std::io::{self, Cursor, Read};

use vigla_core::log::evtx::{EventLog, MAGIC, Record};

use super::ruleset;

/// Reads a log whose chunks begin with `data`; every record's JSON is an object, and meets the rules.
pub fn run(data: &[u8]) {
    let mut file = MAGIC.to_vec();
    file.resize(4096, 0);
    file.extend_from_slice(data);
    let open = move || -> io::Result<Box<dyn Read + Send>> { Ok(Box::new(Cursor::new(file.clone()))) };
    let mut log = EventLog::new(Box::new(open)).expect("memory can be read");
    let mut records: Vec<Record> = Vec::new();
    while log.chunk(&mut |record| records.push(record)) {}
    log.warnings();
    let lines: Vec<&[u8]> = records.iter().map(|record| record.json.as_slice()).collect();
    for line in &lines {
        let text = std::str::from_utf8(line).expect("a record is UTF-8");
        assert!(text.starts_with('{'), "a record is an object");
    }
    ruleset::agree_over_all(&lines);
}
