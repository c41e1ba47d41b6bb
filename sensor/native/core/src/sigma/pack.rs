//! Reads a pack (`.vpk`) and believes nothing that its manifest does not confirm. One fault refuses the pack whole.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use flate2::{Decompress, FlushDecompress, Status};
use sha2::{Digest as _, Sha256};
use zip::{CompressionMethod, ZipArchive};

use super::error::PackError;
use super::model::{Manifest, Rules};
use super::program::Program;

/// The format version that this reader knows.
pub const FORMAT: u32 = 1;
/// The member that lists all others.
pub const MANIFEST: &str = "manifest.json";
/// The member that the engine runs.
pub const RULES: &str = "rules.json";

/// A member larger than this is no pack of ours (that of all public Sigma rules is 25 MB).
const MAX_MEMBER: u64 = 128 << 20;
/// All members together.
const MAX_TOTAL: u64 = 512 << 20;
const MAX_MEMBERS: usize = 50_000;
const REQUIRED: [&str; 5] = ["rules.json", "sources.json", "ecs.json", "texts.json", "canary.json"];

/// A verified pack: the program to run and the members that others read.
#[derive(Debug)]
pub struct Pack {
    /// The manifest.
    pub manifest: Manifest,
    /// SHA-256 of the pack's bytes, in hex.
    pub sha256: String,
    /// What the engine and the correlations run.
    pub program: Program,
    /// `sources.json`, verified, not read here.
    pub sources: Vec<u8>,
    /// `ecs.json`, verified, not read here.
    pub ecs: Vec<u8>,
    /// `canary.json`, verified, not read here.
    pub canary: Vec<u8>,
}

impl Pack {
    /// Reads and verifies a pack.
    ///
    /// # Errors
    /// [`PackError`] when it is no ZIP, of another format, asks for a newer sensor, a member is missing, unlisted or changed,
    /// or `rules.json` says something that this sensor cannot run.
    pub fn load(bytes: &[u8]) -> Result<Self, PackError> {
        let mut archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|e| PackError::new("", format!("it is no ZIP archive ({e})")))?;
        let manifest = read_manifest(&mut archive)?;
        let mut kept = verify_members(&mut archive, &manifest)?;
        let rules: Rules = serde_json::from_slice(&kept.rules).map_err(|e| PackError::rules(e.to_string()))?;
        kept.rules = Vec::new(); // the largest member: not needed beside what was read from it
        let program = Program::new(rules, &manifest)?;
        Ok(Self {
            manifest,
            sha256: hex(&Sha256::digest(bytes)),
            program,
            sources: kept.sources,
            ecs: kept.ecs,
            canary: kept.canary,
        })
    }
}

#[derive(Default)]
struct Kept {
    rules: Vec<u8>,
    sources: Vec<u8>,
    ecs: Vec<u8>,
    canary: Vec<u8>,
}

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

fn read_manifest(archive: &mut Archive<'_>) -> Result<Manifest, PackError> {
    let bytes = read_member(archive, MANIFEST)?;
    // The format first: another format's manifest may have another shape.
    let format = serde_json::from_slice::<serde_json::Value>(&bytes)
        .map_err(|e| PackError::new(MANIFEST, e.to_string()))?
        .get("format")
        .and_then(serde_json::Value::as_u64);
    if format != Some(u64::from(FORMAT)) {
        let found = format.map_or("none".to_owned(), |f| f.to_string());
        return Err(PackError::new(
            MANIFEST,
            format!("format is {found}, this sensor reads {FORMAT}"),
        ));
    }
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| PackError::new(MANIFEST, e.to_string()))?;
    let own = env!("CARGO_PKG_VERSION");
    if let Some(minimum) = &manifest.minimum_sensor {
        match version(minimum) {
            None => {
                return Err(PackError::new(
                    MANIFEST,
                    format!("minimum_sensor {minimum:?} is no version"),
                ));
            }
            Some(wanted) if Some(wanted) > version(own) => {
                return Err(PackError::new(
                    MANIFEST,
                    format!("it needs sensor {minimum}, this is {own}"),
                ));
            }
            Some(_) => {}
        }
    }
    Ok(manifest)
}

