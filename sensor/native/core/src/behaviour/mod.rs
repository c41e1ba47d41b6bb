//! Behaviour events: numbers over time that rules can compare (`hosts|gte: 30`). They judge nothing; thresholds are Sigma's.
//!
//! Computed after the fan-in by one owner: a peer that split such state over 2, 4 and 8 workers kept 91, 86 and 65 % of its
//! alerts. Each behaviour is a file with bounded state; an event leaves at a low floor, at each value that a loaded rule
//! compares with, then at doublings, so that a threshold is met exactly and a storm gives a handful of events.

mod levels;
mod scan;

pub use levels::Levels;
pub use scan::Scan;

use crate::event::{Event, EventSink};
use crate::stats::{Report, Tally};

/// Service and fields of each behaviour's event.
pub const EVENTS: [(&str, &[&str]); 1] = [("scan", &scan::FIELDS)];

/// All behaviours, fed with every event of all inputs.
#[derive(Debug)]
pub struct Behaviours {
    scan: Scan,
}

impl Behaviours {
    /// `thresholds(service, field)` names the values that loaded rules compare a behaviour's field with.
    pub fn new(thresholds: &dyn Fn(&str, &str) -> Vec<u64>) -> Self {
        Self {
            scan: Scan::new(
                Levels::new(10, thresholds("scan", "hosts")),
                Levels::new(20, thresholds("scan", "ports")),
            ),
        }
    }

    /// Takes an event; what follows from it goes to `sink` at once.
    pub fn event(&mut self, event: &Event, sink: &mut dyn EventSink) {
        if event.path() == "conn" {
            self.scan.connection(event, sink);
        }
    }
}

impl Report for Behaviours {
    fn report(&self, tally: &mut Tally) {
        self.scan.report(tally);
    }
}
