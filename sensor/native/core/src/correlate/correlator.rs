//! The one owner of all correlations: hits of rules in, hits of correlations out.

use std::collections::VecDeque;
use std::sync::Arc;

use super::counts::Counts;
use super::definition::{Definition, Kind, Member};
use super::entry::{Entry, Last, Reading};
use super::firing::{self, summary};
use super::fixed::Fixed;
use super::order::Ordered;
use super::store::{Quiet, Slot, Store};
use super::window::{Added, Window};
use crate::event::Time;
use crate::sigma::folding::fold_into;
use crate::sigma::{EventId, Hit, HitKind, Pack, digest};
use crate::stats::{Report, Tally};

/// What a sensor adds to the correlations of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Bytes that all keys of all correlations may take.
    pub bytes: usize,
    /// How late an event may be, in nanoseconds; 0 in replay, where hits are put in order first.
    pub lateness: i64,
    /// Replay: hits wait for [`Correlator::advance`] and are put in order of their events.
    pub replay: bool,
}

impl Settings {
    /// Live: 48 MiB, a minute.
    pub const LIVE: Self = Self {
        bytes: 48 << 20,
        lateness: 60_000_000_000,
        replay: false,
    };
    /// Replay: 48 MiB, in order.
    pub const REPLAY: Self = Self {
        bytes: 48 << 20,
        lateness: 0,
        replay: true,
    };
}

/// Counts hits of rules over time, per group key.
#[derive(Debug)]
pub struct Correlator {
    pack: Arc<Pack>,
    settings: Settings,
    /// By place of a rule or correlation: the correlations that read it, and as which of their members.
    readers: Vec<Vec<(u32, u16)>>,
    store: Store,
    ordered: Ordered,
    counts: Vec<Counts>,
    /// Hits let go before their time because too many waited to be put in order.
    ordered_early: u64,
    now: i64,
    key: Vec<u8>,
    text: String,
}

impl Correlator {
    /// Without state.
    pub fn new(pack: Arc<Pack>, settings: Settings) -> Self {
        let correlations = &pack.program.correlations;
        let mut readers = vec![Vec::new(); pack.program.rules.len() + correlations.len()];
        for (index, definition) in correlations.iter().enumerate() {
            for (place, member) in definition.members.iter().enumerate() {
                readers[member.source as usize].push((index as u32, place as u16));
            }
        }
        Self {
            readers,
            store: Store::new(settings.bytes, correlations.len()),
            ordered_early: 0,
            ordered: Ordered::default(),
            counts: vec![Counts::default(); correlations.len()],
            now: i64::MIN,
            key: Vec::new(),
            text: String::new(),
            settings,
            pack,
        }
    }

    /// Counters by correlation.
    pub fn counts(&self) -> &[Counts] {
        &self.counts
    }

    /// Bytes of all keys.
    pub fn bytes(&self) -> usize {
        self.store.bytes()
    }

    /// Number of keys.
    pub fn keys(&self) -> usize {
        self.store.len()
    }

    pub(super) fn parts(&self) -> (&[Definition], &Store, i64) {
        (&self.pack.program.correlations, &self.store, self.now)
    }

    pub(super) fn parts_mut(&mut self) -> (&[Definition], &mut Store, &mut i64, i64) {
        (
            &self.pack.program.correlations,
            &mut self.store,
            &mut self.now,
            self.settings.lateness,
        )
    }

    /// Takes a rule's hit; `out` takes the alerts of correlations that follow from it. Live, `receipt` is when the event was
    /// received: one further from it than the lateness correlates at its receipt. In replay there is none, and hits wait
    /// for [`Self::advance`] or [`Self::finish`].
    pub fn hit(&mut self, hit: &Hit, receipt: Option<Time>, out: &mut dyn FnMut(Hit)) {
        if self.readers.get(hit.member as usize).is_none_or(Vec::is_empty) {
            return;
        }
        let mut hit = hit.clone();
        if let Some(receipt) = receipt
            && hit.ts.0.abs_diff(receipt.0) > self.settings.lateness.unsigned_abs()
        {
            hit.ts = receipt;
            hit.retimed = true;
        }
        if !self.settings.replay {
            self.take(hit, out);
            return;
        }
        self.ordered.add(hit);
        while self.ordered.overfull().is_some()
            && let Some(hit) = self.ordered.first()
        {
            self.ordered_early += 1;
            self.take(hit, out);
        }
    }

    /// Time has come to `now`: live, the clock; in replay, no event before it will come any more. Ends quiet times and decides
    /// windows that waited for late events.
    pub fn advance(&mut self, now: Time, out: &mut dyn FnMut(Hit)) {
        while let Some(hit) = self.ordered.next_before(now.0) {
            self.take(hit, out);
        }
        self.advance_to(now.0, out);
    }

