//! All fields of a line, as owned values: for alerts, evidence and what reads fields by name.

use std::borrow::Cow;
use std::sync::Arc;

use hashbrown::HashMap;

use super::HEADER;
use super::walk::{Found, Sink, Stop};
use crate::event::OwnedValue;

/// An object of more leaves is refused: no event has them.
pub const MAX_FIELDS: usize = 4_096;

/// Where a name stands among the values.
#[derive(Debug, Clone, Copy, Default)]
struct Places {
    header: Option<usize>,
    body: Option<usize>,
}

/// The fields of one line.
#[derive(Debug, Default)]
pub struct Whole {
    values: Vec<(Arc<str>, OwnedValue)>,
    places: HashMap<Arc<str>, Places, foldhash::fast::RandomState>,
    hidden: Vec<usize>,
}

impl Whole {
    /// Names and values in the order they came. The body wins; what it hides of the header stays readable under its full name.
    pub fn values(mut self) -> Vec<(Arc<str>, OwnedValue)> {
        for place in self.hidden {
            self.values[place].0 = format!("{HEADER}{}", self.values[place].0).into();
        }
        self.values
    }
}

/// A name without its blanks, as the compiler takes them out of rules.
pub fn squeezed(name: &str) -> Cow<'_, str> {
    if name.contains(' ') {
        name.replace(' ', "").into()
    } else {
        name.into()
    }
}

impl Sink for Whole {
    fn begin(&mut self) {
        *self = Self::default();
    }

    /// Several leaves of one name become a list.
    fn leaf(&mut self, line: &str, name: &str, value: Found, header: bool) -> Result<(), Stop> {
        if self.values.len() >= MAX_FIELDS {
            return Err(Stop::TooLarge);
        }
        let value = value.read(line);
        let name = squeezed(name);
        let place = self.values.len();
        let Some(known) = self.places.get_mut(&*name) else {
            let shared: Arc<str> = (&*name).into();
            self.values.push((Arc::clone(&shared), value));
            let (header, body) = if header {
                (Some(place), None)
            } else {
                (None, Some(place))
            };
            self.places.insert(shared, Places { header, body });
            return Ok(());
        };
        let (own, other) = if header {
            (&mut known.header, known.body)
        } else {
            (&mut known.body, known.header)
        };
        if let Some(known) = own {
            join(&mut self.values[*known].1, value);
            return Ok(());
        }
        *own = Some(place);
        self.values.push(((&*name).into(), value));
        self.hidden
            .extend(other.map(|other| if header { place } else { other }));
        Ok(())
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
