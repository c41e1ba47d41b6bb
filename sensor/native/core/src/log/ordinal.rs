//! Which of several equal things of one second it is. Two equal lines stay two, and a second reading of the input gives each
//! the ordinal it had.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Seconds that are remembered.
const SECONDS: usize = 64;
/// Things that are remembered.
const ENTRIES: usize = 65_536;

/// Counts equal things by second.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordinals {
    seconds: BTreeMap<i64, BTreeMap<u64, u32>>,
    entries: usize,
    /// Seconds forgotten to make room while they may still have been in use.
    #[serde(skip)]
    pub evicted: u64,
}

impl Ordinals {
    /// The ordinal of a thing with this hash in this second: 0 for the first.
    pub fn next(&mut self, second: i64, hash: u64) -> u32 {
        while self.entries >= ENTRIES || (self.seconds.len() >= SECONDS && !self.seconds.contains_key(&second)) {
            let Some((_, oldest)) = self.seconds.pop_first() else {
                break;
            };
            self.entries -= oldest.len();
            self.evicted += 1;
        }
        let of_second = self.seconds.entry(second).or_default();
        let before = of_second.len();
        let next = of_second.entry(hash).or_insert(0);
        let ordinal = *next;
        *next = next.saturating_add(1);
        self.entries += of_second.len() - before;
        ordinal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_things_of_one_second_are_numbered() {
        let mut ordinals = Ordinals::default();
        let got: Vec<u32> = [(1, 7), (1, 7), (1, 8), (2, 7), (1, 7)]
            .iter()
            .map(|(s, h)| ordinals.next(*s, *h))
            .collect();
        assert_eq!(got, [0, 1, 0, 0, 2]);
        let text = serde_json::to_string(&ordinals).unwrap();
        let mut again: Ordinals = serde_json::from_str(&text).unwrap();
        assert_eq!(again.next(1, 7), 3);
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut ordinals = Ordinals::default();
        for hash in 0..200_000 {
            ordinals.next(0, hash);
            ordinals.next(hash.cast_signed(), 1);
        }
        assert!(ordinals.entries <= ENTRIES);
        assert!(ordinals.seconds.len() <= SECONDS);
        assert_eq!(
            ordinals.entries,
            ordinals.seconds.values().map(BTreeMap::len).sum::<usize>()
        );
        assert!(ordinals.evicted > 0);
    }
}
