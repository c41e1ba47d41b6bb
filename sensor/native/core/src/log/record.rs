//! The fields of one line while it is on its way: borrowed from the line, found by number and not by name.

use std::borrow::Cow;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::event::OwnedValue;

/// Most fields of one line.
pub const MAX_FIELDS: usize = 512;
/// Longest value in bytes.
pub const MAX_VALUE: usize = 32 * 1024;
/// Most names that one sender's lines may add to a table; names beyond it are made anew for each line.
const MAX_NAMES: usize = 4096;

/// The number of a field name in [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name(u32);

/// Field names by number. Those of the definition come first, so that its tests and tables never compare names.
#[derive(Debug, Clone, Default)]
pub struct Names {
    numbers: HashMap<Arc<str>, u32, FixedState>,
    texts: Vec<Arc<str>>,
    /// Of each name: the line that last had it, and where.
    places: Vec<(u64, u32)>,
    line: u64,
}

impl Names {
    /// The number of `text`, which is given one if it has none and there is room.
    pub fn intern(&mut self, text: &str) -> Option<Name> {
        if let Some(number) = self.numbers.get(text) {
            return Some(Name(*number));
        }
        if self.texts.len() >= MAX_NAMES {
            return None;
        }
        let number = self.texts.len() as u32;
        let text: Arc<str> = Arc::from(text);
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        self.places.push((0, 0));
        Some(Name(number))
    }

    fn text(&self, name: Name) -> &Arc<str> {
        &self.texts[name.0 as usize]
    }
}

/// A value as the parser found it.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw<'l> {
    /// Text of the line.
    Text(Cow<'l, str>),
    /// A value with a type (JSON, or made by a definition).
    Value(OwnedValue),
    /// Taken out by the definition.
    Gone,
}

impl Raw<'_> {
    /// The value's text, as a rule would compare it; `None` for null, lists and what is gone.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Text(text) => Cow::Borrowed(text.as_ref()),
            Self::Value(OwnedValue::Str(text)) => Cow::Borrowed(text.as_str()),
            Self::Value(OwnedValue::Bool(b)) => Cow::Borrowed(if *b { "true" } else { "false" }),
            Self::Value(OwnedValue::Int(i)) => Cow::Owned(i.to_string()),
            Self::Value(OwnedValue::Uint(u)) => Cow::Owned(u.to_string()),
            Self::Value(OwnedValue::Float(f)) => Cow::Owned(f.to_string()),
            Self::Value(OwnedValue::Number(text)) => Cow::Borrowed(text),
            Self::Value(OwnedValue::Null | OwnedValue::List(_)) | Self::Gone => return None,
        })
    }

    fn into_owned(self) -> Option<OwnedValue> {
        match self {
            Self::Text(text) => Some(OwnedValue::Str(text.into_owned())),
            Self::Value(value) => Some(value),
            Self::Gone => None,
        }
    }
}

enum Key {
    Known(Name),
    /// Beyond [`MAX_NAMES`].
    Spelled(Arc<str>),
}

/// What was wrong with a line that was read all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Damage {
    /// Names that stood there before: the first value counts.
    pub repeated: u64,
    /// Fields beyond [`MAX_FIELDS`].
    pub too_many: u64,
    /// Values cut at [`MAX_VALUE`].
    pub cut: u64,
}

/// The fields of one line, in order. A name occurs once.
pub struct Record<'n, 'l> {
    names: &'n mut Names,
    values: Vec<(Key, Raw<'l>)>,
    /// What was left out.
    pub damage: Damage,
}

impl<'n, 'l> Record<'n, 'l> {
    /// An empty record over a table of names.
    pub fn new(names: &'n mut Names) -> Self {
        names.line += 1;
        Self {
            names,
            values: Vec::with_capacity(48),
            damage: Damage::default(),
        }
    }

    /// Adds a field unless the name is there already.
    pub fn put(&mut self, name: &str, text: Cow<'l, str>) {
        let value = if text.len() > MAX_VALUE {
            self.damage.cut += 1;
            let end = (0..=MAX_VALUE).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            match text {
                Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
                Cow::Owned(mut text) => {
                    text.truncate(end);
                    Cow::Owned(text)
                }
            }
        } else {
            text
        };
        self.add(name, Raw::Text(value));
    }

