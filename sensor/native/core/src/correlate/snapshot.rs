//! The state of all correlations as bytes: part of a checkpoint. State of a definition that a new pack changed is left out.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::correlator::Correlator;
use super::definition::{Definition, Pace};
use super::entry::{Entry, Last, Waiting};
use super::fixed::{Fixed, Sum};
use super::forward::Forward;
use super::numbers::Chunk;
use super::rising::Rising;
use super::settled::Settled;
use super::sketch::Bins;
use super::store::{Key, Quiet};
use super::window::Window;
use crate::event::{LogSource, Time};
use crate::sigma::{Correlated, EventId, Matched, digest};

const MAGIC: &[u8; 8] = b"VGLCOR2\n";

/// The bytes are no state of correlations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreError(String);

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the checkpoint's correlation state cannot be read: {}; start without it to count afresh",
            self.0
        )
    }
}

impl std::error::Error for RestoreError {}

#[derive(Serialize, Deserialize)]
struct State {
    now: i64,
    inputs: Vec<String>,
    fingerprints: Vec<EventId>,
    keys: Vec<KeyState>,
}

#[derive(Serialize, Deserialize)]
struct KeyState {
    /// Place among the fingerprints.
    of: u32,
    key: Vec<u8>,
    group: Vec<String>,
    /// Entries with their events, which wait.
    waiting: Vec<(EntryState, LastState)>,
    entries: Vec<EntryState>,
    chunks: Vec<ChunkState>,
    until: i64,
    quiet: Option<QuietState>,
}

/// Time, input, offset, member, value, number, id.
type EntryState = (i64, u32, u64, u16, EventId, EventId, EventId);
/// First and last time, count, sum, bins.
type ChunkState = (i64, i64, u64, EventId, Vec<(i16, u32)>);

#[derive(Serialize, Deserialize)]
struct LastState {
    event: String,
    logsource: [Option<String>; 3],
    input: String,
    offset: u64,
    source: EventId,
    matched: Vec<(String, String, String, Json, Json)>,
    retimed: bool,
}

#[derive(Serialize, Deserialize)]
struct QuietState {
    end: i64,
    id: EventId,
    repeats: u64,
    start: i64,
    count: u64,
    value: f64,
    exact: Option<bool>,
    samples: Vec<EventId>,
    last: LastState,
}

impl Correlator {
    /// All state as bytes. Hits that replay has not put in order yet are none of it: a replay starts anew.
    pub fn snapshot(&self) -> Vec<u8> {
        let (definitions, store, now) = self.parts();
        let mut inputs = Inputs::default();
        let keys = store.iter().map(|key| key_state(key, &mut inputs)).collect();
        let fingerprints = definitions.iter().map(|d| d.fingerprint).collect();
        let state = State {
            now,
            inputs: inputs.names,
            fingerprints,
            keys,
        };
        let mut out = [MAGIC.as_slice(), &[0; 16]].concat();
        // Numbers, text and lists only: writing them to memory cannot fail.
        let _ = rmp_serde::encode::write(&mut out, &state);
        let seal = digest(&[&out[MAGIC.len() + 16..]]);
        out[MAGIC.len()..MAGIC.len() + 16].copy_from_slice(&seal);
        out
    }

    /// Takes the state of a checkpoint, of definitions that are the same.
    ///
    /// # Errors
    /// The bytes are no such state, or damaged; nothing is taken then.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let fault = |why: &str| RestoreError(why.to_owned());
        let body = (bytes.strip_prefix(MAGIC)).ok_or_else(|| fault("it is none of this version"))?;
        let (seal, body) = body.split_first_chunk::<16>().ok_or_else(|| fault("it is cut short"))?;
        if digest(&[body]) != *seal {
            return Err(fault("it is damaged"));
        }
        let state: State = rmp_serde::from_slice(body).map_err(|e| fault(&e.to_string()))?;
        let (definitions, store, now, lateness) = self.parts_mut();
        *now = state.now;
        let inputs: Vec<Arc<str>> = state.inputs.iter().map(|name| name.as_str().into()).collect();
        for saved in state.keys {
            let found = (state.fingerprints.get(saved.of as usize))
                .and_then(|wanted| definitions.iter().position(|d| d.fingerprint == *wanted));
            let Some(index) = found else {
                continue;
            };
            let definition = &definitions[index];
            let key = saved.key.clone();
            let mut quiet = None;
            let slot = store.slot(index as u32, &key, || {
                let group = saved.group.iter().map(|g| g.as_str().into()).collect();
                let (window, kept) = restored(definition, saved, &inputs);
                quiet = kept;
                (group, window)
            });
            let due = store.get_mut(slot).map(|key| {
                key.quiet = quiet;
                key.next_due(definition, lateness)
            });
            store.touch(slot, due.unwrap_or(i64::MAX));
        }
        Ok(())
    }
}

#[derive(Default)]
struct Inputs {
    names: Vec<String>,
    known: HashMap<Arc<str>, u32>,
}

impl Inputs {
    fn place(&mut self, name: &Arc<str>) -> u32 {
        *self.known.entry(Arc::clone(name)).or_insert_with(|| {
            self.names.push(name.to_string());
            self.names.len() as u32 - 1
        })
    }

    fn entry(&mut self, e: &Entry) -> EntryState {
        let input = self.place(&e.input);
        (e.ts, input, e.offset, e.member, e.value, e.number.to_bytes(), e.id)
    }

