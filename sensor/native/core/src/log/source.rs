//! A compiled source definition: from a header and a message to an event's fields.

use std::sync::Arc;

use crate::event::{Fields, Time};

use super::identify::Signature;
use super::map::Branch;
use super::parse::Parser;
use super::record::{Damage, Name, Names, Record};
use super::syslog::Header;
use super::time::{Clock, Format, Stamp};

/// Where a definition looks for the time.
#[derive(Debug, Clone)]
pub enum TimeRule {
    /// In these fields, joined by a blank.
    Fields(Vec<Name>, Format),
    /// In the syslog header.
    Header,
}

/// A compiled definition. One device may send lines of several.
#[derive(Debug, Clone)]
pub struct Source {
    /// The definition's id, which events are printed under (`_path`).
    pub id: Arc<str>,
    /// Alternatives, any of which claims a line.
    pub signatures: Vec<Signature>,
    /// How its messages are written.
    pub parser: Parser,
    /// The first that reads is the line's time.
    pub times: Vec<TimeRule>,
    /// The first that holds makes the event.
    pub branches: Vec<Branch>,
    /// Names that the definition uses.
    pub names: Names,
}

/// What became of a line.
#[derive(Debug)]
pub enum Outcome {
    /// An event.
    Mapped(Time, Fields),
    /// The definition has no branch for it.
    Skipped,
    /// The message is not of the definition's syntax.
    Unparsed,
}

impl Source {
    /// Reads one line. `names` is this sender's copy of [`Source::names`].
    pub fn line(&self, header: &Header<'_>, names: &mut Names, clock: &mut Clock, damage: &mut Damage) -> Outcome {
        let mut record = Record::new(names);
        if !self.parser.parse(header.message, &mut record) {
            return Outcome::Unparsed;
        }
        for (name, value) in [
            ("syslog.host", header.host),
            ("syslog.tag", header.tag),
            ("syslog.process", header.process),
        ] {
            if let Some(value) = value {
                record.put(name, value.into());
            }
        }
        for (name, value) in &header.structured {
            record.put(name, value.clone());
        }
        damage.repeated += record.damage.repeated;
        damage.too_many += record.damage.too_many;
        damage.cut += record.damage.cut;
        // A skipped line's time counts too: it is what a line without time takes.
        let time = self.stamp(header, &record).and_then(|stamp| clock.moment(stamp));
        let Some(branch) = self.branches.iter().find(|branch| branch.holds(&record)) else {
            return Outcome::Skipped;
        };
        branch.apply(&mut record);
        let values = record.into_values();
        let fields = Fields {
            path: Arc::clone(&self.id),
            logsource: Arc::clone(&branch.logsource),
            values,
        };
        Outcome::Mapped(time.unwrap_or_else(|| clock.unsaid()), fields)
    }

    fn stamp(&self, header: &Header<'_>, record: &Record<'_, '_>) -> Option<Stamp> {
        for rule in &self.times {
            let stamp = match rule {
                TimeRule::Header => header.time.map(Stamp::Civil),
                TimeRule::Fields(names, format) => match names.as_slice() {
                    [name] => record.text(*name).and_then(|text| format.parse(&text)),
                    names => {
                        let texts: Option<Vec<_>> = names.iter().map(|name| record.text(*name)).collect();
                        texts.and_then(|texts| format.parse(&texts.join(" ")))
                    }
                },
            };
            if stamp.is_some() {
                return stamp;
            }
        }
        // A definition that names no time, or a line without it: the header's is better than the line before's.
        header.time.map(Stamp::Civil)
    }
}

/// All definitions of a pack, in its order.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Definitions in the order in which they are asked.
    pub fn new(sources: Vec<Source>) -> Self {
        Self(sources)
    }

    /// The place of the definition called `id`.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.0.iter().position(|source| *source.id == *id)
    }

    /// The ids, in order.
    pub fn ids(&self) -> Vec<&str> {
        self.0.iter().map(|source| &*source.id).collect()
    }

    /// The definition at `place`.
    pub fn get(&self, place: usize) -> &Source {
        &self.0[place]
    }

    /// The first definition that claims the line.
    pub fn identify(&self, header: &Header<'_>, file: Option<&str>) -> Option<usize> {
        self.0
            .iter()
            .position(|source| source.signatures.iter().any(|signature| signature.holds(header, file)))
    }
}
