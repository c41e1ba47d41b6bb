//! The names that rules can ask a line for, known before the first line comes.

use hashbrown::HashMap;

use super::TIME_NAMES;

/// Index of a wanted name.
pub type WantedId = u32;

/// Wanted names and their ids. Event times come first, in the order in which they are looked for.
#[derive(Debug)]
pub struct Wanted {
    ids: HashMap<Box<str>, WantedId, foldhash::fast::RandomState>,
}

impl Wanted {
    /// The names of event times, and `names`.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut ids = HashMap::default();
        for name in TIME_NAMES.into_iter().chain(names) {
            let next = ids.len() as WantedId;
            ids.entry(name.into()).or_insert(next);
        }
        Self { ids }
    }

    /// How many names.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Names and ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, WantedId)> {
        self.ids.iter().map(|(name, id)| (&**name, *id))
    }

    /// The id of a name without blanks.
    pub fn id(&self, name: &str) -> Option<WantedId> {
        self.ids.get(name).copied()
    }
}
