//! Keeps `weird` events from becoming the flood they report: 25 per name, source and minute, the rest counted.

use std::net::IpAddr;

use hashbrown::HashMap;

use crate::event::Time;
use crate::stats::{Report, Tally};

const PER_MINUTE: u32 = 25;
/// Of all names and sources together: forged sources have no number of their own.
const PER_MINUTE_ALL: u32 = 10_000;
const MINUTE: i64 = 60 * 1_000_000_000;
/// Names and sources remembered; when full, all are forgotten at once.
const CAP: usize = 4096;

/// What was reported lately.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    recent: HashMap<(&'static str, IpAddr), (i64, u32), foldhash::fast::RandomState>,
    all: (i64, u32),
    emitted: u64,
    suppressed: u64,
}

impl Limiter {
    pub(crate) fn allows(&mut self, name: &'static str, source: IpAddr, now: Time) -> bool {
        if self.recent.len() >= CAP && !self.recent.contains_key(&(name, source)) {
            self.recent.clear();
        }
        let minute = now.0.div_euclid(MINUTE);
        let entry = self.recent.entry((name, source)).or_insert((minute, 0));
        if entry.0 != minute {
            *entry = (minute, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        if self.all.0 != minute {
            self.all = (minute, 0);
        }
        let allowed = entry.1 <= PER_MINUTE && self.all.1 < PER_MINUTE_ALL;
        self.all.1 += u32::from(allowed);
        self.emitted += u64::from(allowed);
        self.suppressed += u64::from(!allowed);
        allowed
    }
}

impl Report for Limiter {
    fn report(&self, tally: &mut Tally) {
        tally.add("weird.emitted", self.emitted);
        tally.add("weird.dropped{rate}", self.suppressed);
    }
}
