//! The whole way of one sender's lines: decode, header, identify, parse, map, number; and the accounts of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::{Body, Event, Fields, Time, Uid};
use crate::stats::Tally;

use super::account::Account;
use super::ordinal::Ordinals;
use super::record::Names;
use super::source::{Outcome, Sources};
use super::syslog;
use super::text::{Charset, Decoded};
use super::time::Clock;

const NANOS: i64 = 1_000_000_000;
/// Unclaimed lines kept for the operator.
const SAMPLES: usize = 20;

/// What is known of a sender before its first line.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The device's name, which every line's `uid` hashes.
    pub device: Arc<str>,
    /// The file's name without its folder, for definitions that look at it.
    pub file: Option<String>,
    /// The only definition asked.
    pub pinned: Option<usize>,
    /// Its character set beside UTF-8.
    pub charset: Charset,
}

/// What a checkpoint keeps of a sender.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Nanoseconds of the line before.
    pub last: Option<i64>,
    /// Equal lines of the last seconds.
    pub ordinals: Ordinals,
}

/// Which definition took a line and what it made of it, for `sources explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Became an event of this definition.
    Mapped(Arc<str>),
    /// Claimed and skipped.
    Skipped(Arc<str>),
    /// Claimed and unreadable.
    Unparsed(Arc<str>),
    /// Claimed by nobody.
    Unmatched,
}

/// One sender: its lines become events.
pub struct Sender {
    sources: Arc<Sources>,
    profile: Profile,
    names: Vec<Option<Names>>,
    /// Its clock.
    pub clock: Clock,
    ordinals: Ordinals,
    /// Its accounts.
    pub account: Account,
    samples: Vec<String>,
}

impl Sender {
    /// A sender whose lines `sources` describe.
    pub fn new(sources: Arc<Sources>, profile: Profile, clock: Clock) -> Self {
        let names = vec![None; sources.ids().len()];
        let ordinals = Ordinals::default();
        Self {
            sources,
            profile,
            names,
            clock,
            ordinals,
            account: Account::default(),
            samples: Vec::new(),
        }
    }

    /// The same sender under another pack; accounts and memory stay.
    pub fn reload(&mut self, sources: Arc<Sources>, pinned: Option<usize>) {
        self.names = vec![None; sources.ids().len()];
        self.sources = sources;
        self.profile.pinned = pinned;
    }

    /// What must survive a restart.
    pub fn memory(&self) -> Memory {
        Memory {
            last: self.clock.last().map(|time| time.0),
            ordinals: self.ordinals.clone(),
        }
    }

    /// Goes on where `memory` was taken.
    pub fn resume(&mut self, memory: Memory) {
        self.clock.resume(memory.last.map(Time));
        self.ordinals = memory.ordinals;
    }

    /// The first unclaimed lines.
    pub fn samples(&self) -> &[String] {
        &self.samples
    }

    /// Takes one line without its end; the event, if it makes one, goes to `sink`.
    pub fn line(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Event)) -> Verdict {
        self.account.received += 1;
        let (text, how) = self.profile.charset.decode(bytes);
        match how {
            Decoded::Utf8 => {}
            Decoded::Charset => self.account.charset += 1,
            Decoded::Damaged => self.account.damaged += 1,
        }
        let header = syslog::header(&text);
        let place = match self.profile.pinned {
            Some(place) => Some(place),
            None => self.sources.identify(&header, self.profile.file.as_deref()),
        };
        let Some(place) = place else {
            self.account.unmatched += 1;
            if self.samples.len() < SAMPLES {
                self.samples.push(text.chars().take(500).collect());
            }
            return Verdict::Unmatched;
        };
        let source = self.sources.get(place);
        let names = self.names[place].get_or_insert_with(|| source.names.clone());
        let id = Arc::clone(&source.id);
        match source.line(&header, names, &mut self.clock, &mut self.account.damage) {
            Outcome::Mapped(ts, fields) => {
                Account::count(&mut self.account.mapped, &id);
                let event = self.event(ts, bytes, fields);
                sink(event);
                Verdict::Mapped(id)
            }
            Outcome::Skipped => {
                Account::count(&mut self.account.skipped, &id);
                Verdict::Skipped(id)
            }
            Outcome::Unparsed => {
                Account::count(&mut self.account.unparsed, &id);
                Verdict::Unparsed(id)
            }
        }
    }

    /// A line beyond the limit, which framing skipped.
    pub fn too_long(&mut self, lines: u64) {
        self.account.received += lines;
        self.account.too_long += lines;
    }

    fn event(&mut self, ts: Time, line: &[u8], fields: Fields) -> Event {
        Event {
            ts,
            uid: Some(self.uid(ts, line)),
            conn: None,
            body: Body::Named(Box::new(fields)),
        }
    }

    /// From sender, time, line and its ordinal among equal lines of that second: the same when the line is read again.
    fn uid(&mut self, ts: Time, line: &[u8]) -> Uid {
        let mut hash = Sha256::new();
        hash.update(self.profile.device.as_bytes());
        hash.update([0]);
        hash.update(ts.0.to_le_bytes());
        hash.update(line);
        let mut digest: [u8; 32] = hash.finalize().into();
        let (head, _) = digest.split_at(8);
        let short = head.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let ordinal = self.ordinals.next(ts.0.div_euclid(NANOS), short);
        if ordinal > 0 {
            digest = Sha256::new()
                .chain_update(digest)
                .chain_update(ordinal.to_le_bytes())
                .finalize()
                .into();
        }
        let mut wide = [0; 16];
        wide[..12].copy_from_slice(&digest[..12]);
        Uid::from_hash(u128::from_le_bytes(wide))
    }

    /// Adds the counters to `tally`.
    pub fn report(&self, tally: &mut Tally) {
        self.account.report(&self.profile.device, tally);
        tally.add("log.time.doubled_hour", self.clock.doubled);
        tally.add("log.time.missing_hour", self.clock.missing);
        tally.add("log.time.untimed", self.clock.untimed);
        tally.add("log.ordinal.dropped{evicted}", self.ordinals.evicted);
    }
}

#[cfg(test)]
mod tests;
