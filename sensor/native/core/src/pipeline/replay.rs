//! Files to alerts, offline: the same files give the same alerts, in the same order.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use super::Fault;
use super::core::Core;
use super::merge::Merge;
use super::overlay::Overlay;
use super::settings::Settings;
use crate::correlate::Ordered;
use crate::event::Time;
use crate::log::definition;
use crate::log::source::Sources;
use crate::sigma::{Pack, PackError};
use crate::stats::{Report, Tally};

/// Frames and lines after which a poll returns whatever there is, so that the caller can say how far it has come.
const STRETCH: usize = 50_000;

/// A run over files.
pub struct Replay {
    merge: Merge,
    core: Core,
    /// Alerts wait here for earlier ones: a correlation may be known long after its time.
    held: Ordered,
    ready: VecDeque<Vec<u8>>,
    finished: bool,
}

/// The log source definitions of a pack.
///
/// # Errors
/// [`PackError`] naming the definition that is wrong.
pub fn sources(pack: &Pack) -> Result<Arc<Sources>, PackError> {
    definition::read(&pack.sources)
        .map(Arc::new)
        .map_err(|reason| PackError {
            member: "sources.json".to_owned(),
            reason,
        })
}

impl Replay {
    /// Opens all paths.
    ///
    /// # Errors
    /// [`Fault`]: settings, the pack's definitions, or an input that cannot be read.
    pub fn new(settings: &Settings, pack: Arc<Pack>, paths: &[PathBuf]) -> Result<Self, Fault> {
        let sources = sources(&pack)?;
        let core = Core::new(pack, settings, Overlay::default(), false)?;
        let merge = Merge::open(paths, settings, Some(&sources), Some(core.wanted()))?;
        Ok(Self {
            merge,
            core,
            held: Ordered::default(),
            ready: VecDeque::new(),
            finished: false,
        })
    }

    /// Goes on until there are `most` alerts, the inputs are at their end, or a while has passed; alerts are JSON documents, in
    /// the order of (time, input, offset) as far as memory for those that wait allows.
    pub fn poll(&mut self, most: usize) -> Vec<Vec<u8>> {
        let Self {
            merge,
            core,
            held,
            ready,
            finished,
        } = self;
        for _ in 0..STRETCH {
            if ready.len() >= most || *finished {
                break;
            }
            let more = merge.step(&mut |event, input, offset| {
                core.event(event, input, offset, None, None, &mut |hit| held.add(hit));
            });
            if !more {
                core.finish(&mut |hit| held.add(hit));
                *finished = true;
            }
            while let Some(first) = held.overfull() {
                // What the correlations make of everything up to there belongs before the next.
                let until = first.saturating_add(1);
                core.advance(Time(until), &mut |hit| held.add(hit));
                while let Some(hit) = held.next_before(until) {
                    ready.push_back(hit.to_json());
                }
            }
            while *finished && let Some(hit) = held.first() {
                ready.push_back(hit.to_json());
            }
        }
        let most = most.min(ready.len());
        ready.drain(..most).collect()
    }

    /// Whether everything was given out.
    pub fn finished(&self) -> bool {
        self.finished && self.ready.is_empty()
    }

    /// What was wrong with inputs: captures cut short, lines that nobody claims; and rules that cannot fire.
    pub fn warnings(&self) -> Vec<String> {
        let inactive = self.core.inactive();
        let inactive = inactive
            .iter()
            .map(|(rule, list)| format!("rule {rule} is inactive: the list '{list}' is not filled in lists.{list}"));
        self.merge.warnings().iter().cloned().chain(inactive).collect()
    }

    /// Counters of all stages.
    pub fn stats(&self) -> Tally {
        let mut tally = Tally::default();
        self.merge.report(&mut tally);
        self.core.report(&mut tally);
        tally
    }
}
