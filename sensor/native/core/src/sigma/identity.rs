//! Event ids: the same for the same input however often it is read, and different for two equal lines (DESIGN 5.3).

use std::collections::VecDeque;

use hashbrown::HashMap;
use sha2::{Digest as _, Sha256};

use super::hit::EventId;
use crate::event::Time;

/// Identical events are told apart within their second; this many (input, second, event) are remembered.
const MAX_REMEMBERED: usize = 32_768;

/// One event among all: digest of its input, second and content, and its ordinal among its equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Digest of all of it.
    pub id: EventId,
    /// The ordinal.
    pub ordinal: u32,
}

/// Counts identical events of the same second and input. First in, first out: what is forgotten is long past.
#[derive(Debug, Default)]
pub struct Ordinals {
    counts: HashMap<EventId, u32, foldhash::fast::RandomState>,
    order: VecDeque<EventId>,
    /// Events whose ordinal was forgotten.
    pub forgotten: u64,
}

impl Ordinals {
    /// The identity of an event; the ordinal of the first among its equals is 0.
    pub fn next(&mut self, input: &str, ts: Time, event: &str) -> Identity {
        let second = ts.0.div_euclid(1_000_000_000).to_be_bytes();
        let key = digest(&[input.as_bytes(), &second, event.as_bytes()]);
        let ordinal = self.count(key);
        Identity {
            id: digest(&[&key, &ordinal.to_be_bytes()]),
            ordinal,
        }
    }

    fn count(&mut self, key: EventId) -> u32 {
        if let Some(count) = self.counts.get_mut(&key) {
            *count += 1;
            return *count;
        }
        if self.order.len() == MAX_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
            self.forgotten += 1;
        }
        self.counts.insert(key, 0);
        self.order.push_back(key);
        0
    }

    /// The state as bytes, for a checkpoint.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.order.len() * 20);
        for key in &self.order {
            out.extend_from_slice(key);
            out.extend_from_slice(&self.counts.get(key).copied().unwrap_or(0).to_le_bytes());
        }
        out
    }

    /// The state of a checkpoint; bytes that are none leave it empty.
    pub fn restore(bytes: &[u8]) -> Self {
        let mut state = Self::default();
        if bytes.len().is_multiple_of(20) && bytes.len() <= 20 * MAX_REMEMBERED {
            for entry in bytes.chunks_exact(20) {
                if let (Ok(key), Ok(count)) = (entry[..16].try_into(), entry[16..].try_into()) {
                    state.counts.insert(key, u32::from_le_bytes(count));
                    state.order.push_back(key);
                }
            }
        }
        state
    }
}

/// The id of a rule's hit.
pub fn event_id(sensor: &str, rule: &str, event: &str, ordinal: u32) -> EventId {
    digest(&[
        sensor.as_bytes(),
        rule.as_bytes(),
        event.as_bytes(),
        &ordinal.to_be_bytes(),
    ])
}

/// The first 16 bytes of SHA-256 over parts, each preceded by its length: no two lists of parts read alike.
pub fn digest(parts: &[&[u8]]) -> EventId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lines_of_a_second_are_told_apart_and_others_are_not() {
        let mut ordinals = Ordinals::default();
        let (first, later) = (Time(5_000_000_000), Time(6_000_000_000));
        assert_eq!(ordinals.next("a.log", first, "{}").ordinal, 0);
        assert_eq!(ordinals.next("a.log", Time(5_999_999_999), "{}").ordinal, 1);
        assert_eq!(ordinals.next("a.log", later, "{}").ordinal, 0);
        assert_eq!(ordinals.next("b.log", first, "{}").ordinal, 0);
        let mut restored = Ordinals::restore(&ordinals.snapshot());
        assert_eq!(restored.next("a.log", first, "{}").ordinal, 2);
    }

    #[test]
    fn a_flood_of_different_events_is_bounded() {
        let mut ordinals = Ordinals::default();
        for n in 0..200_000 {
            ordinals.next("a.log", Time(0), &n.to_string());
        }
        assert_eq!(ordinals.counts.len(), MAX_REMEMBERED);
        assert_eq!(ordinals.order.len(), MAX_REMEMBERED);
        assert_eq!(ordinals.forgotten, 200_000 - MAX_REMEMBERED as u64);
    }
}
