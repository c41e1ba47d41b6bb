//! The window of one group key, by what its condition is.

use std::sync::Arc;

use super::definition::{Definition, Pace};
use super::entry::{Entry, Last, Reading};
use super::forward::Forward;
use super::rising::Rising;
use super::settled::Settled;

/// Hits of one key that wait with their events for late ones.
pub const MAX_HELD: usize = 1_024;

/// What became of a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It counts.
    Counted,
    /// Its event counts already, by another rule.
    Again,
    /// Windows that it belongs to are decided.
    TooLate,
}

/// The window of one key.
#[derive(Debug)]
pub enum Window {
    /// Fires as hits come.
    Rising(Rising),
    /// Fires when the lateness has passed.
    Settled(Settled),
    /// Fires when the timespan and the lateness have passed.
    Forward(Forward),
}

impl Window {
    /// Without entries.
    pub fn new(definition: &Definition) -> Self {
        match definition.pace {
            Pace::AtOnce => Self::Rising(Rising::default()),
            Pace::Settled => Self::Settled(Settled::default()),
            Pace::Closed => Self::Forward(Forward::default()),
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        match self {
            Self::Rising(window) => window.entries().len(),
            Self::Settled(window) => window.len(),
            Self::Forward(window) => window.len(),
        }
    }

    /// Time of the newest entry.
    pub fn newest(&self) -> Option<i64> {
        match self {
            Self::Rising(window) => window.newest(),
            Self::Settled(window) => window.newest(),
            Self::Forward(window) => window.newest(),
        }
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Rising(window) => window.bytes(),
            Self::Settled(window) => window.bytes(),
            Self::Forward(window) => window.bytes(),
        }
    }

    /// Adds a hit where it belongs; what fires at once with it.
    pub fn add(
        &mut self,
        definition: &Definition,
        entry: Entry,
        last: &Arc<Last>,
        lateness: i64,
    ) -> (Added, Option<Reading>) {
        match self {
            Self::Rising(window) => (Added::Counted, window.add(definition, entry, lateness)),
            Self::Settled(window) => (window.add(definition, entry, last), None),
            Self::Forward(window) => (window.add(definition, entry, last), None),
        }
    }

    /// The end of the first window that waits to be decided.
    pub fn next_end(&self, definition: &Definition) -> Option<i64> {
        match self {
            Self::Rising(_) => None,
            Self::Settled(window) => window.first_waiting(),
            Self::Forward(window) => window.first_closing(definition),
        }
    }

    /// Decides windows that end up to `until`, in order; the first that meets the condition, with its last event. Asked
    /// again until there is none.
    pub fn decide(&mut self, definition: &Definition, until: i64) -> Option<(Reading, Arc<Last>)> {
        match self {
            Self::Rising(_) => None,
            Self::Settled(window) => window.decide(definition, until),
            Self::Forward(window) => window.decide(definition, until),
        }
    }

    /// Up to when windows must be decided early, because more hits wait than may.
    pub fn overfull(&self) -> Option<i64> {
        match self {
            Self::Settled(window) if window.is_overfull() => window.first_waiting(),
            _ => None,
        }
    }

    /// Drops what waits beyond what may; how many.
    pub fn thin(&mut self) -> u64 {
        match self {
            Self::Forward(window) => window.thin(),
            _ => 0,
        }
    }
}
