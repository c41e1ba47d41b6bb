//! From a line's fields to an event: the first branch of the definition that holds says its log source, our names for theirs,
//! and our words for theirs. Their fields stay beside ours.

use std::sync::Arc;

use crate::event::{LogSource, OwnedValue};

use super::derive::{Many, One};
use super::record::{Name, Raw, Record};

/// A test of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// Its text is any of these.
    Equal(Vec<String>),
    /// Its text begins with any of these.
    StartsWith(Vec<String>),
    /// Its text contains any of these.
    Contains(Vec<String>),
    /// It is there, or not.
    Present(bool),
}

impl Test {
    fn holds(&self, field: Name, record: &Record<'_, '_>) -> bool {
        if let Self::Present(wanted) = self {
            return record.get(field).is_some() == *wanted;
        }
        let Some(text) = record.text(field) else { return false };
        match self {
            Self::Equal(words) => words.iter().any(|word| *word == text),
            Self::StartsWith(words) => words.iter().any(|word| text.starts_with(word.as_str())),
            Self::Contains(words) => words.iter().any(|word| text.contains(word.as_str())),
            Self::Present(_) => true,
        }
    }
}

/// The type that a field's text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As {
    /// As it is.
    Same,
    /// A whole number.
    Int,
    /// A decimal number.
    Float,
    /// `true` or `false`, `yes` or `no`, `1` or `0`.
    Bool,
}

/// Where a field of ours comes from.
#[derive(Debug, Clone)]
pub enum Take {
    /// Their field; what does not read as the type leaves ours out.
    Field(Name, As),
    /// A function of their fields.
    Derived(One),
    /// Our word for their value; a value that is not listed leaves ours out.
    Word(Name, Vec<(String, OwnedValue)>),
}

impl Take {
    fn value<'l>(&self, record: &Record<'_, 'l>) -> Option<Raw<'l>> {
        match self {
            Self::Field(from, As::Same) => record.get(*from).cloned(),
            Self::Field(from, kind) => {
                let text = record.text(*from)?;
                let text = text.trim();
                let value = match kind {
                    As::Int => OwnedValue::Int(text.parse().ok()?),
                    As::Float => OwnedValue::Float(text.parse().ok().filter(|f: &f64| f.is_finite())?),
                    As::Bool => OwnedValue::Bool(match text {
                        "true" | "yes" | "1" => true,
                        "false" | "no" | "0" => false,
                        _ => return None,
                    }),
                    As::Same => return None,
                };
                Some(Raw::Value(value))
            }
            Self::Derived(one) => one.value(record),
            Self::Word(from, words) => {
                let text = record.text(*from)?;
                words
                    .iter()
                    .find(|(theirs, _)| *theirs == text)
                    .map(|(_, ours)| Raw::Value(ours.clone()))
            }
        }
    }
}

/// One branch of a definition's `events`.
#[derive(Debug, Clone)]
pub struct Branch {
    /// All of these must hold.
    pub when: Vec<(Name, Test)>,
    /// What rules find the event by.
    pub logsource: Arc<LogSource>,
    /// Our fields, each from theirs.
    pub takes: Vec<(Name, Take)>,
    /// Fields of fixed names, computed after `takes`, one after the other.
    pub derive: Vec<Many>,
}

impl Branch {
    /// Whether this branch makes the event of these fields.
    pub fn holds(&self, record: &Record<'_, '_>) -> bool {
        self.when.iter().all(|(field, test)| test.holds(*field, record))
    }

    /// Adds our fields. All are read from theirs before the first is set: a name may stand on both sides.
    pub fn apply(&self, record: &mut Record<'_, '_>) {
        let taken: Vec<_> = self
            .takes
            .iter()
            .map(|(name, take)| (*name, take.value(record)))
            .collect();
        for ((name, value), (_, take)) in taken.into_iter().zip(&self.takes) {
            match (value, take) {
                (Some(value), _) => record.set(name, value),
                // Their word under our name must not pass for ours.
                (None, Take::Word(..)) => record.set(name, Raw::Gone),
                (None, _) => {}
            }
        }
        for many in &self.derive {
            many.apply(record);
        }
    }
}
