//! What a window keeps of an event, and what it says once its condition is met.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::fixed::{Fixed, Number};
use crate::event::LogSource;
use crate::sigma::{EventId, Hit, Matched};

/// Event ids that a hit names.
pub const MAX_SAMPLES: usize = 20;

/// One contributing event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Event time in nanoseconds (of a re-timed hit, its receipt).
    pub ts: i64,
    /// Its input.
    pub input: Arc<str>,
    /// Its place in the input.
    pub offset: u64,
    /// Which of the listed rules.
    pub member: u16,
    /// Of `value_count`, the digest of the counted value; else the event's identity.
    pub value: EventId,
    /// Of sums, averages and percentiles, its number.
    pub number: Fixed,
    /// Id of the hit.
    pub id: EventId,
}

impl Entry {
    fn place(&self) -> (i64, &str, u64) {
        (self.ts, &self.input, self.offset)
    }

    /// Order by (time, input, place in the input).
    pub fn order(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

/// The last contributing event, for the alert.
#[derive(Debug, Clone)]
pub struct Last {
    /// Its JSON.
    pub event: Arc<str>,
    /// Its log source.
    pub logsource: Arc<LogSource>,
    /// Its input.
    pub input: Arc<str>,
    /// Its place there.
    pub offset: u64,
    /// Its identity.
    pub source: EventId,
    /// Its evidence.
    pub matched: Vec<Matched>,
    /// It was re-timed.
    pub retimed: bool,
}

impl Last {
    /// What an alert says of a hit's event.
    pub fn of(hit: &Hit) -> Self {
        Self {
            event: Arc::clone(&hit.event),
            logsource: Arc::clone(&hit.logsource),
            input: Arc::clone(&hit.input),
            offset: hit.offset,
            source: hit.source,
            matched: hit.matched.clone(),
            retimed: hit.retimed,
        }
    }

    /// Bytes it holds; shared ones count for each holder.
    pub fn bytes(&self) -> usize {
        self.event.len() + self.matched.len() * 200 + mem::size_of::<Self>()
    }
}

/// Hits that wait, each with its event.
pub type Waiting = VecDeque<(Entry, Arc<Last>)>;

/// A window whose condition is met.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The number that the condition is about.
    pub number: Number,
    /// Time of the first contributing event.
    pub start: i64,
    /// The window's end.
    pub end: i64,
    /// Contributing events.
    pub count: u64,
    /// Ids of the latest of them, at most [`MAX_SAMPLES`].
    pub samples: Vec<EventId>,
    /// The number is an estimate.
    pub sketched: bool,
}

/// The ids of the latest entries, in their order.
pub fn samples<'a>(newest_first: impl Iterator<Item = &'a Entry>) -> Vec<EventId> {
    let mut ids: Vec<EventId> = newest_first.take(MAX_SAMPLES).map(|entry| entry.id).collect();
    ids.reverse();
    ids
}
