//! Windows of expressions with `not`: from an event that the condition wants, forward, decided once no event can come into
//! them any more (sigma.md 1.5).

use std::cmp::Ordering;
use std::mem;
use std::sync::Arc;

use super::definition::{Definition, Kind};
use super::entry::{Entry, Last, Reading, Waiting, samples};
use super::expression::{Path, bit};
use super::fixed::Number;
use super::window::{Added, MAX_HELD};

/// The window of one key.
#[derive(Debug, Clone)]
pub struct Forward {
    /// From the first event whose window is not decided.
    entries: Waiting,
    /// Bytes of what waits with them.
    held: usize,
    /// Entries before this place are counted.
    to: usize,
    members: Vec<u32>,
    /// Windows that begin up to here are decided.
    until: i64,
}

impl Default for Forward {
    fn default() -> Self {
        Self {
            entries: Waiting::new(),
            held: 0,
            to: 0,
            members: Vec::new(),
            until: i64::MIN,
        }
    }
}

/// The set of members that have hits.
pub fn present(members: &[u32]) -> u64 {
    let there = members.iter().zip(0..).filter(|(n, _)| **n > 0);
    there.fold(0, |set, (_, member)| set | bit(member))
}

impl Forward {
    /// The entries, and up to when windows are decided: for a checkpoint.
    pub fn parts(&self) -> (&Waiting, i64) {
        (&self.entries, self.until)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Time of the newest entry.
    pub fn newest(&self) -> Option<i64> {
        self.entries.back().map(|(e, _)| e.ts)
    }

    /// When the first window that is not decided closes.
    pub fn first_closing(&self, definition: &Definition) -> Option<i64> {
        (self.entries.front()).map(|(e, _)| e.ts.saturating_add(definition.timespan))
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        self.entries.capacity() * mem::size_of::<(Entry, Arc<Last>)>()
            + self.held
            + self.members.capacity() * mem::size_of::<u32>()
    }

    /// Adds a hit where it belongs.
    pub fn add(&mut self, definition: &Definition, entry: Entry, last: &Arc<Last>) -> Added {
        if entry.ts <= self.until {
            return Added::TooLate;
        }
        self.members.resize(definition.members.len(), 0);
        let place = self
            .entries
            .partition_point(|(e, _)| e.order(&entry) != Ordering::Greater);
        if place < self.to {
            self.members[usize::from(entry.member)] += 1;
            self.to += 1;
        }
        self.held += last.bytes();
        self.entries.insert(place, (entry, Arc::clone(last)));
        Added::Counted
    }

    /// Too many wait: of a run of one rule's hits only the first and the last stay, and if that is not enough the oldest
    /// windows are given up; deciding them early could only make false alerts. How many were dropped.
    pub fn thin(&mut self) -> u64 {
        if self.entries.len() <= MAX_HELD {
            return 0;
        }
        let before = self.entries.len();
        let members: Vec<u16> = self.entries.iter().map(|(e, _)| e.member).collect();
        let inside = |at: usize| at > 0 && members[at - 1] == members[at] && members.get(at + 1) == Some(&members[at]);
        let mut at = 0;
        self.entries.retain(|_| {
            at += 1;
            !inside(at - 1)
        });
        if self.entries.len() > MAX_HELD / 4 * 3 {
            let given_up = self.entries.drain(..self.entries.len() - MAX_HELD / 4 * 3).next_back();
            self.until = given_up.map_or(self.until, |(e, _)| e.ts);
        }
        self.to = 0;
        self.members.fill(0);
        self.held = self.entries.iter().map(|(_, last)| last.bytes()).sum();
        (before - self.entries.len()) as u64
    }

    /// Decides windows that end up to `until`, in order; the first that meets the condition, with its last event.
    pub fn decide(&mut self, definition: &Definition, until: i64) -> Option<(Reading, Arc<Last>)> {
        while let Some(end) = self.first_closing(definition).filter(|end| *end <= until) {
            let start = self.entries.front()?.0.ts;
            while let Some((entry, _)) = self.entries.get(self.to).filter(|(e, _)| e.ts <= end) {
                self.members[usize::from(entry.member)] += 1;
                self.to += 1;
            }
            let found = self.window(definition, start, end);
            while self.entries.front().is_some_and(|(e, _)| e.ts == start)
                && let Some((entry, last)) = self.entries.pop_front()
            {
                self.held -= last.bytes();
                self.members[usize::from(entry.member)] -= 1;
                self.to -= 1;
            }
            self.until = start;
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn window(&self, definition: &Definition, start: i64, end: i64) -> Option<(Reading, Arc<Last>)> {
        let present = present(&self.members);
        let starts =
            (self.entries.iter().take_while(|(e, _)| e.ts == start)).fold(0, |set, (e, _)| set | bit(e.member));
        let met = |path: &&Path| {
            path.fits(present)
                && path.wanted & starts != 0
                && (definition.kind != Kind::TemporalOrdered || self.in_order(**path, start))
        };
        let path = *definition.paths.iter().find(met)?;
        let on_path = || {
            self.entries
                .range(..self.to)
                .rev()
                .filter(|(e, _)| path.wants(e.member))
        };
        let count = self
            .members
            .iter()
            .zip(0..)
            .filter(|(_, m)| path.wants(*m))
            .map(|(n, _)| u64::from(*n));
        let reading = Reading {
            number: Number::count(path.len()),
            start,
            end,
            count: count.sum(),
            samples: samples(on_path().map(|(e, _)| e)),
            sketched: false,
        };
        let (_, last) = on_path().next()?;
        Some((reading, Arc::clone(last)))
    }

    /// Whether the window holds the path's rules one after another, the first of them at `start`.
    fn in_order(&self, path: Path, start: i64) -> bool {
        let mut before: Option<&Entry> = None;
        let mut step = 0;
        for (entry, _) in self.entries.range(..self.to) {
            let next = path.wants(entry.member) && path.before(entry.member) == step;
            if next && before.is_none_or(|before| before.order(entry) == Ordering::Less) {
                if step == 0 && entry.ts != start {
                    return false;
                }
                before = Some(entry);
                step += 1;
            }
        }
        step == path.len()
    }

    /// The window of a checkpoint.
    pub fn restored(definition: &Definition, entries: Vec<(Entry, Last)>, until: i64) -> Self {
        let mut window = Self {
            until,
            members: vec![0; definition.members.len()],
            ..Self::default()
        };
        for (entry, last) in entries {
            window.held += last.bytes();
            window.entries.push_back((entry, Arc::new(last)));
        }
        window
    }
}