    /// The input is at its end: everything that waits is decided, and every quiet time ends.
    pub fn finish(&mut self, out: &mut dyn FnMut(Hit)) {
        while let Some(hit) = self.ordered.first() {
            self.take(hit, out);
        }
        self.advance_to(i64::MAX - 1, out);
    }

    fn take(&mut self, hit: Hit, out: &mut dyn FnMut(Hit)) {
        if self.settings.replay {
            // In order, so that everything due before this event is decided before it.
            self.advance_to(hit.ts.0, out);
        }
        let mut chain = VecDeque::from([hit]);
        self.drain(&mut chain, out);
    }

    fn drain(&mut self, chain: &mut VecDeque<Hit>, out: &mut dyn FnMut(Hit)) {
        let pack = Arc::clone(&self.pack);
        while let Some(hit) = chain.pop_front() {
            // What a summary sums up was counted one by one.
            let readers = match hit.kind {
                HitKind::Summary(_) => 0,
                _ => self.readers[hit.member as usize].len(),
            };
            let last = (readers > 0).then(|| Arc::new(Last::of(&hit)));
            for index in 0..readers {
                let (correlation, member) = self.readers[hit.member as usize][index];
                let definition = &pack.program.correlations[correlation as usize];
                if let (Some((slot, entry)), Some(last)) = (self.read(definition, correlation, member, &hit), &last) {
                    self.count(definition, slot, entry, last, chain);
                    self.settle(slot, definition);
                    self.make_room(slot, chain);
                }
            }
            if hit.alert && !matches!(hit.kind, HitKind::Match) {
                out(hit);
            }
        }
    }

    /// What one hit is to one correlation: its key and the entry there. `None` where it takes no part.
    fn read(&mut self, definition: &Definition, correlation: u32, member: u16, hit: &Hit) -> Option<(Slot, Entry)> {
        let reads = &definition.members[usize::from(member)];
        let counts = &mut self.counts[correlation as usize];
        self.key.clear();
        for place in &reads.group {
            let Some(text) = text_at(hit, *place) else {
                counts.missing_group_key += 1;
                return None;
            };
            write_folded(&mut self.key, &mut self.text, text);
        }
        let (value, number) = self.value(definition, correlation, reads, hit)?;
        let counts = &mut self.counts[correlation as usize];
        counts.events += 1;
        counts.retimed += u64::from(hit.retimed);
        let made = || {
            let texts = reads
                .group
                .iter()
                .map(|place| text_at(hit, *place).unwrap_or_default().into());
            (texts.collect(), Window::new(definition))
        };
        let slot = self.store.slot(correlation, &self.key, made);
        let entry = Entry {
            ts: hit.ts.0,
            input: Arc::clone(&hit.input),
            offset: hit.offset,
            member,
            value,
            number,
            id: hit.id,
        };
        Some((slot, entry))
    }

    /// What a correlation counts of a hit.
    fn value(
        &mut self,
        definition: &Definition,
        correlation: u32,
        reads: &Member,
        hit: &Hit,
    ) -> Option<(EventId, Fixed)> {
        let counts = &mut self.counts[correlation as usize];
        // An event that two of the rules met is one event.
        let event = hit.source;
        if definition.kind == Kind::ValueCount {
            let mut tuple = Vec::new();
            for place in &reads.values {
                let Some(text) = text_at(hit, *place) else {
                    counts.missing_value += 1;
                    return None;
                };
                write_folded(&mut tuple, &mut self.text, text);
            }
            return Some((digest(&[&tuple]), Fixed::default()));
        }
        if !definition.kind.is_numeric() {
            return Some((event, Fixed::default()));
        }
        let Some(text) = reads.values.first().and_then(|place| text_at(hit, *place)) else {
            counts.missing_value += 1;
            return None;
        };
        let number = Fixed::parse(text);
        counts.not_numeric += u64::from(number.is_none());
        number.map(|number| (event, number))
    }

    fn count(
        &mut self,
        definition: &Definition,
        slot: Slot,
        entry: Entry,
        last: &Arc<Last>,
        chain: &mut VecDeque<Hit>,
    ) {
        let lateness = self.settings.lateness;
        let Some(key) = self.store.get_mut(slot) else {
            return;
        };
        let counts = &mut self.counts[key.correlation as usize];
        let (added, reading) = key.window.add(definition, entry, last, lateness);
        counts.late += u64::from(added == Added::TooLate);
        counts.thinned += key.window.thin();
        if let Some(reading) = reading {
            self.fire(definition, slot, reading, Arc::clone(last), chain);
            return;
        }
        if let Some(until) = key.window.overfull() {
            counts.early += 1;
            if let Some((reading, last)) = key.window.decide(definition, until) {
                self.fire(definition, slot, reading, last, chain);
            }
        }
    }

