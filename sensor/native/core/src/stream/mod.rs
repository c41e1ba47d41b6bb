//! TCP reassembly: segments in any order to bytes in order, with bounded memory and gaps that are never spliced.
//!
//! Offsets are relative to the initial sequence number: the first data byte is 1. Of bytes that come twice the first win.

pub(crate) mod pieces;

use crate::stats::{Report, Tally};

/// Bytes out of order of one direction.
pub(crate) const MAX_HELD: usize = 256 * 1024;
/// Bytes out of order of all connections.
pub(crate) const MAX_HELD_ALL: usize = 64 * 1024 * 1024;
/// Bytes above a hole after which it is given up where the receiver was never seen to acknowledge anything.
const ABOVE_HOLE_WITHOUT_ACK: usize = 16 * 1024;
/// Counted for each held segment beside its bytes.
const OVERHEAD: usize = 64;

/// What all streams share: the memory that is left, and counters.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    held: usize,
    peak: usize,
    refused: u64,
    gaps: u64,
    gap_bytes: u64,
    undelivered: u64,
    inconsistent: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self::sharing(1)
    }
}

impl Budget {
    /// The part of one of so many workers.
    pub(crate) fn sharing(workers: usize) -> Self {
        Self {
            limit: MAX_HELD_ALL / workers,
            held: 0,
            peak: 0,
            refused: 0,
            gaps: 0,
            gap_bytes: 0,
            undelivered: 0,
            inconsistent: 0,
        }
    }
}

impl Report for Budget {
    fn report(&self, tally: &mut Tally) {
        tally.add("stream.held_bytes", self.held as u64);
        tally.add("stream.held_bytes_peak", self.peak as u64);
        tally.add("stream.dropped{out_of_order_memory}", self.refused);
        tally.add("stream.dropped{above_hole_at_end}", self.undelivered);
        tally.add("stream.gaps", self.gaps);
        tally.add("stream.gap_bytes", self.gap_bytes);
        tally.add("stream.inconsistent_retransmissions", self.inconsistent);
    }
}

/// What a stream hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunk<'a> {
    Bytes(&'a [u8]),
    /// So many bytes were missed.
    Gap(u64),
}

/// One direction of a connection.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Offset of the next byte to hand on.
    next: u64,
    held: Vec<(u64, Vec<u8>)>,
    held_bytes: usize,
    /// Nobody reads it any more: bytes are only counted.
    off: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            next: 1,
            held: Vec::new(),
            held_bytes: 0,
            off: false,
        }
    }
}

impl Stream {
    /// Offset of the next byte to hand on.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Takes a segment; hands on what is in order. `acked` says whether its receiver ever acknowledged anything.
    pub(crate) fn segment(
        &mut self,
        budget: &mut Budget,
        at: u64,
        bytes: &[u8],
        acked: bool,
        each: &mut dyn FnMut(Chunk<'_>),
    ) {
        let end = at + bytes.len() as u64;
        if end <= self.next {
            return;
        }
        if self.off {
            self.next = end;
            return;
        }
        if at <= self.next && self.held.is_empty() {
            let fresh = &bytes[(self.next - at) as usize..];
            self.next = end;
            each(Chunk::Bytes(fresh));
            return;
        }
        let cost = bytes.len() + OVERHEAD;
        if at > self.next && (self.held_bytes + cost > MAX_HELD || budget.held + cost > budget.limit) {
            budget.refused += 1;
            return;
        }
        let (from, fresh) = if at < self.next {
            (self.next, &bytes[(self.next - at) as usize..])
        } else {
            (at, bytes)
        };
        if pieces::differs(&self.held, from, fresh) {
            budget.inconsistent += 1;
        }
        let before = self.held.len();
        let added = pieces::insert(&mut self.held, from, fresh) + OVERHEAD * (self.held.len() - before);
        self.held_bytes += added;
        budget.held += added;
        budget.peak = budget.peak.max(budget.held);
        self.drain(budget, each);
        if !acked
            && self.held_bytes > ABOVE_HOLE_WITHOUT_ACK
            && let Some((start, _)) = self.held.first()
        {
            self.missed(budget, *start, each);
        }
    }

    /// The receiver acknowledged up to offset `ack`: what is missing below it will not come. Returns the bytes missed.
    pub(crate) fn missed(&mut self, budget: &mut Budget, ack: u64, each: &mut dyn FnMut(Chunk<'_>)) -> u64 {
        let mut missed = 0;
        while self.next < ack {
            let until = self.held.first().map_or(ack, |(start, _)| (*start).min(ack));
            if until > self.next {
                let n = until - self.next;
                self.next = until;
                missed += n;
                if !self.off {
                    budget.gaps += 1;
                    budget.gap_bytes += n;
                    each(Chunk::Gap(n));
                }
            }
            self.drain(budget, each);
        }
        missed
    }

    fn drain(&mut self, budget: &mut Budget, each: &mut dyn FnMut(Chunk<'_>)) {
        let mut done = 0;
        while let Some((start, bytes)) = self.held.get(done) {
            if *start > self.next {
                break;
            }
            let skip = ((self.next - start) as usize).min(bytes.len());
            self.next = self.next.max(start + bytes.len() as u64);
            if !self.off && skip < bytes.len() {
                each(Chunk::Bytes(&bytes[skip..]));
            }
            self.held_bytes -= bytes.len() + OVERHEAD;
            budget.held -= bytes.len() + OVERHEAD;
            done += 1;
        }
        self.held.drain(..done);
    }

    /// From now on bytes are only counted.
    pub(crate) fn turn_off(&mut self, budget: &mut Budget) {
        self.off = true;
        self.release(budget, false);
    }

    /// Gives its memory back; at a connection's end what still lies above a hole is lost and counted.
    pub(crate) fn release(&mut self, budget: &mut Budget, at_end: bool) {
        if at_end {
            budget.undelivered += self.held.len() as u64;
        }
        budget.held -= self.held_bytes;
        self.held_bytes = 0;
        self.held = Vec::new();
    }
}

#[cfg(test)]
mod tests;
