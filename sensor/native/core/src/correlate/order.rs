//! Replay puts hits in the order of their events, before they are counted and before they are given out: the order of
//! arguments and speed change nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sigma::Hit;

/// Hits wait here until no earlier one can come, or until they take more than this.
const MAX_BYTES: usize = 32 << 20;

type Place = (i64, Arc<str>, u64, u32, u64);

/// Hits by (event time, input, offset, rule): a match stands before the correlations that it completes.
#[derive(Debug, Default)]
pub struct Ordered {
    hits: BTreeMap<Place, Hit>,
    bytes: usize,
    count: u64,
}

impl Ordered {
    /// Adds a hit.
    pub fn add(&mut self, hit: Hit) {
        self.count += 1; // equal places keep the order in which they came
        self.bytes += bytes(&hit);
        self.hits.insert(
            (hit.ts.0, Arc::clone(&hit.input), hit.offset, hit.member, self.count),
            hit,
        );
    }

    /// When more wait than may: the time of the first, which must go.
    pub fn overfull(&self) -> Option<i64> {
        let (first, ..) = self.hits.first_key_value()?.0;
        (self.bytes > MAX_BYTES).then_some(*first)
    }

    /// The first hit.
    pub fn first(&mut self) -> Option<Hit> {
        self.next_before(i64::MAX)
    }

    /// The first hit of an event before `until`.
    pub fn next_before(&mut self, until: i64) -> Option<Hit> {
        let first = self.hits.first_entry().filter(|first| first.key().0 < until)?;
        let hit = first.remove();
        self.bytes -= bytes(&hit);
        Some(hit)
    }
}

fn bytes(hit: &Hit) -> usize {
    let keys: usize = hit.keys.iter().flatten().map(|key| key.len() + 16).sum();
    std::mem::size_of::<Hit>() + hit.event.len() + hit.matched.len() * 200 + keys + 128
}
