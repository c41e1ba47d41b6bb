//! Windows of conditions that more events can undo: hits wait in order until the lateness has passed, then the window
//! slides over them once, each counted in and counted out.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::definition::{Definition, Kind};
use super::entry::{Entry, Last, Reading, Waiting, samples};
use super::fixed::Number;
use super::numbers::{Chunk, EXACT, Numbers, STRETCH};
use super::rising::{SLACK, Tally, latest_of_each, uncount};
use super::window::{Added, MAX_HELD};

/// The window of one key.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Hits that an earlier one may still come before.
    waiting: Waiting,
    /// Bytes of what waits with them.
    held: usize,
    /// The window at `until`.
    entries: VecDeque<Entry>,
    /// Decided up to here.
    until: i64,
    values: Tally,
    members: Vec<u32>,
    numbers: Numbers,
}

impl Default for Settled {
    fn default() -> Self {
        Self {
            waiting: Waiting::new(),
            held: 0,
            entries: VecDeque::new(),
            until: i64::MIN,
            values: Tally::default(),
            members: Vec::new(),
            numbers: Numbers::default(),
        }
    }
}

impl Settled {
    /// What waits, the window, its chunks, and up to when it is decided: for a checkpoint.
    pub fn parts(&self) -> (&Waiting, &VecDeque<Entry>, &VecDeque<Chunk>, i64) {
        (&self.waiting, &self.entries, self.numbers.chunks(), self.until)
    }

