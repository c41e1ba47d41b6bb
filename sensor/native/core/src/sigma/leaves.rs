//! The leaves of a JSON line, read in one pass without a tree between: names shared, values in the order they came.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::jsonl::{HEADER, LineError, MAX_DEPTH, MAX_FIELDS, parse_time};
use crate::event::{OwnedValue, Time};

/// Different names that are remembered; beyond it names are copied for each event.
const MAX_NAMES: usize = 65_536;
/// Longer names are not remembered: a line can make one of megabytes.
const MAX_NAME: usize = 128;

/// Names seen so far, and where each stands in the event at hand.
#[derive(Debug, Default)]
pub struct Names {
    known: HashMap<Arc<str>, usize, foldhash::fast::RandomState>,
    places: Vec<Places>,
    generation: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Places {
    generation: u64,
    header: Option<usize>,
    body: Option<usize>,
}

impl Names {
    /// How many names are remembered, and whether all of them are short.
    #[cfg(test)]
    pub fn remembered(&self) -> (usize, bool) {
        (self.known.len(), self.known.keys().all(|name| name.len() <= MAX_NAME))
    }
}

/// Where in a line the walk is, and so what a value there means.
#[derive(Debug, Clone, Copy)]
pub enum At<'n> {
    /// The whole line of a Windows event.
    Root,
    /// `Event`.
    Event,
    /// `Event.System`.
    System,
    /// A member of `System`.
    Header(&'n str),
    /// Attributes of a member of `System`.
    HeaderAttributes(&'n str),
    /// A section beside `System`.
    Section(&'n str),
    /// A value of a section, by its own name.
    Body(&'n str),
    /// A value of any other object, by its path.
    Path(&'n str),
}

/// The leaves of one line.
#[derive(Debug)]
pub struct Leaves<'n> {
    names: &'n mut Names,
    /// Names and values.
    pub values: Vec<(Arc<str>, OwnedValue)>,
    /// `System.TimeCreated`.
    pub stamp: Option<Time>,
    /// `Event.System` is an object.
    pub has_system: bool,
    too_large: bool,
    hidden: Vec<usize>,
}

impl<'n> Leaves<'n> {
    /// Without leaves.
    pub fn new(names: &'n mut Names) -> Self {
        names.generation += 1;
        Self {
            names,
            values: Vec::with_capacity(32),
            stamp: None,
            has_system: false,
            too_large: false,
            hidden: Vec::new(),
        }
    }

    /// Reads a line; always true, so that callers can go on with a condition.
    ///
    /// # Errors
    /// No JSON, or too large.
    pub fn read(&mut self, text: &str, at: At<'_>) -> Result<bool, LineError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let walk = Walk {
            leaves: self,
            at,
            depth: 0,
        };
        let done = walk.deserialize(&mut json).and_then(|()| json.end());
        match done {
            Ok(()) => Ok(true),
            Err(_) if self.too_large => Err(LineError::TooLarge),
            Err(error) => Err(LineError::Syntax(error.to_string())),
        }
    }

    /// The body wins; what it hides of the header stays readable under its full name.
    pub fn hide(&mut self) {
        for place in std::mem::take(&mut self.hidden) {
            self.values[place].0 = format!("{HEADER}{}", self.values[place].0).into();
        }
    }

    fn name(&mut self, name: &str) -> (Arc<str>, Option<usize>) {
        if let Some((known, id)) = self.names.known.get_key_value(name) {
            return (Arc::clone(known), Some(*id));
        }
        let name: Arc<str> = name.into();
        if self.names.known.len() >= MAX_NAMES || name.len() > MAX_NAME {
            return (name, None);
        }
        let id = self.names.places.len();
        self.names.known.insert(Arc::clone(&name), id);
        self.names.places.push(Places::default());
        (name, Some(id))
    }

    /// Adds a leaf; several of one name become a list.
    fn add(&mut self, name: &str, value: OwnedValue, header: bool) -> bool {
        if self.values.len() >= MAX_FIELDS {
            self.too_large = true;
            return false;
        }
        // Blanks are taken out as the compiler takes them out of rules.
        let squeezed: Cow<'_, str> = if name.contains(' ') {
            name.replace(' ', "").into()
        } else {
            name.into()
        };
        let (name, id) = self.name(&squeezed);
        let place = self.values.len();
        let Some(id) = id else {
            match self.values.iter_mut().find(|(known, _)| *known == name) {
                Some((_, old)) => join(old, value),
                None => self.values.push((name, value)),
            }
            return true;
        };
        let places = &mut self.names.places[id];
        if places.generation != self.names.generation {
            *places = Places {
                generation: self.names.generation,
                header: None,
                body: None,
            };
        }
        let (own, other) = if header {
            (&mut places.header, places.body)
        } else {
            (&mut places.body, places.header)
        };
        if let Some(known) = own {
            join(&mut self.values[*known].1, value);
        } else {
            *own = Some(place);
            self.values.push((name, value));
            if let Some(other) = other {
                self.hidden.push(if header { place } else { other });
            }
        }
        true
    }
}

fn join(old: &mut OwnedValue, new: OwnedValue) {
    if !matches!(old, OwnedValue::List(_)) {
        *old = OwnedValue::List(vec![std::mem::replace(old, OwnedValue::Null)]);
    }
    if let OwnedValue::List(list) = old {
        match new {
            OwnedValue::List(more) => list.extend(more),
            one => list.push(one),
        }
    }
}

/// Walks one value.
struct Walk<'w, 'n, 'p> {
    leaves: &'w mut Leaves<'n>,
    at: At<'p>,
    depth: usize,
}

impl Walk<'_, '_, '_> {
    /// Takes a scalar or a list of scalars.
    fn leaf<E: serde::de::Error>(self, value: OwnedValue) -> Result<(), E> {
        let fits = match self.at {
            At::Header(name) => self.leaves.add(name, value, true),
            At::Body(name) | At::Path(name) => self.leaves.add(name, value, false),
            // An empty section, or something where the shape has an object.
            At::Root | At::Event | At::System | At::Section(_) | At::HeaderAttributes(_) => true,
        };
        if fits {
            Ok(())
        } else {
            Err(E::custom("too many fields"))
        }
    }

