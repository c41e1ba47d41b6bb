//! A filter in front of a map: two bits of one word for each key, so that most of what the map does not hold is told by one
//! look (Bloom's, kept within a word).

/// Bits for each key; with two of them set, one key in sixty that was never added is taken for one that was.
const BITS_PER_KEY: usize = 16;

/// Words at most: what more keys there are make strangers more frequent.
const MAX_WORDS: usize = 1 << 20;

/// A set of keys that may take a stranger for one of them, and never the other way round.
#[derive(Debug)]
pub struct Filter {
    /// A power of two of them.
    words: Box<[u64]>,
}

/// A key spread over 64 bits (Fibonacci hashing): the upper ones choose a word, the next ones two bits of it.
#[inline]
fn spread(key: u32) -> u64 {
    u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Filter {
    /// A filter for about `keys` keys.
    pub fn new(keys: usize) -> Self {
        let words = (keys * BITS_PER_KEY / 64).next_power_of_two().clamp(2, MAX_WORDS);
        Self {
            words: vec![0; words].into(),
        }
    }

    /// The place of a key's word.
    #[inline]
    fn place(&self, hash: u64) -> usize {
        (hash >> 44) as usize & (self.words.len() - 1)
    }

    /// Adds a key.
    pub fn add(&mut self, key: u32) {
        let hash = spread(key);
        let place = self.place(hash);
        self.words[place] |= 1 << (hash >> 38 & 63) | 1 << (hash >> 32 & 63);
    }

    /// Whether a key may have been added.
    #[inline]
    pub fn may_hold(&self, key: u32) -> bool {
        let hash = spread(key);
        let word = self.words[self.place(hash)];
        word >> (hash >> 38 & 63) & 1 == 1 && word >> (hash >> 32 & 63) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_held_and_most_else_is_not() {
        let mut filter = Filter::new(1_000);
        (0..1_000).for_each(|key| filter.add(key * 7_919));
        assert!((0..1_000).all(|key| filter.may_hold(key * 7_919)));
        let strangers = (0..10_000).filter(|key| filter.may_hold(key * 7_919 + 1)).count();
        assert!(strangers < 500, "{strangers} of 10,000");
    }
}