    fn waiting(&mut self, waiting: &Waiting) -> Vec<(EntryState, LastState)> {
        (waiting
            .iter()
            .map(|(entry, last)| (self.entry(entry), last_state(last))))
        .collect()
    }
}

fn key_state(key: &Key, inputs: &mut Inputs) -> KeyState {
    let quiet = key.quiet.as_ref().map(|quiet| QuietState {
        end: quiet.end,
        id: quiet.id,
        repeats: quiet.repeats,
        start: quiet.correlated.start.0,
        count: quiet.correlated.count,
        value: quiet.correlated.value,
        exact: quiet.correlated.exact,
        samples: quiet.correlated.samples.clone(),
        last: last_state(&quiet.last),
    });
    let mut state = KeyState {
        of: key.correlation,
        key: key.folded.to_vec(),
        group: key.group.iter().map(ToString::to_string).collect(),
        waiting: Vec::new(),
        entries: Vec::new(),
        chunks: Vec::new(),
        until: i64::MIN,
        quiet,
    };
    match &key.window {
        Window::Rising(window) => state.entries = window.entries().iter().map(|e| inputs.entry(e)).collect(),
        Window::Settled(window) => {
            let (waiting, entries, chunks, until) = window.parts();
            state.waiting = inputs.waiting(waiting);
            state.entries = entries.iter().map(|e| inputs.entry(e)).collect();
            state.chunks = chunks.iter().map(chunk_state).collect();
            state.until = until;
        }
        Window::Forward(window) => {
            let (entries, until) = window.parts();
            state.waiting = inputs.waiting(entries);
            state.until = until;
        }
    }
    state
}

fn chunk_state(chunk: &Chunk) -> ChunkState {
    let bins = chunk.bins.iter().collect();
    (chunk.from, chunk.to, chunk.count, chunk.sum.to_bytes(), bins)
}

fn last_state(last: &Last) -> LastState {
    let part = |part: &Option<Cow<'static, str>>| part.as_deref().map(str::to_owned);
    let LogSource {
        product,
        category,
        service,
    } = &*last.logsource;
    let evidence = |m: &Matched| {
        let texts = (m.selection.clone(), m.field.clone(), m.op.to_string());
        (texts.0, texts.1, texts.2, m.value.clone(), m.actual.clone())
    };
    LastState {
        event: last.event.to_string(),
        logsource: [part(product), part(category), part(service)],
        input: last.input.to_string(),
        offset: last.offset,
        source: last.source,
        matched: last.matched.iter().map(evidence).collect(),
        retimed: last.retimed,
    }
}

fn last(state: LastState) -> Last {
    let [product, category, service] = state.logsource.map(|part| part.map(Into::into));
    let evidence = |(selection, field, op, value, actual): (_, _, String, _, _)| Matched {
        selection,
        field,
        op: op.into(),
        value,
        actual,
    };
    Last {
        event: state.event.into(),
        logsource: Arc::new(LogSource {
            product,
            category,
            service,
        }),
        input: state.input.into(),
        offset: state.offset,
        source: state.source,
        matched: state.matched.into_iter().map(evidence).collect(),
        retimed: state.retimed,
    }
}

fn restored(definition: &Definition, saved: KeyState, inputs: &[Arc<str>]) -> (Window, Option<Quiet>) {
    let unknown: Arc<str> = "".into();
    let entry = |(ts, input, offset, member, value, number, id): EntryState| Entry {
        ts,
        input: Arc::clone(inputs.get(input as usize).unwrap_or(&unknown)),
        offset,
        // The fingerprint says that the rules are the same.
        member: member.min(definition.members.len() as u16 - 1),
        value,
        number: Fixed::from_bytes(number),
        id,
    };
    let entries: Vec<Entry> = saved.entries.into_iter().map(entry).collect();
    let waiting = saved.waiting.into_iter();
    let waiting: Vec<(Entry, Last)> = waiting.map(|(of, state)| (entry(of), last(state))).collect();
    let chunk = |(from, to, count, sum, bins): ChunkState| Chunk {
        from,
        to,
        count,
        sum: Sum::from_bytes(sum),
        bins: Bins::restored(bins),
    };
    let chunks = saved.chunks.into_iter().map(chunk).collect();
    let window = match definition.pace {
        Pace::AtOnce => Window::Rising(Rising::restored(definition, entries)),
        Pace::Settled => Window::Settled(Settled::restored(definition, waiting, entries, chunks, saved.until)),
        Pace::Closed => Window::Forward(Forward::restored(definition, waiting, saved.until)),
    };
    let quiet = saved.quiet.map(|quiet| Quiet {
        end: quiet.end,
        id: quiet.id,
        repeats: quiet.repeats,
        correlated: Box::new(Correlated {
            kind: definition.kind.word(),
            group: definition.group_by.iter().cloned().zip(saved.group).collect(),
            start: Time(quiet.start),
            end: Time(quiet.end),
            timespan_ms: definition.timespan / 1_000_000,
            count: quiet.count,
            value: quiet.value,
            exact: quiet.exact,
            repeats: 0,
            rules: definition.rules.clone(),
            samples: quiet.samples,
        }),
        last: Arc::new(last(quiet.last)),
    });
    (window, quiet)
}
