//! The names that rules can ask a line for, known before the first line comes.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::TIME_NAMES;
use super::whole::squeezed;

/// Index of a wanted name.
pub type WantedId = u32;

/// Wanted names and their ids. Event times come first, in the order in which they are looked for.
#[derive(Debug)]
pub struct Wanted {
    short: HashMap<Short, WantedId, foldhash::fast::RandomState>,
    long: HashMap<Box<str>, WantedId, foldhash::fast::RandomState>,
    names: Vec<Box<str>>,
}

/// The whole of a name of at most sixteen bytes, which most are: compared as two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Short {
    first: u64,
    last: u64,
    len: u8,
}

impl Short {
    /// `None`: the name is longer.
    #[inline]
    fn new(name: &str) -> Option<Self> {
        let bytes = name.as_bytes();
        let eight = |at: usize| {
            let eight = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok());
            u64::from_le_bytes(eight.unwrap_or_default())
        };
        let (first, last) = match bytes.len() {
            0..8 => (bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0),
            // The two halves overlap where it is shorter than sixteen.
            len @ 8..=16 => (eight(0), eight(len - 8)),
            _ => return None,
        };
        let len = bytes.len() as u8;
        Some(Self { first, last, len })
    }
}

impl Wanted {
    /// The names of event times, and `names`.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut wanted = Self {
            short: HashMap::default(),
            long: HashMap::default(),
            names: Vec::new(),
        };
        for name in TIME_NAMES.into_iter().chain(names) {
            if wanted.id(name).is_some() {
                continue;
            }
            let id = wanted.names.len() as WantedId;
            match Short::new(name) {
                Some(short) => wanted.short.insert(short, id),
                None => wanted.long.insert(name.into(), id),
            };
            wanted.names.push(name.into());
        }
        wanted
    }

    /// The names, each at the place of its id.
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// The id of a name without blanks.
    #[inline]
    pub fn id(&self, name: &str) -> Option<WantedId> {
        match Short::new(name) {
            Some(short) => self.short.get(&short).copied(),
            None => self.long.get(name).copied(),
        }
    }

    /// The id of a name as a line has it; no wanted name holds a blank.
    fn id_of(&self, name: &str) -> Option<WantedId> {
        self.id(name).or_else(|| match squeezed(name) {
            Cow::Owned(name) => self.id(&name),
            Cow::Borrowed(_) => None,
        })
    }
}

/// The names of the line before and their ids: neighbors are mostly of one kind and name the same in the same order.
#[derive(Debug, Default)]
pub struct Neighbor(Vec<(Short, Option<WantedId>)>);

impl Neighbor {
    /// The id of the name that stands at `place` of its line.
    #[inline]
    pub fn id(&mut self, wanted: &Wanted, place: usize, name: &str) -> Option<WantedId> {
        let Some(short) = Short::new(name) else {
            return wanted.id_of(name);
        };
        match self.0.get_mut(place) {
            Some((known, id)) if *known == short => *id,
            Some(entry) => {
                *entry = (short, wanted.id_of(name));
                entry.1
            }
            None => {
                let id = wanted.id_of(name);
                // Places come one after another, but long names leave none.
                self.0.resize(place, (short, id));
                self.0.push((short, id));
                id
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_length_keep_apart() {
        let names: Vec<String> = (0..40).flat_map(|len| ["a", "b"].map(|c| c.repeat(len))).collect();
        let wanted = Wanted::new(names.iter().map(String::as_str));
        for name in &names {
            let id = wanted.id(name).unwrap();
            assert_eq!(&*wanted.names()[id as usize], name);
        }
        for name in ["ab", "aaaaaaab", "baaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaab", "\0", "c"] {
            assert_eq!(wanted.id(name), None, "{name}");
        }
        assert_eq!(wanted.id("@timestamp"), Some(0));
    }

    #[test]
    fn a_neighbor_only_saves_looking() {
        let wanted = Wanted::new(["EventID", "Threat", "ThreatName", "aNameThatIsLongerThanSixteenBytes"]);
        let lines: [&[&str]; 5] = [
            &["EventID", "Threat Name", "other"],
            &["EventID", "Threat Name", "other"],
            &["Threat", "EventID"],
            &[
                "aNameThatIsLongerThanSixteenBytes",
                "aNameThatIsLongerThanSixteenBytes",
                "EventID",
                "x",
                "Threat",
            ],
            &["ThreatName", "Threat", "x", "EventID", "other"],
        ];
        let mut neighbor = Neighbor::default();
        for line in lines {
            for (place, name) in line.iter().enumerate() {
                let found = neighbor.id(&wanted, place, name);
                assert_eq!(found, wanted.id(&name.replace(' ', "")), "{line:?} {name}");
            }
        }
    }
}
