//! Puts IP fragments together (RFC 791, 3.2; RFC 8200, 4.5): first bytes win, everything bounded.

use std::collections::VecDeque;
use std::net::IpAddr;

use hashbrown::HashMap;

use super::ip::{Ip, Piece};
use crate::event::Time;
use crate::stats::{Report, Tally};
use crate::stream::pieces::insert;

/// Bytes of all incomplete datagrams together.
pub(crate) const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Fragments of one datagram.
const MAX_PIECES: usize = 128;
/// Length of one datagram.
const MAX_DATAGRAM: usize = 65_535;
/// Nanoseconds after the first fragment.
const TIMEOUT: i64 = 30 * 1_000_000_000;
/// Counted for each incomplete datagram beside its bytes.
const OVERHEAD: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    protocol: u8,
}

#[derive(Debug)]
struct Partial {
    first: Time,
    /// Pieces in order of offset, without overlap.
    pieces: Vec<(u64, Vec<u8>)>,
    /// Length of the whole payload, once the last fragment was seen.
    length: Option<usize>,
    bytes: usize,
}

/// What became of a fragment.
pub(crate) enum Outcome {
    /// Kept until the rest comes.
    Waiting,
    /// Its datagram is complete.
    Whole(Vec<u8>),
    /// Not believed; the name of Zeek's weird.
    Refused(&'static str),
}

/// Incomplete datagrams.
#[derive(Debug)]
pub(crate) struct Fragments {
    partial: HashMap<Key, Partial, foldhash::fast::RandomState>,
    /// Keys in order of their first fragment; finished ones stay until they come to the front.
    order: VecDeque<(Time, Key)>,
    bytes: usize,
    limit: usize,
    whole: u64,
    expired: u64,
    evicted: u64,
    refused: u64,
}

impl Default for Fragments {
    fn default() -> Self {
        Self::sharing(1)
    }
}

impl Fragments {
    /// The part of one of so many workers.
    pub(crate) fn sharing(workers: usize) -> Self {
        Self {
            partial: HashMap::default(),
            order: VecDeque::new(),
            bytes: 0,
            limit: MAX_BYTES / workers,
            whole: 0,
            expired: 0,
            evicted: 0,
            refused: 0,
        }
    }

    /// Takes a fragment.
    pub(crate) fn add(&mut self, now: Time, ip: &Ip<'_>, piece: Piece) -> Outcome {
        self.expire(now);
        let refuse = |this: &mut Self, name| {
            this.refused += 1;
            Outcome::Refused(name)
        };
        if ip.payload.len() < ip.payload_len {
            return refuse(self, "fragment_truncated");
        }
        let end = piece.offset + ip.payload.len();
        if end > MAX_DATAGRAM {
            return refuse(self, "fragment_size_inconsistency");
        }
        if piece.more && (ip.payload.is_empty() || !ip.payload.len().is_multiple_of(8)) {
            return refuse(self, "fragment_with_odd_length");
        }
        let key = Key {
            src: ip.src,
            dst: ip.dst,
            id: piece.id,
            protocol: ip.protocol,
        };
        let partial = self.partial.entry(key).or_insert_with(|| {
            self.bytes += OVERHEAD;
            self.order.push_back((now, key));
            Partial {
                first: now,
                pieces: Vec::new(),
                length: None,
                bytes: OVERHEAD,
            }
        });
        if partial.pieces.len() >= MAX_PIECES {
            return refuse(self, "excessively_many_fragments");
        }
        if !piece.more {
            partial.length = Some(partial.length.map_or(end, |length| length.min(end)));
        }
        let added = insert(&mut partial.pieces, piece.offset as u64, ip.payload);
        partial.bytes += added;
        self.bytes += added;
        if partial
            .length
            .is_some_and(|length| complete(&partial.pieces, length as u64))
            && let Some(done) = self.partial.remove(&key)
        {
            self.bytes -= done.bytes;
            self.whole += 1;
            let length = done.length.unwrap_or(0);
            let mut whole: Vec<u8> = Vec::with_capacity(length);
            for (_, bytes) in &done.pieces {
                whole.extend_from_slice(bytes);
            }
            whole.truncate(length);
            return Outcome::Whole(whole);
        }
        while self.bytes > self.limit && !self.order.is_empty() {
            self.evict();
        }
        Outcome::Waiting
    }

    fn expire(&mut self, now: Time) {
        while let Some((first, key)) = self.order.front().copied() {
            if now.0 - first.0 <= TIMEOUT && self.partial.contains_key(&key) {
                break;
            }
            self.order.pop_front();
            if now.0 - first.0 > TIMEOUT && self.forget(first, &key) {
                self.expired += 1;
            }
        }
    }

    fn evict(&mut self) {
        while let Some((first, key)) = self.order.pop_front() {
            if self.forget(first, &key) {
                self.evicted += 1;
                break;
            }
        }
    }

    /// Removes the datagram of this key if it is the one that began at `first`.
    fn forget(&mut self, first: Time, key: &Key) -> bool {
        if self.partial.get(key).is_none_or(|partial| partial.first != first) {
            return false;
        }
        if let Some(partial) = self.partial.remove(key) {
            self.bytes -= partial.bytes;
        }
        true
    }
}

impl Report for Fragments {
    fn report(&self, tally: &mut Tally) {
        tally.add("packet.datagrams_reassembled", self.whole);
        tally.add(
            "packet.dropped{fragment_timeout}",
            self.expired + self.partial.len() as u64,
        );
        tally.add("packet.dropped{fragment_evicted}", self.evicted);
        tally.add("packet.dropped{fragment_refused}", self.refused);
    }
}

fn complete(pieces: &[(u64, Vec<u8>)], length: u64) -> bool {
    let mut next = 0;
    for (start, bytes) in pieces {
        if *start > next {
            return false;
        }
        next = start + bytes.len() as u64;
    }
    next >= length
}
