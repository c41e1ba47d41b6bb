//! What each correlation counted, so that an operator sees what was left out and why.

use crate::stats::Tally;

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
    /// Hits whose field is not a number.
    pub not_numeric: u64,
    /// Hits further from their receipt than the lateness.
    pub retimed: u64,
    /// Hits that came when the windows they belong to were decided.
    pub late: u64,
    /// Windows decided before the lateness had passed, because too many hits of one key waited.
    pub early: u64,
    /// Hits dropped because too many of one key waited for their windows to close.
    pub thinned: u64,
}

impl Counts {
    /// Adds them to a tally, for all correlations and for the one with this id.
    pub fn report(&self, id: &str, keys: u64, tally: &mut Tally) {
        if keys > 0 {
            tally.add(&format!("correlate.keys{{{id}}}"), keys);
        }
        for (what, n) in [
            ("events", self.events),
            ("hits", self.hits),
            ("quiet", self.quiet),
            ("evicted", self.evicted),
            ("missing_group_key", self.missing_group_key),
            ("missing_value", self.missing_value),
            ("not_numeric", self.not_numeric),
            ("retimed", self.retimed),
            ("late", self.late),
            ("early", self.early),
            ("thinned", self.thinned),
        ] {
            if n > 0 {
                tally.add(&format!("correlate.{what}"), n);
                tally.add(&format!("correlate.{what}{{{id}}}"), n);
            }
        }
    }
}
