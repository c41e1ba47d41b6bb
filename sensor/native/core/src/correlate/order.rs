//! Replay puts hits in the order of their events before they are counted: the order of arguments and speed change nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sigma::Hit;

/// Hits wait here until no earlier one can come, or until they take more than this.
const MAX_BYTES: usize = 32 << 20;

type Place = (i64, Arc<str>, u64, u32, u64);

/// Hits by (event time, input, offset, rule).
#[derive(Debug, Default)]
pub struct Ordered {
    hits: BTreeMap<Place, Hit>,
    bytes: usize,
    count: u64,
    /// Hits let go before their time because too many waited.
    pub early: u64,
}

impl Ordered {
    /// Adds a hit. Hits that must go before their time are given back.
    pub fn add(&mut self, hit: Hit, early: &mut Vec<Hit>) {
        self.count += 1; // equal places keep the order in which they came
        self.bytes += bytes(&hit);
        self.hits.insert(
            (hit.ts.0, Arc::clone(&hit.input), hit.offset, hit.member, self.count),
            hit,
        );
        while self.bytes > MAX_BYTES {
            let Some((_, hit)) = self.hits.pop_first() else {
                break;
            };
            self.bytes -= bytes(&hit);
            self.early += 1;
            early.push(hit);
        }
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
