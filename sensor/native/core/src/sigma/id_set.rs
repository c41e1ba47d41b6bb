//! A set of small numbers: ids of rules or fields.

/// A set of ids, a bit each.
#[derive(Debug, Clone, Default)]
pub struct IdSet(Vec<u64>);

impl IdSet {
    /// The set of `ids`.
    pub fn new(ids: &[u32]) -> Self {
        let mut words = vec![0; ids.iter().max().map_or(0, |max| *max as usize / 64 + 1)];
        for id in ids {
            words[*id as usize / 64] |= 1 << (id % 64);
        }
        Self(words)
    }

    /// Whether `id` is one of them.
    #[inline]
    pub fn contains(&self, id: u32) -> bool {
        let word = self.0.get(id as usize / 64);
        word.is_some_and(|word| word >> (id % 64) & 1 == 1)
    }
}
