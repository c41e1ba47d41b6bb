//! Several inputs as one: what comes first in time comes first, whatever the order of arguments and the speed of each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Fault;
use super::input::Input;
use super::settings::Settings;
use crate::event::{Event, Time};
use crate::jsonl::Wanted;
use crate::log::source::Sources;
use crate::stats::{Report, Tally};

/// Inputs in the order of (time, input, place in it).
pub struct Merge {
    inputs: Vec<Input>,
    open: Vec<usize>,
    warnings: Vec<String>,
}

impl Merge {
    /// Opens all paths. Their order does not matter; one that is named twice is read once.
    ///
    /// # Errors
    /// As [`Input::open`], for the first that cannot be opened.
    pub fn open(
        paths: &[PathBuf],
        settings: &Settings,
        sources: Option<&Arc<Sources>>,
        wanted: Option<&Arc<Wanted>>,
    ) -> Result<Self, Fault> {
        let mut sorted: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        sorted.sort_by(|a, b| (a.file_name(), a).cmp(&(b.file_name(), b)));
        let named = sorted.len();
        sorted.dedup();
        let mut warnings = Vec::new();
        if sorted.len() < named {
            warnings.push(format!("{} paths are named twice and read once", named - sorted.len()));
        }
        let inputs = sorted
            .into_iter()
            .map(|path| Input::open(path, settings, sources, wanted))
            .collect::<Result<Vec<_>, _>>()?;
        let open = (0..inputs.len()).collect();
        Ok(Self { inputs, open, warnings })
    }

    /// Takes the next frame or line of all inputs. False when all are at their end.
    pub fn step(&mut self, each: &mut dyn FnMut(&Event, &Arc<str>, u64)) -> bool {
        let Some(place) = self.first() else { return false };
        let input = &mut self.inputs[self.open[place]];
        let name = Arc::clone(&input.name);
        if !input.step(&mut |event, offset| each(event, &name, offset)) {
            self.warnings.extend(input.warnings());
            self.open.remove(place);
        }
        true
    }

    /// The open input that comes first; an input at its end comes at once, to be closed.
    fn first(&mut self) -> Option<usize> {
        if self.open.len() <= 1 {
            return (!self.open.is_empty()).then_some(0);
        }
        let mut first: Option<(Time, usize)> = None;
        for (place, index) in self.open.iter().enumerate() {
            let Some(time) = self.inputs[*index].next_time() else {
                return Some(place);
            };
            if first.is_none_or(|(known, _)| time < known) {
                first = Some((time, place));
            }
        }
        first.map(|(_, place)| place)
    }

    /// What was wrong with inputs that are at their end.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Report for Merge {
    fn report(&self, tally: &mut Tally) {
        for input in &self.inputs {
            input.report(tally);
        }
    }
}