    fn deeper<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.leaves.too_large = true;
            return Err(E::custom("too deep"));
        }
        Ok(())
    }

    /// One member of an object.
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let path;
        let at = match (self.at, key) {
            (At::Root, "Event") => At::Event,
            (At::Event, "System") => At::System,
            (At::HeaderAttributes("Provider"), "Name") => At::Header("Provider_Name"),
            (At::HeaderAttributes("TimeCreated"), "SystemTime") => {
                self.leaves.stamp = map.next_value::<serde_json::Value>()?.as_str().and_then(parse_time);
                return Ok(());
            }
            (At::Header(name), "#attributes") => At::HeaderAttributes(name),
            (At::Header(name), "#text") => At::Header(name),
            (At::Event | At::Section(_) | At::Body(_), "#attributes")
            | (At::Root | At::Header(_) | At::HeaderAttributes(_), _) => {
                map.next_value::<IgnoredAny>()?;
                return Ok(());
            }
            (At::Section(name) | At::Body(name), "#text") => At::Body(name),
            (At::Event, key) => At::Section(key),
            (At::System, key) => At::Header(key),
            (At::Section(_) | At::Body(_), key) => At::Body(key),
            (At::Path(""), key) => At::Path(key),
            (At::Path(above), key) => {
                path = format!("{above}.{key}");
                At::Path(&path)
            }
        };
        map.next_value_seed(Walk {
            leaves: self.leaves,
            at,
            depth: self.depth,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.leaf(OwnedValue::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.leaf(OwnedValue::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.leaf(OwnedValue::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.leaf(unsigned(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.leaf(OwnedValue::Float(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.leaf(OwnedValue::Str(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        self.deeper()?;
        let (mut items, mut objects) = (Vec::new(), false);
        while let Some(item) = seq.next_element_seed(Element(&mut self))? {
            match item {
                Some(scalar) => items.push(scalar),
                None => objects = true,
            }
        }
        if objects {
            // A list of objects gives a list per name; scalars among them stand under the list's own.
            let Self { leaves, at, depth } = self;
            return items.into_iter().try_for_each(|item| {
                Walk {
                    leaves: &mut *leaves,
                    at,
                    depth,
                }
                .leaf(item)
            });
        }
        self.leaf(OwnedValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.deeper()?;
        self.leaves.has_system |= matches!(self.at, At::System);
        while let Some(key) = map.next_key_seed(Key)? {
            self.member(&key, &mut map)?;
        }
        Ok(())
    }
}

fn unsigned(value: u64) -> OwnedValue {
    i64::try_from(value).map_or(OwnedValue::Uint(value), OwnedValue::Int)
}

/// A member's name, borrowed from the line where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(value.to_owned().into())
    }
}

/// One element of a list: a value, or `None` for an object, whose leaves were taken.
struct Element<'e, 'w, 'n, 'p>(&'e mut Walk<'w, 'n, 'p>);

impl<'de> DeserializeSeed<'de> for Element<'_, '_, '_, '_> {
    type Value = Option<OwnedValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_, '_, '_, '_> {
    type Value = Option<OwnedValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(Some(OwnedValue::Null))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(OwnedValue::Bool(value)))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(OwnedValue::Int(value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(unsigned(value)))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(OwnedValue::Float(value)))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Some(OwnedValue::Str(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        self.0.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Element(&mut *self.0))? {
            items.extend(item);
        }
        self.0.depth -= 1;
        Ok(Some(OwnedValue::List(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Walk {
            leaves: &mut *self.0.leaves,
            at: self.0.at,
            depth: self.0.depth,
        }
        .visit_map(map)?;
        Ok(None)
    }
}
