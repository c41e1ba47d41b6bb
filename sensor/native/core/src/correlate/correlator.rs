//! The one owner of all correlations: hits of rules in, hits of correlations out.

use std::collections::VecDeque;
use std::sync::Arc;

use super::definition::{Definition, Kind};
use super::order::Ordered;
use super::store::{Last, Quiet, Slot, Store};
use super::window::{Entry, Reading, met};
use crate::event::Time;
use crate::sigma::folding::fold_into;
use crate::sigma::{Correlated, EventId, Hit, HitKind, Pack, digest};
use crate::stats::{Report, Tally};

/// Event ids that a hit names.
const MAX_SAMPLES: usize = 20;
/// Windows of one key that wait for late events; the oldest is decided early beyond it.
const MAX_WAITING: usize = 256;

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

/// Counters of one correlation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Hits that it counted.
    pub events: u64,
    /// Hits that raised an alert or fed another correlation.
    pub hits: u64,
    /// Conditions met during a quiet time.
    pub quiet: u64,
    /// Keys forgotten for want of memory.
    pub evicted: u64,
    /// Hits without one of the fields of the group key.
    pub missing_group_key: u64,
    /// Hits without one of the counted fields.
    pub missing_value: u64,
    /// Hits further from their receipt than the lateness.
    pub retimed: u64,
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
            store: Store::new(settings.bytes),
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
        if self.settings.replay {
            let mut early = Vec::new();
            self.ordered.add(hit, &mut early);
            for hit in early {
                self.take(hit, out);
            }
        } else {
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
        while let Some(hit) = self.ordered.next_before(i64::MAX) {
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
        while let Some(hit) = chain.pop_front() {
            let pack = Arc::clone(&self.pack);
            let feeds = !matches!(hit.kind, HitKind::Summary(_)); // what it sums up was counted one by one
            for index in 0..self.readers[hit.member as usize].len() * usize::from(feeds) {
                let (correlation, member) = self.readers[hit.member as usize][index];
                let definition = &pack.program.correlations[correlation as usize];
                self.contribute(definition, correlation, member, &hit, chain);
            }
            if hit.alert && !matches!(hit.kind, HitKind::Match) {
                out(hit);
            }
        }
    }

    /// One hit into one correlation; what follows from it goes to `chain`.
    fn contribute(
        &mut self,
        definition: &Definition,
        correlation: u32,
        member: u16,
        hit: &Hit,
        chain: &mut VecDeque<Hit>,
    ) {
        let counts = &mut self.counts[correlation as usize];
        let reads = &definition.members[usize::from(member)];
        let at = |place: &Option<usize>| place.and_then(|p| hit.keys.get(p)?.as_deref());
        self.key.clear();
        for place in &reads.group {
            let Some(text) = at(place) else {
                counts.missing_group_key += 1;
                return;
            };
            write_folded(&mut self.key, &mut self.text, text);
        }
        // An event that two of the rules met is one event.
        let mut value = hit.source;
        if definition.kind == Kind::ValueCount {
            let mut tuple = Vec::new();
            for place in &reads.values {
                let Some(text) = at(place) else {
                    counts.missing_value += 1;
                    return;
                };
                write_folded(&mut tuple, &mut self.text, text);
            }
            value = digest(&[&tuple]);
        }
        counts.events += 1;
        counts.retimed += u64::from(hit.retimed);
        let group = || {
            reads
                .group
                .iter()
                .map(|place| at(place).unwrap_or_default().into())
                .collect()
        };
        let slot = self.store.slot(correlation, &self.key, group);
        let entry = Entry {
            ts: hit.ts.0,
            input: Arc::clone(&hit.input),
            offset: hit.offset,
            member,
            value,
            id: hit.id,
        };
        let last = Last {
            event: Arc::clone(&hit.event),
            logsource: Arc::clone(&hit.logsource),
            input: Arc::clone(&hit.input),
            offset: hit.offset,
            source: hit.source,
            matched: hit.matched.clone(),
            retimed: hit.retimed,
        };
        self.count(definition, correlation, slot, entry, last, chain);
        self.settle(slot, definition);
        self.make_room(slot, chain);
    }

    fn count(
        &mut self,
        definition: &Definition,
        correlation: u32,
        slot: Slot,
        entry: Entry,
        last: Last,
        chain: &mut VecDeque<Hit>,
    ) {
        let lateness = self.settings.lateness;
        let Some(key) = self.store.get_mut(slot) else {
            return;
        };
        let newest = key.window.newest().map_or(entry.ts, |newest| newest.max(entry.ts));
        let oldest = key
            .waiting
            .first()
            .map_or(newest, |(end, _)| newest.min(*end))
            .saturating_sub(lateness);
        let ts = entry.ts;
        let keep_from = oldest.saturating_sub(definition.timespan);
        let Some(place) = key.window.add(definition, entry, keep_from) else {
            return;
        };
        if definition.is_monotone() {
            let newest = place + 1 == key.window.entries().len();
            let reading = if newest {
                key.window.latest(definition).filter(|reading| met(definition, reading))
            } else {
                key.window.first_met(definition, place)
            };
            if let Some(reading) = reading {
                self.fire(definition, correlation, slot, &reading, last, chain);
            }
            return;
        }
        match key.waiting.binary_search_by_key(&ts, |(end, _)| *end) {
            Ok(same) => key.waiting[same].1 = last,
            Err(at) => key.waiting.insert(at, (ts, last)),
        }
        // The windows that follow hold the late event too; their own ends wait already.
        if key.waiting.len() > MAX_WAITING {
            let (end, last) = key.waiting.remove(0);
            self.decide(definition, correlation, slot, end, last, chain);
        }
    }

    /// A window that no late event can change any more.
    fn decide(
        &mut self,
        definition: &Definition,
        correlation: u32,
        slot: Slot,
        end: i64,
        last: Last,
        chain: &mut VecDeque<Hit>,
    ) {
        let reading = self.store.get(slot).map(|key| key.window.at(definition, end));
        if let Some(reading) = reading.filter(|reading| met(definition, reading)) {
            self.fire(definition, correlation, slot, &reading, last, chain);
        }
    }

    /// The condition is met: an alert, or during the quiet time a repeat that only feeds the correlations above.
    fn fire(
        &mut self,
        definition: &Definition,
        correlation: u32,
        slot: Slot,
        reading: &Reading,
        last: Last,
        chain: &mut VecDeque<Hit>,
    ) {
        let member = self.pack.program.rules.len() as u32 + correlation;
        let Some(key) = self.store.get_mut(slot) else {
            return;
        };
        let timespan = definition.timespan;
        let quiet = key
            .quiet
            .as_ref()
            .is_some_and(|q| reading.end.abs_diff(q.end) <= timespan.unsigned_abs());
        let correlated = correlated(definition, &key.group, key.window.contributing(reading), reading);
        let ids = key.window.contributing(reading).flat_map(|e| e.id).collect::<Vec<u8>>();
        let id = digest(&[
            b"correlation",
            definition.metadata.id.as_bytes(),
            &key.folded,
            &reading.end.to_be_bytes(),
            &ids,
        ]);
        let counts = &mut self.counts[correlation as usize];
        let mut ended = None;
        if quiet {
            counts.quiet += 1;
            if let Some(state) = key.quiet.as_mut() {
                state.repeats += 1;
                state.last = last.clone();
            }
        } else {
            counts.hits += 1;
            // A hit after the quiet time ends it, whether or not the clock has been told.
            let state = Quiet {
                end: reading.end,
                id,
                repeats: 0,
                correlated: Box::new(correlated.clone()),
                last: last.clone(),
            };
            ended = key.quiet.replace(state);
        }
        if let Some(summary) = ended.and_then(|quiet| summary(definition, member, quiet)) {
            chain.push_back(summary);
        }
        let hit = made(
            definition,
            member,
            id,
            HitKind::Correlation(Box::new(correlated)),
            reading.end,
            last,
        );
        let feeds = !self.readers[member as usize].is_empty();
        if quiet && feeds {
            chain.push_back(Hit { alert: false, ..hit });
        } else if !quiet {
            chain.push_back(hit);
        }
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

    fn make_room(&mut self, spared: Slot, chain: &mut VecDeque<Hit>) {
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
        let settled = now.saturating_sub(self.settings.lateness).saturating_sub(1);
        if key.waiting.first().is_some_and(|(end, _)| *end <= settled) {
            let (end, last) = key.waiting.remove(0);
            self.decide(definition, correlation, slot, end, last, chain);
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
        if idle && key.quiet.is_none() && key.waiting.is_empty() {
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

fn correlated<'a>(
    definition: &Definition,
    group: &[Box<str>],
    entries: impl DoubleEndedIterator<Item = &'a Entry> + ExactSizeIterator,
    reading: &Reading,
) -> Correlated {
    let count = entries.len() as u64;
    let mut samples = Vec::with_capacity(MAX_SAMPLES);
    let mut start = reading.end;
    for entry in entries.rev() {
        start = entry.ts;
        if samples.len() < MAX_SAMPLES {
            samples.push(entry.id);
        }
    }
    samples.reverse();
    Correlated {
        kind: definition.kind.word(),
        group: definition
            .group_by
            .iter()
            .cloned()
            .zip(group.iter().map(ToString::to_string))
            .collect(),
        start: Time(start),
        end: Time(reading.end),
        timespan_ms: definition.timespan / 1_000_000,
        count,
        value: reading.number,
        repeats: 0,
        rules: definition.rules.clone(),
        samples,
    }
}

fn made(definition: &Definition, member: u32, id: EventId, kind: HitKind, end: i64, last: Last) -> Hit {
    let (HitKind::Correlation(said) | HitKind::Summary(said)) = &kind else {
        unreachable!("a correlation makes no hit of a single event")
    };
    let values = said.group.iter().map(|(_, value)| value.as_str().into());
    let keys = values.chain([said.value.to_string().into()]).map(Some).collect();
    Hit {
        id,
        member,
        rule: definition.metadata.id.as_str().into(),
        alert: definition.alert,
        ts: Time(end),
        input: last.input,
        offset: last.offset,
        source: last.source,
        logsource: last.logsource,
        event: last.event,
        matched: last.matched,
        keys,
        retimed: last.retimed,
        kind,
    }
}

/// What a quiet time leaves behind; nothing where nothing was repeated or the hit raised no alert.
fn summary(definition: &Definition, member: u32, quiet: Quiet) -> Option<Hit> {
    if quiet.repeats == 0 || !definition.alert {
        return None;
    }
    let id = digest(&[b"correlation-summary", &quiet.id]);
    let said = Correlated {
        repeats: quiet.repeats,
        ..*quiet.correlated
    };
    let end = quiet.end.saturating_add(definition.timespan);
    Some(made(
        definition,
        member,
        id,
        HitKind::Summary(Box::new(said)),
        end,
        quiet.last,
    ))
}

impl Report for Correlator {
    fn report(&self, tally: &mut Tally) {
        tally.add("correlate.keys", self.store.len() as u64);
        tally.add("correlate.bytes", self.store.bytes() as u64);
        tally.add("correlate.ordered_early", self.ordered.early);
        for (definition, counts) in self.pack.program.correlations.iter().zip(&self.counts) {
            let id = &definition.metadata.id;
            for (what, n) in [
                ("events", counts.events),
                ("hits", counts.hits),
                ("quiet", counts.quiet),
                ("evicted", counts.evicted),
                ("missing_group_key", counts.missing_group_key),
                ("missing_value", counts.missing_value),
                ("retimed", counts.retimed),
            ] {
                if n > 0 {
                    tally.add(&format!("correlate.{what}"), n);
                    tally.add(&format!("correlate.{what}{{{id}}}"), n);
                }
            }
        }
    }
}
