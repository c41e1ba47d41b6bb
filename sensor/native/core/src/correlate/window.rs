//! The window of one group key: hits in the order of their events, counted as they come and never again.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::definition::{Definition, Kind};
use crate::sigma::EventId;

/// Entries beyond those a condition can need, so that a late hit still finds its neighbours.
const SLACK: usize = 1_024;

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

/// How far along a `temporal_ordered` chain events have come: for each step the latest start of a chain that ends there.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    /// Of chains that end before the newest event.
    settled: Option<i64>,
    /// Of a chain that ends with the newest event, which cannot be its own next step.
    newest: Option<i64>,
}

/// The window of one key.
#[derive(Debug, Clone, Default)]
pub struct Window {
    entries: VecDeque<Entry>,
    /// The first entry within the timespan of the newest one; those before it wait for late hits only.
    first: usize,
    /// What is counted once, with how often it occurs from `first` on; sorted.
    counts: Vec<(EventId, u32)>,
    steps: Vec<Step>,
}

/// The window at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The number that conditions are about.
    pub number: f64,
    /// Its last event's time.
    pub end: i64,
    /// Places of the contributing entries: from and up to, exclusive.
    pub range: (usize, usize),
}

impl Window {
    /// The entries, for a checkpoint.
    pub fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }

    /// Time of the newest entry.
    pub fn newest(&self) -> Option<i64> {
        self.entries.back().map(|e| e.ts)
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        self.entries.capacity() * mem::size_of::<Entry>()
            + self.counts.capacity() * mem::size_of::<(EventId, u32)>()
            + self.steps.capacity() * mem::size_of::<Step>()
    }

    /// Adds a hit where it belongs; its place among the entries, or `None` for an event that is counted already. Entries
    /// older than `keep_from` are dropped first.
    pub fn add(&mut self, definition: &Definition, entry: Entry, keep_from: i64) -> Option<usize> {
        self.forget(keep_from);
        self.bound(definition);
        let late = self
            .entries
            .back()
            .is_some_and(|newest| entry.order(newest) == Ordering::Less);
        if !late {
            if self.holds(definition.kind, &entry, self.entries.len()) {
                return None;
            }
            self.push(definition, entry);
            return Some(self.entries.len() - 1);
        }
        let place = self.entries.partition_point(|e| e.order(&entry) != Ordering::Greater);
        if self.holds(definition.kind, &entry, place) {
            return None;
        }
        self.entries.insert(place, entry);
        self.recount(definition);
        Some(place)
    }

    /// Whether the event of a hit stands before `end` already, by another rule.
    fn holds(&self, kind: Kind, entry: &Entry, end: usize) -> bool {
        let same_place = self
            .entries
            .range(..end)
            .rev()
            .take_while(|e| e.order(entry) == Ordering::Equal);
        kind == Kind::EventCount && same_place.into_iter().any(|e| e.value == entry.value)
    }

    /// The window that ends with the newest entry.
    pub fn latest(&self, definition: &Definition) -> Option<Reading> {
        let end = self.newest()?;
        let range = (self.first, self.entries.len());
        let number = match definition.kind {
            Kind::EventCount => range.1 - range.0,
            Kind::ValueCount | Kind::Temporal => self.counts.len(),
            Kind::TemporalOrdered => self.chained(end - definition.timespan),
        };
        Some(Reading {
            number: number as f64,
            end,
            range,
        })
    }

    /// After a late hit at `place`: the first window from it on that meets the condition.
    pub fn first_met(&self, definition: &Definition, place: usize) -> Option<Reading> {
        let until = self.entries.get(place)?.ts.saturating_add(definition.timespan);
        let mut again = Self::default();
        for (index, entry) in self.entries.iter().enumerate() {
            if entry.ts > until {
                return None;
            }
            again.push(definition, entry.clone());
            if index >= place
                && let Some(reading) = again.latest(definition).filter(|r| met(definition, r))
            {
                return Some(reading);
            }
        }
        None
    }

    /// The whole window `[end - timespan, end]`, events of the same time as the last included.
    pub fn at(&self, definition: &Definition, end: i64) -> Reading {
        let from = self
            .entries
            .partition_point(|e| e.ts < end.saturating_sub(definition.timespan));
        let to = self.entries.partition_point(|e| e.ts <= end);
        let number = if definition.kind == Kind::EventCount {
            to - from
        } else {
            let mut values: Vec<EventId> = self
                .entries
                .range(from..to)
                .map(|e| counted(definition.kind, e))
                .collect();
            values.sort_unstable();
            values.dedup();
            values.len()
        };
        Reading {
            number: number as f64,
            end,
            range: (from, to),
        }
    }

    /// The contributing entries of a reading.
    pub fn contributing(&self, reading: &Reading) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries
            .range(reading.range.0.min(self.entries.len())..reading.range.1.min(self.entries.len()))
    }

    fn push(&mut self, definition: &Definition, entry: Entry) {
        let from = entry.ts.saturating_sub(definition.timespan);
        match definition.kind {
            Kind::EventCount => {}
            Kind::ValueCount | Kind::Temporal => {
                let value = counted(definition.kind, &entry);
                match self.counts.binary_search_by(|(v, _)| v.cmp(&value)) {
                    Ok(at) => self.counts[at].1 += 1,
                    Err(at) => self.counts.insert(at, (value, 1)),
                }
            }
            Kind::TemporalOrdered => self.step(definition, &entry),
        }
        self.entries.push_back(entry);
        while self.entries.get(self.first).is_some_and(|e| e.ts < from) {
            self.uncount(definition.kind, self.first);
            self.first += 1;
        }
    }

    fn uncount(&mut self, kind: Kind, place: usize) {
        if !matches!(kind, Kind::ValueCount | Kind::Temporal) {
            return;
        }
        let value = counted(kind, &self.entries[place]);
        if let Ok(at) = self.counts.binary_search_by(|(v, _)| v.cmp(&value)) {
            self.counts[at].1 -= 1;
            if self.counts[at].1 == 0 {
                self.counts.remove(at);
            }
        }
    }

    fn step(&mut self, definition: &Definition, entry: &Entry) {
        self.steps.resize(definition.members.len(), Step::default());
        let moved_on = self
            .entries
            .back()
            .is_none_or(|newest| newest.order(entry) == Ordering::Less);
        if moved_on {
            for step in &mut self.steps {
                step.settled = step.settled.max(step.newest.take());
            }
        }
        let place = usize::from(entry.member);
        let start = match place.checked_sub(1) {
            None => Some(entry.ts),
            Some(before) => self.steps[before]
                .settled
                .filter(|s| entry.ts - s <= definition.timespan),
        };
        self.steps[place].newest = self.steps[place].newest.max(start);
    }

    /// The number of steps where the newest event ends a whole chain that starts no earlier than `from`, else 0.
    fn chained(&self, from: i64) -> usize {
        if self
            .entries
            .back()
            .is_none_or(|newest| usize::from(newest.member) + 1 != self.steps.len())
        {
            return 0;
        }
        let start = self.steps.last().and_then(|step| step.settled.max(step.newest));
        if start.is_some_and(|s| s >= from) {
            self.steps.len()
        } else {
            0
        }
    }

    fn forget(&mut self, keep_from: i64) {
        // `first` may lie behind: entries that left the timespan of the newest are counted no more.
        while self.first > 0 && self.entries.front().is_some_and(|e| e.ts < keep_from) {
            self.entries.pop_front();
            self.first -= 1;
        }
    }

    /// Keeps a flood on one key within what its condition can need.
    fn bound(&mut self, definition: &Definition) {
        let enough = definition.enough();
        if self.entries.len() < enough + SLACK {
            return;
        }
        if matches!(definition.kind, Kind::ValueCount | Kind::Temporal) {
            // The latest of each value says as much as all of them.
            let mut seen = hashbrown::HashSet::<EventId, foldhash::fast::RandomState>::default();
            let mut kept: VecDeque<Entry> = VecDeque::with_capacity(enough + SLACK);
            for entry in mem::take(&mut self.entries).into_iter().rev() {
                if kept.len() < enough && seen.insert(counted(definition.kind, &entry)) {
                    kept.push_front(entry);
                }
            }
            self.entries = kept;
            self.recount(definition);
            return;
        }
        while self.entries.len() >= enough + SLACK {
            self.entries.pop_front();
            self.first = self.first.saturating_sub(1);
        }
    }

    fn recount(&mut self, definition: &Definition) {
        let entries = mem::take(&mut self.entries);
        self.first = 0;
        self.counts.clear();
        self.steps.clear();
        for entry in entries {
            self.push(definition, entry);
        }
    }

    /// The window of a checkpoint.
    pub fn restored(definition: &Definition, entries: Vec<Entry>) -> Self {
        let mut window = Self::default();
        for entry in entries {
            window.push(definition, entry);
        }
        window
    }
}

/// Whether a reading meets a definition's condition.
pub fn met(definition: &Definition, reading: &Reading) -> bool {
    match definition.kind {
        Kind::TemporalOrdered => reading.number > 0.0,
        _ => definition.meets(reading.number),
    }
}

fn counted(kind: Kind, entry: &Entry) -> EventId {
    match kind {
        Kind::Temporal => {
            let mut value = [0; 16];
            value[..2].copy_from_slice(&entry.member.to_be_bytes());
            value
        }
        _ => entry.value,
    }
}
