//! Windows of conditions that more events can only confirm: counted as hits come, and fired at once.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::mem;

use hashbrown::HashMap;

use super::definition::{Definition, Kind};
use super::entry::{Entry, Reading, samples};
use super::expression::Path;
use super::fixed::Number;
use crate::sigma::EventId;

/// Entries beyond those a condition can need, so that a late hit still finds its neighbours.
pub const SLACK: usize = 1_024;

pub(super) type Tally = HashMap<EventId, u32, foldhash::fast::RandomState>;

/// How far along a chain events have come: for each step the latest start of a chain that ends there.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    /// Of chains that end before the newest event.
    settled: Option<i64>,
    /// Of a chain that ends with the newest event, which cannot be its own next step.
    newest: Option<i64>,
}

/// The window of one key.
#[derive(Debug, Clone, Default)]
pub struct Rising {
    entries: VecDeque<Entry>,
    /// The first entry within the timespan of the newest one; those before it wait for late hits only.
    first: usize,
    /// Of `value_count`: how often each value occurs from `first` on.
    values: Tally,
    /// Of temporal types: how many hits of each member there are from `first` on.
    members: Vec<u32>,
    /// Of `temporal_ordered`: per path, per step.
    steps: Vec<Vec<Step>>,
}

impl Rising {
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
            + self.values.allocation_size()
            + self.members.capacity() * mem::size_of::<u32>()
            + self
                .steps
                .iter()
                .map(|s| s.capacity() * mem::size_of::<Step>() + 24)
                .sum::<usize>()
    }

    /// Adds a hit where it belongs. The first window that holds it and meets the condition, unless the event is counted
    /// already.
    pub fn add(&mut self, definition: &Definition, entry: Entry, lateness: i64) -> Option<Reading> {
        let newest = self.newest().map_or(entry.ts, |newest| newest.max(entry.ts));
        self.forget(newest.saturating_sub(lateness).saturating_sub(definition.timespan));
        self.bound(definition);
        let place = self.entries.partition_point(|e| e.order(&entry) != Ordering::Greater);
        if definition.kind == Kind::EventCount && self.holds(&entry, place) {
            return None;
        }
        if place == self.entries.len() {
            self.push(definition, entry);
            return self.latest(definition);
        }
        self.insert(definition, place, entry);
        self.first_met(definition, place)
    }

    /// Whether the event of a hit stands before `end` already, by another rule.
    fn holds(&self, entry: &Entry, end: usize) -> bool {
        let mut same_place = (self.entries.range(..end).rev()).take_while(|e| e.order(entry) == Ordering::Equal);
        same_place.any(|e| e.value == entry.value)
    }

    /// The window that ends with the newest entry, if it meets the condition.
    fn latest(&self, definition: &Definition) -> Option<Reading> {
        let newest = self.entries.back()?;
        if !definition.paths.is_empty() {
            let met = |path: &&Path| self.walked(definition, **path, newest);
            let path = definition.paths.iter().find(met)?;
            return self.along(*path);
        }
        let number = Number::count(match definition.kind {
            Kind::ValueCount => self.values.len(),
            Kind::Temporal => self.members.iter().filter(|n| **n > 0).count(),
            _ => self.entries.len() - self.first,
        });
        definition.meets(number).then(|| Reading {
            number,
            start: self.entries.get(self.first).map_or(newest.ts, |e| e.ts),
            end: newest.ts,
            count: (self.entries.len() - self.first) as u64,
            samples: samples(self.entries.range(self.first..).rev()),
            sketched: false,
        })
    }

    /// Whether the newest entry completes a path.
    fn walked(&self, definition: &Definition, path: Path, newest: &Entry) -> bool {
        if definition.kind == Kind::TemporalOrdered {
            let place = definition.paths.iter().position(|p| *p == path);
            let steps = place.and_then(|place| self.steps.get(place));
            let Some(last) = steps.and_then(|steps| steps.last()) else {
                return false;
            };
            let start = last.settled.max(last.newest);
            return path.wants(newest.member)
                && path.before(newest.member) + 1 == path.len()
                && start.is_some_and(|start| start >= newest.ts.saturating_sub(definition.timespan));
        }
        path.wants(newest.member) && path.fits(self.present())
    }

    fn present(&self) -> u64 {
        super::forward::present(&self.members)
    }

    /// What the entries of a path say.
    fn along(&self, path: Path) -> Option<Reading> {
        let newest = self.entries.back()?;
        // All of a plain `temporal_ordered`'s rules are on its one path.
        let mut on_path = self.entries.range(self.first..).filter(|e| path.wants(e.member));
        let count = self
            .members
            .iter()
            .zip(0..)
            .filter(|(_, m)| path.wants(*m))
            .map(|(n, _)| u64::from(*n));
        Some(Reading {
            number: Number::count(path.len()),
            start: on_path.next()?.ts.min(newest.ts),
            end: newest.ts,
            count: count.sum(),
            samples: samples(self.entries.range(self.first..).rev().filter(|e| path.wants(e.member))),
            sketched: false,
        })
    }

    /// After a late hit at `place`: the first window from it on that meets the condition. Only these windows are counted
    /// anew, and only where there are entries enough.
    fn first_met(&self, definition: &Definition, place: usize) -> Option<Reading> {
        let ts = self.entries.get(place)?.ts;
        let from = self
            .entries
            .partition_point(|e| e.ts < ts.saturating_sub(definition.timespan));
        let to = self
            .entries
            .partition_point(|e| e.ts <= ts.saturating_add(definition.timespan));
        if to - from < definition.fewest() {
            return None;
        }
        if definition.kind == Kind::EventCount {
            return self.first_crowded(definition, place, from, to);
        }
        let mut again = Self::default();
        for (index, entry) in self.entries.range(from..to).enumerate() {
            again.push(definition, entry.clone());
            if from + index >= place
                && let Some(reading) = again.latest(definition)
            {
                return Some(reading);
            }
        }
        None
    }

    fn first_crowded(&self, definition: &Definition, place: usize, from: usize, to: usize) -> Option<Reading> {
        let mut from = from;
        for at in place..to {
            let end = self.entries[at].ts;
            while self.entries[from].ts < end.saturating_sub(definition.timespan) {
                from += 1;
            }
            let number = Number::count(at + 1 - from);
            if definition.meets(number) {
                return Some(Reading {
                    number,
                    start: self.entries[from].ts,
                    end,
                    count: (at + 1 - from) as u64,
                    samples: samples(self.entries.range(from..=at).rev()),
                    sketched: false,
                });
            }
        }
        None
    }

    fn push(&mut self, definition: &Definition, entry: Entry) {
        let from = entry.ts.saturating_sub(definition.timespan);
        if definition.kind == Kind::TemporalOrdered {
            self.step(definition, &entry);
        }
        self.count(definition, &entry);
        self.entries.push_back(entry);
        while self.entries.get(self.first).is_some_and(|e| e.ts < from) {
            self.uncount(definition.kind, self.first);
            self.first += 1;
        }
    }

    /// A late hit among those that are there.
    fn insert(&mut self, definition: &Definition, place: usize, entry: Entry) {
        let newest = self.newest().unwrap_or(entry.ts);
        if entry.ts < newest.saturating_sub(definition.timespan) {
            self.first += 1;
        } else {
            self.count(definition, &entry);
        }
        self.entries.insert(place, entry);
        if definition.kind == Kind::TemporalOrdered {
            // Chains lead from start to end: they are followed again, over what the bound leaves of the window.
            self.recount(definition);
        }
    }

    fn count(&mut self, definition: &Definition, entry: &Entry) {
        match definition.kind {
            Kind::ValueCount => *self.values.entry(entry.value).or_insert(0) += 1,
            Kind::Temporal | Kind::TemporalOrdered => {
                self.members.resize(definition.members.len(), 0);
                self.members[usize::from(entry.member)] += 1;
            }
            _ => {}
        }
    }

    fn uncount(&mut self, kind: Kind, place: usize) {
        let entry = &self.entries[place];
        match kind {
            Kind::ValueCount => uncount(&mut self.values, entry.value),
            Kind::Temporal | Kind::TemporalOrdered => self.members[usize::from(entry.member)] -= 1,
            _ => {}
        }
    }

    fn step(&mut self, definition: &Definition, entry: &Entry) {
        let moved_on = (self.entries.back()).is_none_or(|newest| newest.order(entry) == Ordering::Less);
        self.steps.resize(definition.paths.len(), Vec::new());
        for (path, steps) in definition.paths.iter().zip(&mut self.steps) {
            steps.resize(path.len(), Step::default());
            if moved_on {
                for step in steps.iter_mut() {
                    step.settled = step.settled.max(step.newest.take());
                }
            }
            if !path.wants(entry.member) {
                continue;
            }
            let place = path.before(entry.member);
            let start = match place.checked_sub(1) {
                None => Some(entry.ts),
                Some(before) => steps[before]
                    .settled
                    .filter(|s| entry.ts.saturating_sub(*s) <= definition.timespan),
            };
            steps[place].newest = steps[place].newest.max(start);
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
            self.entries = latest_of_each(mem::take(&mut self.entries), enough, definition.kind);
            self.recount(definition);
            return;
        }
        while self.entries.len() >= enough + SLACK {
            if self.first == 0 {
                self.uncount(definition.kind, 0);
            }
            self.entries.pop_front();
            self.first = self.first.saturating_sub(1);
        }
    }

    fn recount(&mut self, definition: &Definition) {
        let entries = mem::take(&mut self.entries);
        *self = Self::default();
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

/// The latest entry of each value (of `temporal` types each member) says as much as all of them; at most `enough`.
pub(super) fn latest_of_each(entries: VecDeque<Entry>, enough: usize, kind: Kind) -> VecDeque<Entry> {
    let mut seen = hashbrown::HashSet::<(u16, EventId), foldhash::fast::RandomState>::default();
    let mut kept: VecDeque<Entry> = VecDeque::with_capacity(enough + SLACK);
    for entry in entries.into_iter().rev() {
        let what = if kind == Kind::ValueCount {
            (0, entry.value)
        } else {
            (entry.member, EventId::default())
        };
        if kept.len() < enough && seen.insert(what) {
            kept.push_front(entry);
        }
    }
    kept
}

pub(super) fn uncount(values: &mut Tally, value: EventId) {
    if let Some(times) = values.get_mut(&value) {
        *times -= 1;
        if *times == 0 {
            values.remove(&value);
        }
    }
}