fn verify_members(archive: &mut Archive<'_>, manifest: &Manifest) -> Result<Kept, PackError> {
    if archive.len() > MAX_MEMBERS {
        return Err(PackError::new("", format!("it has over {MAX_MEMBERS} members")));
    }
    let present: BTreeSet<String> = archive
        .file_names()
        .map(|name| name.map(Cow::into_owned))
        .collect::<Result<_, _>>()
        .map_err(|e| PackError::new("", format!("a member's name cannot be read ({e})")))?;
    if let Some(unlisted) = present
        .iter()
        .find(|n| *n != MANIFEST && !manifest.members.contains_key(*n))
    {
        return Err(PackError::new(unlisted, "the manifest does not list this member"));
    }
    if let Some(missing) = REQUIRED.iter().find(|n| !manifest.members.contains_key(**n)) {
        return Err(PackError::new(
            missing,
            "the manifest does not list this member, which every pack has",
        ));
    }
    let (mut kept, mut total) = (Kept::default(), 0_u64);
    let (mut inflater, mut bytes) = (Inflater::default(), Vec::new());
    for (name, expected) in &manifest.members {
        if !present.contains(name) {
            return Err(PackError::new(
                name,
                "the manifest lists this member, the pack does not hold it",
            ));
        }
        inflater.read(archive, name, &mut bytes)?;
        total += bytes.len() as u64;
        if total > MAX_TOTAL {
            return Err(PackError::new(
                name,
                format!("the members exceed {} MiB together", MAX_TOTAL >> 20),
            ));
        }
        let found = hex(&Sha256::digest(&bytes));
        if !found.eq_ignore_ascii_case(expected) {
            return Err(PackError::new(
                name,
                format!("SHA-256 is {found}, the manifest says {expected}: it was altered"),
            ));
        }
        match name.as_str() {
            RULES => kept.rules = std::mem::take(&mut bytes),
            "sources.json" => kept.sources = std::mem::take(&mut bytes),
            "ecs.json" => kept.ecs = std::mem::take(&mut bytes),
            "canary.json" => kept.canary = std::mem::take(&mut bytes),
            _ => {}
        }
    }
    Ok(kept)
}

fn read_member(archive: &mut Archive<'_>, name: &str) -> Result<Vec<u8>, PackError> {
    let fault = |e: &dyn std::fmt::Display| PackError::new(name, format!("it cannot be read ({e})"));
    let member = archive.by_name(name).map_err(|e| fault(&e))?;
    let mut bytes = Vec::with_capacity(member.size().min(1 << 20) as usize);
    member
        .take(MAX_MEMBER + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| fault(&e))?;
    if bytes.len() as u64 > MAX_MEMBER {
        return Err(PackError::new(name, format!("it exceeds {} MiB", MAX_MEMBER >> 20)));
    }
    Ok(bytes)
}

/// Reads members one after another with the same buffers: a pack has thousands of small ones. What is read is verified by
/// its SHA-256, not by the archive's own checksum.
struct Inflater {
    stream: Decompress,
    packed: Vec<u8>,
}

impl Default for Inflater {
    fn default() -> Self {
        Self {
            stream: Decompress::new(false),
            packed: Vec::new(),
        }
    }
}

impl Inflater {
    fn read(&mut self, archive: &mut Archive<'_>, name: &str, out: &mut Vec<u8>) -> Result<(), PackError> {
        let fault = |e: &dyn std::fmt::Display| PackError::new(name, format!("it cannot be read ({e})"));
        let at = (archive.index_for_name(name)).ok_or_else(|| fault(&"the archive does not name it"))?;
        let member = archive.by_index_raw(at).map_err(|e| fault(&e))?;
        let (method, size) = (member.compression(), member.size());
        self.packed.clear();
        let mut packed = member.take(MAX_MEMBER + 1);
        packed.read_to_end(&mut self.packed).map_err(|e| fault(&e))?;
        out.clear();
        match method {
            CompressionMethod::Stored => out.extend_from_slice(&self.packed),
            CompressionMethod::Deflated => {
                out.reserve(size.min(1 << 20) as usize + 1);
                self.inflate(out).map_err(|e| fault(&e))?;
            }
            other => return Err(fault(&format!("compression {other} is not known"))),
        }
        if out.len() as u64 > MAX_MEMBER {
            return Err(PackError::new(name, format!("it exceeds {} MiB", MAX_MEMBER >> 20)));
        }
        Ok(())
    }

    /// Inflates until the end, or to just beyond what a member may have.
    fn inflate(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        self.stream.reset(false);
        loop {
            let from = self.stream.total_in() as usize;
            let before = (from, out.len());
            let status = self
                .stream
                .decompress_vec(&self.packed[from..], out, FlushDecompress::Finish)
                .map_err(|e| e.to_string())?;
            if status == Status::StreamEnd || out.len() as u64 > MAX_MEMBER {
                return Ok(());
            }
            if out.len() == out.capacity() {
                out.reserve(out.len().clamp(1 << 12, 8 << 20));
            } else if before == (self.stream.total_in() as usize, out.len()) {
                return Err("it ends too early".to_owned());
            }
        }
    }
}

fn version(text: &str) -> Option<[u32; 3]> {
    let core = text.split(['-', '+']).next()?;
    let mut parts = core.split('.').map(|p| p.parse().ok());
    let version = [
        parts.next()??,
        parts.next().unwrap_or(Some(0))?,
        parts.next().unwrap_or(Some(0))?,
    ];
    parts.next().is_none().then_some(version)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}