    /// The condition is met: an alert, or during the quiet time a repeat that only feeds the correlations above.
    fn fire(
        &mut self,
        definition: &Definition,
        slot: Slot,
        reading: Reading,
        last: Arc<Last>,
        chain: &mut VecDeque<Hit>,
    ) {
        let Some(key) = self.store.get_mut(slot) else {
            return;
        };
        let member = self.pack.program.rules.len() as u32 + key.correlation;
        let counts = &mut self.counts[key.correlation as usize];
        let timespan = definition.timespan.unsigned_abs();
        if let Some(quiet) = key.quiet.as_mut().filter(|q| reading.end.abs_diff(q.end) <= timespan) {
            counts.quiet += 1;
            quiet.repeats += 1;
            quiet.last = Arc::clone(&last);
            if !self.readers[member as usize].is_empty() {
                let id = firing::identity(definition, key, &reading);
                let said = firing::correlated(definition, key, reading);
                let hit = firing::hit(definition, member, id, said, &last);
                chain.push_back(Hit { alert: false, ..hit });
            }
            return;
        }
        counts.hits += 1;
        let id = firing::identity(definition, key, &reading);
        let said = firing::correlated(definition, key, reading);
        let hit = firing::hit(definition, member, id, said.clone(), &last);
        // A hit after the quiet time ends it, whether or not the clock has been told.
        let ended = key.quiet.replace(Quiet {
            end: said.end.0,
            id,
            repeats: 0,
            correlated: Box::new(said),
            last,
        });
        chain.extend(ended.and_then(|quiet| summary(definition, member, quiet)));
        chain.push_back(hit);
    }

    fn settle(&mut self, slot: Slot, definition: &Definition) {
        let due = self
            .store
            .get(slot)
            .map(|key| key.next_due(definition, self.settings.lateness));
        if let Some(due) = due {
            self.store.touch(slot, due);
        }
    }

    pub(super) fn make_room(&mut self, spared: Slot, chain: &mut VecDeque<Hit>) {
        while let Some(key) = self.store.evict(spared) {
            self.counts[key.correlation as usize].evicted += 1;
            let definition = &self.pack.program.correlations[key.correlation as usize];
            let member = self.pack.program.rules.len() as u32 + key.correlation;
            // What was counted as a repeat is said before it is forgotten.
            chain.extend(key.quiet.and_then(|quiet| summary(definition, member, quiet)));
        }
    }

    fn advance_to(&mut self, now: i64, out: &mut dyn FnMut(Hit)) {
        self.now = self.now.max(now);
        while let Some(slot) = self.store.due(now) {
            let mut chain = VecDeque::new();
            self.due(slot, now, &mut chain);
            self.drain(&mut chain, out);
        }
    }

    fn due(&mut self, slot: Slot, now: i64, chain: &mut VecDeque<Hit>) {
        let pack = Arc::clone(&self.pack);
        let Some(key) = self.store.get_mut(slot) else {
            return;
        };
        let correlation = key.correlation;
        let definition = &pack.program.correlations[correlation as usize];
        // What is due is decided in the order of time, however far the clock has come.
        let settled = (now.min(key.due).saturating_sub(self.settings.lateness)).saturating_sub(1);
        if let Some((reading, last)) = key.window.decide(definition, settled) {
            self.fire(definition, slot, reading, last, chain);
            self.settle(slot, definition);
            return;
        }
        if let Some(quiet) = key
            .quiet
            .take_if(|q| q.end.saturating_add(definition.timespan) <= settled)
        {
            let member = pack.program.rules.len() as u32 + correlation;
            chain.extend(summary(definition, member, quiet));
        }
        let idle = key
            .window
            .newest()
            .is_none_or(|newest| newest.saturating_add(definition.timespan) <= settled);
        if idle && key.quiet.is_none() && key.window.next_end(definition).is_none() {
            self.store.remove(slot);
        } else {
            self.settle(slot, definition);
        }
    }
}

fn write_folded(key: &mut Vec<u8>, buffer: &mut String, text: &str) {
    buffer.clear();
    fold_into(text, buffer);
    key.extend_from_slice(&(buffer.len() as u64).to_be_bytes());
    key.extend_from_slice(buffer.as_bytes());
}

fn text_at(hit: &Hit, place: Option<usize>) -> Option<&str> {
    hit.keys.get(place?)?.as_deref()
}

impl Report for Correlator {
    fn report(&self, tally: &mut Tally) {
        tally.add("correlate.keys", self.store.len() as u64);
        tally.add("correlate.bytes", self.store.bytes() as u64);
        tally.add("correlate.ordered_early", self.ordered_early);
        for (index, (definition, counts)) in self.pack.program.correlations.iter().zip(&self.counts).enumerate() {
            counts.report(&definition.metadata.id, self.store.keys_of(index), tally);
        }
    }
}
