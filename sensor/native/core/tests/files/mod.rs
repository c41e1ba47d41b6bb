//! Files for tests of the pipeline: a folder that removes itself, log lines, and a pack that reads them.
#![allow(dead_code, clippy::missing_panics_doc)] // each test program uses its part

use std::fs::{self, File};
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use vigla_core::sigma::Pack;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub const SOURCES: &str = r#"{"sources": [{"id": "door", "title": {"en": "door"}, "match": [{"contains": ["what="]}],
    "parse": {"kind": "kv"}, "time": [{"field": "t", "format": "epoch_auto"}],
    "events": [{"logsource": {"product": "test"}}]}]}"#;

/// A folder of its own, removed at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vigla-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn append(path: &Path, text: &str) {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |out, byte| format!("{out}{byte:02x}"))
}

/// A pack of these rules and definitions, whose manifest is right.
pub fn packed(rules: &Json, sources: &str) -> Vec<u8> {
    let rules = rules.to_string();
    let members = [
        ("canary.json", r#"{"canaries": []}"#),
        ("ecs.json", r#"{"fields": [], "logsources": []}"#),
        ("rules.json", &rules),
        ("sources.json", sources),
        ("texts.json", r#"{"el": {}, "en": {}}"#),
    ];
    let hashes: Map<String, Json> = members
        .iter()
        .map(|(name, text)| ((*name).to_owned(), hex(&Sha256::digest(text)).into()))
        .collect();
    let manifest = json!({"format": 1, "name": "test", "version": "1", "members": hashes, "lists": []}).to_string();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members.into_iter().chain([("manifest.json", manifest.as_str())]) {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A rule over log source `product: test` with the condition at `node`.
fn rule(id: &str, node: usize) -> Json {
    json!({"id": id, "title": id, "logsource": {"product": "test"}, "condition": node, "selections": {"selection": node}})
}

/// A line of the door at `second`.
pub fn line(second: u32, src: &str, what: &str) -> String {
    format!("t={} src={src} what={what}\n", 1_772_349_000 + second)
}

/// Rules `fail` (alerts on `bad`), `note` (feeds only) and correlation `many`: three notes of a source within a minute.
pub fn rules() -> Json {
    let mut note = rule("note", 1);
    note["alert"] = json!(false);
    json!({
        "fields": ["src", "what"],
        "predicates": [{"op": "eq", "field": 1, "value": "bad"}, {"op": "eq", "field": 1, "value": "note"}],
        "nodes": [{"p": 0}, {"p": 1}],
        "rules": [rule("fail", 0), note],
        "correlations": [{"id": "many", "title": "many", "type": "event_count", "rules": ["note"], "group_by": ["src"],
                          "timespan_ms": 60000, "field": [], "condition": [{"op": "gte", "value": 3}]}],
    })
}

pub fn pack() -> Arc<Pack> {
    Arc::new(Pack::load(&packed(&rules(), SOURCES)).unwrap())
}

/// A classic little-endian pcap of Ethernet frames, one a second.
pub fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&65535_u32.to_le_bytes());
    out.extend_from_slice(&1_u32.to_le_bytes());
    for (second, frame) in frames.iter().enumerate() {
        out.extend_from_slice(&(1_772_349_000 + second as u32).to_le_bytes());
        out.extend_from_slice(&0_u32.to_le_bytes());
        out.extend_from_slice(&(frame.len() as u32).to_le_bytes());
        out.extend_from_slice(&(frame.len() as u32).to_le_bytes());
        out.extend_from_slice(frame);
    }
    out
}

/// An Ethernet frame with a UDP datagram from 10.0.0.`host` to 192.0.2.1, port 9.
pub fn datagram(host: u8) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    let mut ip = vec![0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, host, 192, 0, 2, 1];
    let sum: u32 = ip
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]))
        .sum();
    let folded = !((sum & 0xffff) + (sum >> 16)) as u16;
    ip[10..12].copy_from_slice(&folded.to_be_bytes());
    frame.extend_from_slice(&ip);
    frame.extend_from_slice(&[0x30, host, 0, 9, 0, 12, 0, 0, b'd', b'a', b't', b'a']);
    frame
}

/// `rule@second` of alerts, and their ids.
pub fn shown(alerts: &[Vec<u8>]) -> Vec<String> {
    alerts
        .iter()
        .map(|alert| {
            let hit: Json = serde_json::from_slice(alert).unwrap();
            let second = hit["ts"].as_i64().unwrap() / 1_000_000_000 - 1_772_349_000;
            let summary = if hit["kind"] == "correlation-summary" { "+" } else { "" };
            format!("{}{summary}@{second}", hit["rule"].as_str().unwrap())
        })
        .collect()
}

pub fn ids(alerts: &[Vec<u8>]) -> Vec<String> {
    alerts
        .iter()
        .map(|alert| {
            serde_json::from_slice::<Json>(alert).unwrap()["event_id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}
