//! The accounts of the log path: per sender, `received = mapped + skipped + unmatched + dropped`, under every fault.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::stats::Tally;

use super::record::Damage;

/// Counters of one sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Lines received, empty ones left out.
    pub received: u64,
    /// Lines that became an event, by definition.
    pub mapped: BTreeMap<Arc<str>, u64>,
    /// Lines that their definition skips.
    pub skipped: BTreeMap<Arc<str>, u64>,
    /// Lines that no definition claims.
    pub unmatched: u64,
    /// Lines that their definition claims and its parser cannot read.
    pub unparsed: BTreeMap<Arc<str>, u64>,
    /// Lines longer than the limit.
    pub too_long: u64,
    /// Lines that were not UTF-8 and were read in the sender's character set.
    pub charset: u64,
    /// Lines with bytes that mean nothing in the sender's character set.
    pub damaged: u64,
    /// What was left out of lines.
    pub damage: Damage,
}

impl Account {
    /// Adds one to a definition's counter.
    pub fn count(map: &mut BTreeMap<Arc<str>, u64>, id: &Arc<str>) {
        if let Some(n) = map.get_mut(id) {
            *n += 1;
        } else {
            map.insert(Arc::clone(id), 1);
        }
    }

    /// Whether every line received is in exactly one bin.
    pub fn balances(&self) -> bool {
        let sum = |map: &BTreeMap<Arc<str>, u64>| map.values().sum::<u64>();
        self.received == sum(&self.mapped) + sum(&self.skipped) + self.unmatched + sum(&self.unparsed) + self.too_long
    }

    /// Adds the counters to `tally`, in all and for the sender.
    pub fn report(&self, sender: &str, tally: &mut Tally) {
        let mut add = |what: &str, n: u64| {
            tally.add(&format!("log.{what}"), n);
            tally.add(&format!("log.sender.{sender}.{what}"), n);
        };
        add("received", self.received);
        add("unmatched", self.unmatched);
        add("dropped{too_long}", self.too_long);
        let bins = [
            ("mapped", &self.mapped),
            ("skipped", &self.skipped),
            ("dropped{unparsed}", &self.unparsed),
        ];
        for (what, map) in bins {
            add(what, map.values().sum());
        }
        for (what, map) in bins {
            for (id, n) in map {
                tally.add(&format!("log.source.{id}.{what}"), *n);
            }
        }
        for (what, n) in [
            ("text.charset", self.charset),
            ("text.damaged", self.damaged),
            ("field.dropped{repeated}", self.damage.repeated),
            ("field.dropped{too_many}", self.damage.too_many),
            ("field.cut", self.damage.cut),
        ] {
            tally.add(&format!("log.{what}"), n);
        }
    }
}
