//! Needles that must begin or end a text: looked up by the first or last bytes of it, a few lengths at a time.

use hashbrown::HashMap;

use super::filter::Filter;

/// Lengths at which a text is looked up; a needle stands under the longest that it fills.
const LENGTHS: [usize; 5] = [16, 8, 4, 3, 1];

/// Which end of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Its beginning.
    Start,
    /// Its end.
    End,
}

type ByEdge = HashMap<Box<[u8]>, Vec<u32>, foldhash::fast::RandomState>;

/// Needles that are looked up by one length of edge.
#[derive(Debug)]
struct Tier {
    length: usize,
    edges: Filter,
    needles: ByEdge,
}

/// A set of needles of one edge, each with an id from 0.
#[derive(Debug)]
pub struct Edges {
    edge: Edge,
    tiers: Vec<Tier>,
    texts: Vec<Box<str>>,
}

/// An edge as a key of the filter.
#[inline]
fn key(edge: &[u8]) -> u32 {
    let eight = |at: usize| {
        let eight = edge.get(at..at + 8).and_then(|eight| eight.try_into().ok());
        u64::from_le_bytes(eight.unwrap_or_default())
    };
    let mixed = match edge.len() {
        16 => eight(0).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ eight(8),
        8 => eight(0),
        _ => edge.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
    };
    (mixed ^ mixed >> 32) as u32
}

impl Edges {
    /// Over `texts`, none empty; a needle's id is its place there.
    pub fn new(edge: Edge, texts: Vec<Box<str>>) -> Self {
        let mut tiers: Vec<(usize, ByEdge)> = LENGTHS.iter().map(|length| (*length, HashMap::default())).collect();
        for (id, text) in texts.iter().enumerate() {
            if let Some((length, tier)) = tiers.iter_mut().find(|(length, _)| text.len() >= *length) {
                let key = edge.of(text.as_bytes(), *length);
                tier.entry(key.into()).or_default().push(id as u32);
            }
        }
        let tiers = tiers.into_iter().filter(|(_, needles)| !needles.is_empty());
        let tiers = tiers.map(|(length, needles)| {
            let mut edges = Filter::new(needles.len());
            needles.keys().for_each(|edge| edges.add(key(edge)));
            Tier { length, edges, needles }
        });
        Self {
            edge,
            tiers: tiers.collect(),
            texts,
        }
    }

    /// Calls `each` with the id of every needle that `text` begins or ends with.
    pub fn scan(&self, text: &[u8], each: &mut impl FnMut(u32)) {
        for tier in &self.tiers {
            if text.len() < tier.length {
                continue;
            }
            let edge = self.edge.of(text, tier.length);
            if !tier.edges.may_hold(key(edge)) {
                continue;
            }
            for id in tier.needles.get(edge).into_iter().flatten() {
                let needle = self.texts[*id as usize].as_bytes();
                if text.len() >= needle.len() && self.edge.of(text, needle.len()) == needle {
                    each(*id);
                }
            }
        }
    }
}

impl Edge {
    fn of(self, text: &[u8], length: usize) -> &[u8] {
        match self {
            Self::Start => &text[..length],
            Self::End => &text[text.len() - length..],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(edge: Edge, text: &str) -> Vec<u32> {
        let needles = ["abc", "abcd", "abcdabcd", "d", "abcdabcdabcdabcdabcd"];
        let edges = Edges::new(edge, needles.iter().map(|needle| (*needle).into()).collect());
        let mut found = Vec::new();
        edges.scan(text.as_bytes(), &mut |id| found.push(id));
        found.sort_unstable();
        found
    }

    #[test]
    fn needles_are_found_at_their_edge_only() {
        assert_eq!(found(Edge::Start, "abcdabcd"), [0, 1, 2]);
        assert_eq!(found(Edge::End, "abcdabcd"), [1, 2, 3]);
        assert_eq!(found(Edge::Start, "xabc"), [0; 0]);
        assert_eq!(found(Edge::End, "abc"), [0]);
        assert_eq!(found(Edge::End, &"abcd".repeat(5)), [1, 2, 3, 4]);
        assert_eq!(found(Edge::Start, ""), [0; 0]);
    }
}
