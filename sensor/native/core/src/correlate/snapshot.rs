//! The state of all correlations as bytes: part of a checkpoint. State of a definition that a new pack changed is left out.

use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::correlator::Correlator;
use super::definition::Definition;
use super::store::{Key, Last, Quiet};
use super::window::{Entry, Window};
use crate::event::{LogSource, Time};
use crate::sigma::{Correlated, EventId};

const MAGIC: &[u8; 8] = b"VGLCOR1\n";

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
    entries: Vec<(i64, u32, u64, u16, EventId, EventId)>,
    waiting: Vec<(i64, LastState)>,
    quiet: Option<QuietState>,
}

#[derive(Serialize, Deserialize)]
struct LastState {
    event: String,
    logsource: [Option<String>; 3],
    input: String,
    offset: u64,
    source: EventId,
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
    samples: Vec<EventId>,
    last: LastState,
}

impl Correlator {
    /// All state as bytes. Hits that replay has not put in order yet are none of it: a replay starts anew.
    pub fn snapshot(&self) -> Vec<u8> {
        let (definitions, store, now) = self.parts();
        let mut inputs = Vec::new();
        let mut known = HashMap::<Arc<str>, u32>::new();
        let mut input = |name: &Arc<str>| {
            *known.entry(Arc::clone(name)).or_insert_with(|| {
                inputs.push(name.to_string());
                inputs.len() as u32 - 1
            })
        };
        let keys = store.iter().map(|key| key_state(key, &mut input)).collect();
        let fingerprints = definitions.iter().map(|d| d.fingerprint).collect();
        let state = State {
            now,
            inputs,
            fingerprints,
            keys,
        };
        let mut out = MAGIC.to_vec();
        // Numbers, text and lists only: writing them to memory cannot fail.
        let _ = rmp_serde::encode::write(&mut out, &state);
        out
    }

    /// Takes the state of a checkpoint, of definitions that are the same.
    ///
    /// # Errors
    /// The bytes are no such state; nothing is taken then.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let body = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| RestoreError("it does not begin as one".to_owned()))?;
        let state: State = rmp_serde::from_slice(body).map_err(|e| RestoreError(e.to_string()))?;
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
            let group = saved.group.iter().map(|g| g.as_str().into()).collect();
            let slot = store.slot(index as u32, &saved.key, || group);
            let due = store.get_mut(slot).map(|key| {
                fill(key, definition, saved, &inputs);
                key.next_due(definition, lateness)
            });
            store.touch(slot, due.unwrap_or(i64::MAX));
        }
        Ok(())
    }
}

fn key_state(key: &Key, input: &mut dyn FnMut(&Arc<str>) -> u32) -> KeyState {
    KeyState {
        of: key.correlation,
        key: key.folded.to_vec(),
        group: key.group.iter().map(ToString::to_string).collect(),
        entries: (key.window.entries().iter())
            .map(|e| (e.ts, input(&e.input), e.offset, e.member, e.value, e.id))
            .collect(),
        waiting: key.waiting.iter().map(|(end, last)| (*end, last_state(last))).collect(),
        quiet: key.quiet.as_ref().map(|quiet| QuietState {
            end: quiet.end,
            id: quiet.id,
            repeats: quiet.repeats,
            start: quiet.correlated.start.0,
            count: quiet.correlated.count,
            value: quiet.correlated.value,
            samples: quiet.correlated.samples.clone(),
            last: last_state(&quiet.last),
        }),
    }
}

fn last_state(last: &Last) -> LastState {
    let part = |part: &Option<std::borrow::Cow<'static, str>>| part.as_deref().map(str::to_owned);
    let LogSource {
        product,
        category,
        service,
    } = &*last.logsource;
    LastState {
        event: last.event.to_string(),
        logsource: [part(product), part(category), part(service)],
        input: last.input.to_string(),
        offset: last.offset,
        source: last.source,
        retimed: last.retimed,
    }
}

fn last(state: LastState) -> Last {
    let [product, category, service] = state.logsource.map(|part| part.map(Into::into));
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
        matched: Vec::new(), // evidence is of the moment; the event itself is here
        retimed: state.retimed,
    }
}

fn fill(key: &mut Key, definition: &Definition, saved: KeyState, inputs: &[Arc<str>]) {
    let unknown: Arc<str> = "".into();
    let entries = saved
        .entries
        .into_iter()
        .filter(|e| usize::from(e.3) < definition.members.len());
    let entries = entries.map(|(ts, input, offset, member, value, id)| {
        let input = Arc::clone(inputs.get(input as usize).unwrap_or(&unknown));
        Entry {
            ts,
            input,
            offset,
            member,
            value,
            id,
        }
    });
    key.window = Window::restored(definition, entries.collect());
    key.waiting = saved
        .waiting
        .into_iter()
        .map(|(end, state)| (end, last(state)))
        .collect();
    key.quiet = saved.quiet.map(|quiet| Quiet {
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
            repeats: 0,
            rules: definition.rules.clone(),
            samples: quiet.samples,
        }),
        last: last(quiet.last),
    });
}
