//! Sums, averages and percentiles over a window that slides: exact up to [`EXACT`] numbers, beyond them the oldest are
//! kept as chunks, of which each leaves the window as a whole, and percentiles as a sketch.

use std::collections::VecDeque;
use std::mem;

use super::definition::{Definition, Kind};
use super::fixed::{Fixed, Number, Sum};
use super::sketch::Bins;

/// Numbers of one key that are kept one by one.
pub const EXACT: usize = 10_000;
/// Of these, how many become a chunk when there are too many.
pub const STRETCH: usize = 1_000;
/// Chunks of one key; beyond them neighbours are joined.
const MAX_CHUNKS: usize = 64;

/// Numbers that are no longer kept one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Time of the first.
    pub from: i64,
    /// Time of the last.
    pub to: i64,
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: Sum,
    /// Of percentiles, their distribution.
    pub bins: Bins,
}

/// What is known of a window's numbers.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    sum: Sum,
    /// Of percentiles: what is kept one by one, in order.
    sorted: Vec<Fixed>,
    chunks: VecDeque<Chunk>,
    /// Of percentiles while there are chunks: the distribution of everything.
    bins: Bins,
    in_chunks: u64,
}

impl Numbers {
    /// The chunks, oldest first.
    pub fn chunks(&self) -> &VecDeque<Chunk> {
        &self.chunks
    }

    /// How many numbers are in chunks.
    pub fn in_chunks(&self) -> u64 {
        self.in_chunks
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        let chunks = self.chunks.iter().map(|c| c.bins.bytes()).sum::<usize>();
        self.sorted.capacity() * mem::size_of::<Fixed>()
            + self.chunks.capacity() * mem::size_of::<Chunk>()
            + chunks
            + self.bins.bytes()
    }

    /// Adds a number that is kept.
    pub fn add(&mut self, kind: Kind, number: Fixed) {
        self.sum.add(number);
        if kind.is_ranked() {
            let place = self.sorted.partition_point(|n| *n < number);
            self.sorted.insert(place, number);
            if !self.chunks.is_empty() {
                self.bins.add(number);
            }
        }
    }

    /// Takes back a number that is kept.
    pub fn take(&mut self, kind: Kind, number: Fixed) {
        self.sum.take(number);
        self.unrank(kind, number);
        if kind.is_ranked() && !self.chunks.is_empty() {
            self.bins.take(number);
        }
    }

    fn unrank(&mut self, kind: Kind, number: Fixed) {
        if kind.is_ranked()
            && let Ok(place) = self.sorted.binary_search(&number)
        {
            self.sorted.remove(place);
        }
    }

    /// The oldest numbers that are kept become a chunk; in order of time.
    pub fn fold(&mut self, kind: Kind, oldest: &[(i64, Fixed)]) {
        let ([(from, _), ..], [.., (to, _)]) = (oldest, oldest) else {
            return;
        };
        if kind.is_ranked() && self.chunks.is_empty() {
            self.bins = Bins::default();
            for number in &self.sorted {
                self.bins.add(*number);
            }
        }
        let mut chunk = Chunk {
            from: *from,
            to: *to,
            count: oldest.len() as u64,
            ..Chunk::default()
        };
        for (_, number) in oldest {
            chunk.sum.add(*number);
            self.unrank(kind, *number);
            if kind.is_ranked() {
                chunk.bins.add(*number);
            }
        }
        self.in_chunks += chunk.count;
        self.chunks.push_back(chunk);
        if self.chunks.len() > MAX_CHUNKS {
            self.join();
        }
    }

    /// Neighbours become one: what is older is known less exactly.
    fn join(&mut self) {
        let mut joined: VecDeque<Chunk> = VecDeque::with_capacity(MAX_CHUNKS);
        let mut chunks = mem::take(&mut self.chunks).into_iter();
        while let Some(mut chunk) = chunks.next() {
            if let Some(next) = chunks.next() {
                chunk.to = next.to;
                chunk.count += next.count;
                chunk.sum.join(next.sum);
                chunk.bins.join(&next.bins);
            }
            joined.push_back(chunk);
        }
        self.chunks = joined;
    }

    /// Forgets chunks that lie wholly before `from`.
    pub fn expire(&mut self, from: i64) {
        while self.chunks.front().is_some_and(|chunk| chunk.to < from) {
            let Some(chunk) = self.chunks.pop_front() else {
                return;
            };
            self.sum.part(chunk.sum);
            self.bins.part(&chunk.bins);
            self.in_chunks -= chunk.count;
        }
        if self.chunks.is_empty() {
            self.bins = Bins::default();
        }
    }

    /// What the condition is about, where `kept` numbers are kept one by one; `None` of no number at all.
    pub fn number(&self, definition: &Definition, kept: usize) -> Option<Number> {
        let count = self.in_chunks + kept as u64;
        if count == 0 {
            return None;
        }
        Some(match definition.kind {
            Kind::ValueSum => self.sum.over(1),
            Kind::ValueAvg => self.sum.over(count),
            _ if self.chunks.is_empty() => Number::percentile(&self.sorted, definition.percentile)?,
            _ => Number::of(self.bins.percentile(definition.percentile)?),
        })
    }

    /// From a checkpoint: its chunks, then the numbers that are kept.
    pub fn restored(kind: Kind, chunks: Vec<Chunk>, kept: impl Iterator<Item = Fixed>) -> Self {
        let mut numbers = Self::default();
        for number in kept {
            numbers.sum.add(number);
            if kind.is_ranked() {
                numbers.sorted.push(number);
                if !chunks.is_empty() {
                    numbers.bins.add(number);
                }
            }
        }
        numbers.sorted.sort_unstable();
        for chunk in chunks {
            numbers.sum.join(chunk.sum);
            numbers.bins.join(&chunk.bins);
            numbers.in_chunks = numbers.in_chunks.saturating_add(chunk.count);
            numbers.chunks.push_back(chunk);
        }
        numbers
    }
}