    /// Adds a typed field unless the name is there already.
    pub fn put_value(&mut self, name: &str, value: OwnedValue) {
        match value {
            OwnedValue::Str(text) => self.put(name, Cow::Owned(text)),
            other => self.add(name, Raw::Value(other)),
        }
    }

    fn add(&mut self, name: &str, value: Raw<'l>) {
        if self.values.len() >= MAX_FIELDS {
            self.damage.too_many += 1;
            return;
        }
        match self.names.intern(name) {
            Some(known) => {
                let place = &mut self.names.places[known.0 as usize];
                if place.0 == self.names.line {
                    self.damage.repeated += 1;
                    return;
                }
                *place = (self.names.line, self.values.len() as u32);
                self.values.push((Key::Known(known), value));
            }
            None => {
                if self
                    .values
                    .iter()
                    .any(|(key, _)| matches!(key, Key::Spelled(text) if **text == *name))
                {
                    self.damage.repeated += 1;
                } else {
                    self.values.push((Key::Spelled(Arc::from(name)), value));
                }
            }
        }
    }

    fn place(&self, name: Name) -> Option<usize> {
        let (line, place) = self.names.places[name.0 as usize];
        (line == self.names.line).then_some(place as usize)
    }

    /// The value of a name of the definition.
    pub fn get(&self, name: Name) -> Option<&Raw<'l>> {
        self.place(name)
            .map(|place| &self.values[place].1)
            .filter(|raw| **raw != Raw::Gone)
    }

    /// The text of a name of the definition.
    pub fn text(&self, name: Name) -> Option<Cow<'_, str>> {
        self.get(name).and_then(Raw::text)
    }

    /// Sets the value of a name of the definition, whether it was there or not.
    pub fn set(&mut self, name: Name, value: Raw<'l>) {
        if let Some(place) = self.place(name) {
            self.values[place].1 = value;
        } else if value != Raw::Gone {
            self.names.places[name.0 as usize] = (self.names.line, self.values.len() as u32);
            self.values.push((Key::Known(name), value));
        }
    }

    /// The fields as an event has them.
    pub fn into_values(self) -> Vec<(Arc<str>, OwnedValue)> {
        let names = self.names;
        let mut values = Vec::with_capacity(self.values.len());
        for (key, raw) in self.values {
            if let Some(value) = raw.into_owned() {
                let name = match key {
                    Key::Known(name) => Arc::clone(names.text(name)),
                    Key::Spelled(text) => text,
                };
                values.push((name, value));
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_occurs_once_and_the_first_value_counts() {
        let mut names = Names::default();
        let user = names.intern("user").unwrap();
        for round in 0..2 {
            let mut record = Record::new(&mut names);
            assert_eq!(record.get(user), None, "round {round}: nothing of the line before");
            record.put("user", Cow::from("a"));
            record.put("user", Cow::from("b"));
            assert_eq!(record.text(user).as_deref(), Some("a"));
            assert_eq!(record.damage.repeated, 1);
            record.set(user, Raw::Gone);
            assert_eq!(record.into_values(), []);
        }
    }

    #[test]
    fn names_fields_and_values_are_bounded() {
        let mut names = Names::default();
        for line in 0..20_u32 {
            let mut record = Record::new(&mut names);
            for field in 0..600_u32 {
                record.put(&format!("f{}", line * 600 + field), Cow::from("x"));
            }
            assert_eq!(record.damage.too_many, 88);
            assert_eq!(record.into_values().len(), MAX_FIELDS);
        }
        assert_eq!(names.texts.len(), MAX_NAMES);
        let mut record = Record::new(&mut names);
        record.put("late", Cow::from("Ά".repeat(MAX_VALUE)));
        record.put("late", Cow::from("again"));
        assert_eq!((record.damage.cut, record.damage.repeated), (1, 1));
        assert_eq!(record.into_values()[0].1, OwnedValue::Str("Ά".repeat(MAX_VALUE / 2)));
    }
}