    /// Entries that wait or are in the window.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.entries.len()
    }

    /// Time of the newest entry.
    pub fn newest(&self) -> Option<i64> {
        (self.waiting.back().map(|(e, _)| e.ts)).or_else(|| self.entries.back().map(|e| e.ts))
    }

    /// Time of the first entry that waits.
    pub fn first_waiting(&self) -> Option<i64> {
        self.waiting.front().map(|(e, _)| e.ts)
    }

    /// Whether more wait than may.
    pub fn is_overfull(&self) -> bool {
        self.waiting.len() > MAX_HELD
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        self.waiting.capacity() * mem::size_of::<(Entry, Arc<Last>)>()
            + self.held
            + self.entries.capacity() * mem::size_of::<Entry>()
            + self.values.allocation_size()
            + self.members.capacity() * mem::size_of::<u32>()
            + self.numbers.bytes()
    }

    /// Adds a hit where it belongs.
    pub fn add(&mut self, definition: &Definition, entry: Entry, last: &Arc<Last>) -> Added {
        if entry.ts < self.until {
            return self.add_late(definition, entry);
        }
        let place = self
            .waiting
            .partition_point(|(e, _)| e.order(&entry) != Ordering::Greater);
        if definition.kind.counts_events() {
            let mut same_place = (0..place)
                .rev()
                .take_while(|at| self.waiting[*at].0.order(&entry) == Ordering::Equal);
            if let Some(same) = same_place.find(|at| self.waiting[*at].0.value == entry.value) {
                // The first of the listed rules speaks for an event that several met, whichever came first.
                if entry.member < self.waiting[same].0.member {
                    self.waiting[same].0 = entry;
                }
                return Added::Again;
            }
        }
        self.held += last.bytes();
        self.waiting.insert(place, (entry, Arc::clone(last)));
        Added::Counted
    }

    /// Windows that held it are decided; those to come do count it.
    fn add_late(&mut self, definition: &Definition, entry: Entry) -> Added {
        if entry.ts < self.until.saturating_sub(definition.timespan) {
            return Added::TooLate;
        }
        let place = self.entries.partition_point(|e| e.order(&entry) != Ordering::Greater);
        let mut same_place = self
            .entries
            .range(..place)
            .rev()
            .take_while(|e| e.order(&entry) == Ordering::Equal);
        if definition.kind.counts_events() && same_place.any(|e| e.value == entry.value) {
            return Added::Again;
        }
        self.count(definition, &entry);
        self.entries.insert(place, entry);
        Added::TooLate
    }

    /// Decides windows in order, up to `until`; the first that meets the condition, with its last event.
    pub fn decide(&mut self, definition: &Definition, until: i64) -> Option<(Reading, Arc<Last>)> {
        while let Some(end) = self.first_waiting().filter(|ts| *ts <= until) {
            let mut newest = None;
            // All events of one time belong to its window.
            while self.waiting.front().is_some_and(|(e, _)| e.ts == end)
                && let Some((entry, last)) = self.waiting.pop_front()
            {
                self.held -= last.bytes();
                newest = Some(last);
                self.count(definition, &entry);
                self.entries.push_back(entry);
            }
            self.until = end;
            self.expire(definition, end.saturating_sub(definition.timespan));
            self.bound(definition);
            if let (Some(reading), Some(last)) = (self.reading(definition), newest) {
                return Some((reading, last));
            }
        }
        None
    }

    fn reading(&self, definition: &Definition) -> Option<Reading> {
        let number = match definition.kind {
            Kind::ValueCount => Number::count(self.values.len()),
            Kind::Temporal => Number::count(self.members.iter().filter(|n| **n > 0).count()),
            kind if kind.is_numeric() => self.numbers.number(definition, self.entries.len())?,
            _ => Number::count(self.entries.len()),
        };
        let start = match self.numbers.chunks().front() {
            Some(chunk) => chunk.from.max(self.until.saturating_sub(definition.timespan)),
            None => self.entries.front()?.ts,
        };
        definition.meets(number).then(|| Reading {
            number,
            start,
            end: self.until,
            count: self.numbers.in_chunks() + self.entries.len() as u64,
            samples: samples(self.entries.iter().rev()),
            sketched: !self.numbers.chunks().is_empty(),
        })
    }

    fn count(&mut self, definition: &Definition, entry: &Entry) {
        match definition.kind {
            Kind::ValueCount => *self.values.entry(entry.value).or_insert(0) += 1,
            Kind::Temporal => {
                self.members.resize(definition.members.len(), 0);
                self.members[usize::from(entry.member)] += 1;
            }
            kind if kind.is_numeric() => self.numbers.add(kind, entry.number),
            _ => {}
        }
    }

    fn expire(&mut self, definition: &Definition, from: i64) {
        self.numbers.expire(from);
        while self.entries.front().is_some_and(|e| e.ts < from)
            && let Some(entry) = self.entries.pop_front()
        {
            match definition.kind {
                Kind::ValueCount => uncount(&mut self.values, entry.value),
                Kind::Temporal => self.members[usize::from(entry.member)] -= 1,
                kind if kind.is_numeric() => self.numbers.take(kind, entry.number),
                _ => {}
            }
        }
    }

    /// Keeps a flood on one key within what its condition can need.
    fn bound(&mut self, definition: &Definition) {
        let kind = definition.kind;
        if kind.is_numeric() {
            while self.entries.len() > EXACT {
                let oldest: Vec<_> = self.entries.drain(..STRETCH).map(|e| (e.ts, e.number)).collect();
                self.numbers.fold(kind, &oldest);
            }
            return;
        }
        let enough = definition.enough();
        if self.entries.len() < enough + SLACK {
            return;
        }
        if matches!(kind, Kind::ValueCount | Kind::Temporal) {
            self.entries = latest_of_each(mem::take(&mut self.entries), enough, kind);
            self.values.clear();
            self.members.clear();
            let kept = mem::take(&mut self.entries);
            for entry in &kept {
                self.count(definition, entry);
            }
            self.entries = kept;
        } else {
            self.entries.drain(..self.entries.len() - (enough + SLACK - 1));
        }
    }

    /// The window of a checkpoint.
    pub fn restored(
        definition: &Definition,
        waiting: Vec<(Entry, Last)>,
        entries: Vec<Entry>,
        chunks: Vec<Chunk>,
        until: i64,
    ) -> Self {
        let mut window = Self {
            until,
            ..Self::default()
        };
        if definition.kind.is_numeric() {
            let kept = entries.iter().map(|e| e.number);
            window.numbers = Numbers::restored(definition.kind, chunks, kept);
        } else {
            for entry in &entries {
                window.count(definition, entry);
            }
        }
        window.entries = entries.into();
        for (entry, last) in waiting {
            window.held += last.bytes();
            window.waiting.push_back((entry, Arc::new(last)));
        }
        window
    }
}
