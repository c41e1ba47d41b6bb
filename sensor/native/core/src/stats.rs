//! Counters. Every stage counts what it received, what it sent on and what it dropped, by reason; nothing is dropped silently.

use std::collections::BTreeMap;

/// Counters of all stages by name, as `vigla_native.Sensor.stats()` returns them.
///
/// Names read `stage.what` or `stage.dropped{reason}`, for instance `capture.packets`, `flow.dropped{evicted}`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// Adds `n` to the counter `name`.
    pub fn add(&mut self, name: &str, n: u64) {
        if let Some(slot) = self.0.get_mut(name) {
            *slot += n;
        } else {
            self.0.insert(name.to_owned(), n);
        }
    }

    /// All counters in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, n)| (name.as_str(), *n))
    }

    /// The counter `name`, 0 where nothing was counted.
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }
}

/// A stage that can say what it counted. Hot paths keep plain `u64` fields and report them here.
pub trait Report {
    /// Adds this stage's counters to `tally`.
    fn report(&self, tally: &mut Tally);
}
