//! Files to alerts, offline: the same files give the same alerts, in the same order.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use super::Fault;
use super::core::Core;
use super::merge::Merge;
use super::overlay::Overlay;
use super::settings::Settings;
use crate::log::definition;
use crate::log::source::Sources;
use crate::sigma::{Pack, PackError};
use crate::stats::{Report, Tally};

/// A run over files.
pub struct Replay {
    merge: Merge,
    core: Core,
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
        let merge = Merge::open(paths, settings, Some(&sources))?;
        Ok(Self {
            merge,
            core,
            ready: VecDeque::new(),
            finished: false,
        })
    }

    /// Goes on until there are `most` alerts or the inputs are at their end; alerts are JSON documents.
    pub fn poll(&mut self, most: usize) -> Vec<Vec<u8>> {
        let Self {
            merge,
            core,
            ready,
            finished,
        } = self;
        while ready.len() < most && !*finished {
            let more = merge.step(&mut |event, input, offset| {
                core.event(event, input, offset, None, None, &mut |hit| {
                    ready.push_back(hit.to_json());
                });
            });
            if !more {
                core.finish(&mut |hit| ready.push_back(hit.to_json()));
                *finished = true;
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
