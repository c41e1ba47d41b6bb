//! Keys of all correlations under one roof: found by key, forgotten by bytes, least recently used first, keys with a single
//! hit before all others (spraying addresses is the cheap attack).

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as TableEntry;
use std::collections::BTreeSet;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use super::definition::Definition;
use super::entry::Last;
use super::window::Window;
use crate::sigma::{Correlated, EventId};

/// Place of a key.
pub type Slot = u32;
const NONE: Slot = Slot::MAX;

/// A hit that fired, while its key is quiet.
#[derive(Debug, Clone)]
pub struct Quiet {
    /// The end of the window that fired.
    pub end: i64,
    /// The hit's id.
    pub id: EventId,
    /// Hits since then that raised no alert.
    pub repeats: u64,
    /// What the hit said.
    pub correlated: Box<Correlated>,
    /// The event of the latest of them.
    pub last: Arc<Last>,
}

/// State of one group key of one correlation.
#[derive(Debug)]
pub struct Key {
    /// Which correlation.
    pub correlation: u32,
    /// The folded values of the group, each with its length.
    pub folded: Box<[u8]>,
    /// The group's values as the first event wrote them.
    pub group: Box<[Box<str>]>,
    /// Its window.
    pub window: Window,
    /// The hit that fired last.
    pub quiet: Option<Quiet>,
    /// When something is due: a waiting window, the end of the quiet time, the end of the key.
    pub due: i64,
    /// Breaks ties of what is due, so that their order is the keys' own and not that of their coming.
    rank: u64,
    bytes: usize,
    single: bool,
    newer: Slot,
    older: Slot,
}

impl Key {
    /// A key without hits.
    pub fn new(correlation: u32, folded: Box<[u8]>, group: Box<[Box<str>]>, window: Window) -> Self {
        Self {
            rank: foldhash::fast::FixedState::with_seed(0).hash_one(&folded),
            correlation,
            folded,
            group,
            window,
            quiet: None,
            due: i64::MAX,
            bytes: 0,
            single: true,
            newer: NONE,
            older: NONE,
        }
    }

    fn measure(&self) -> usize {
        /// The struct, its place in the table, the lists and the timetable.
        const FIXED: usize = std::mem::size_of::<Key>() + 96;
        FIXED
            + self.folded.len()
            + self.group.iter().map(|g| g.len() + 16).sum::<usize>()
            + self.window.bytes()
            + self.quiet.as_ref().map_or(0, |q| q.last.bytes() + 1_024)
    }

    /// When something is due for it next.
    pub fn next_due(&self, definition: &Definition, lateness: i64) -> i64 {
        let wait = lateness.saturating_add(1);
        let newest = self.window.newest().unwrap_or(i64::MIN);
        let idle = newest.saturating_add(definition.timespan).saturating_add(wait);
        let waiting = self
            .window
            .next_end(definition)
            .map_or(i64::MAX, |end| end.saturating_add(wait));
        let quiet = self
            .quiet
            .as_ref()
            .map(|q| q.end.saturating_add(definition.timespan).saturating_add(wait));
        // A quiet key must outlive its window: it remembers that it fired.
        waiting.min(quiet.unwrap_or(idle))
    }
}

/// Both ends of a list of keys.
#[derive(Debug, Clone, Copy)]
struct Ends {
    newest: Slot,
    oldest: Slot,
}

/// All keys.
#[derive(Debug)]
pub struct Store {
    keys: Vec<Option<Key>>,
    free: Vec<Slot>,
    table: HashTable<Slot>,
    hasher: foldhash::fast::RandomState,
    /// Keys with a single hit, then all others.
    lists: [Ends; 2],
    /// Correlations that others read stand before these, and are decided first.
    timetable: BTreeSet<(i64, u32, u64, Slot)>,
    bytes: usize,
    limit: usize,
    /// Keys by correlation.
    keys_of: Vec<u64>,
}

impl Store {
    /// A store of at most `limit` bytes for so many correlations.
    pub fn new(limit: usize, correlations: usize) -> Self {
        Self {
            keys: Vec::new(),
            free: Vec::new(),
            table: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
            lists: [Ends {
                newest: NONE,
                oldest: NONE,
            }; 2],
            timetable: BTreeSet::new(),
            bytes: 0,
            limit,
            keys_of: vec![0; correlations],
        }
    }

    /// Bytes of all keys.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Number of keys of a correlation.
    pub fn keys_of(&self, correlation: usize) -> u64 {
        self.keys_of[correlation]
    }

    /// All keys, the most dispensable first: taken again in this order, they are as dispensable as before.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.lists.iter().flat_map(|ends| {
            let next = |key: &&Key| self.get(key.newer);
            std::iter::successors(self.get(ends.oldest), next)
        })
    }

    /// The key in a slot.
    pub fn get(&self, slot: Slot) -> Option<&Key> {
        self.keys.get(slot as usize)?.as_ref()
    }

    /// The key in a slot.
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut Key> {
        self.keys.get_mut(slot as usize)?.as_mut()
    }

    /// The slot of a key; it is made where there is none.
    pub fn slot(&mut self, correlation: u32, key: &[u8], made: impl FnOnce() -> (Box<[Box<str>]>, Window)) -> Slot {
        let hash = self.hasher.hash_one((correlation, key));
        let (keys, hasher) = (&self.keys, &self.hasher);
        let same = |slot: &Slot| {
            keys[*slot as usize]
                .as_ref()
                .is_some_and(|k| k.correlation == correlation && *k.folded == *key)
        };
        let rehash = |slot: &Slot| {
            keys[*slot as usize]
                .as_ref()
                .map_or(0, |k| hasher.hash_one((k.correlation, &*k.folded)))
        };
        match self.table.entry(hash, same, rehash) {
            TableEntry::Occupied(known) => *known.get(),
            TableEntry::Vacant(place) => {
                let slot = self.free.pop().unwrap_or(self.keys.len() as Slot);
                place.insert(slot);
                let (group, window) = made();
                let key = Key::new(correlation, key.into(), group, window);
                self.keys_of[correlation as usize] += 1;
                match self.keys.get_mut(slot as usize) {
                    Some(empty) => *empty = Some(key),
                    None => self.keys.push(Some(key)),
                }
                self.link(slot);
                slot
            }
        }
    }

    /// After a change: measures a key, makes it the most recently used of its list and sets when it is due.
    pub fn touch(&mut self, slot: Slot, due: i64) {
        self.unlink(slot);
        let Some(key) = self.keys[slot as usize].as_mut() else {
            return;
        };
        key.single = key.window.len() < 2 && key.quiet.is_none();
        let bytes = key.measure();
        self.bytes = self.bytes - key.bytes + bytes;
        key.bytes = bytes;
        if key.due != due {
            self.timetable.remove(&(key.due, key.correlation, key.rank, slot));
            key.due = due;
            self.timetable.insert((due, key.correlation, key.rank, slot));
        }
        self.link(slot);
    }

    /// The first key that is due before or at `now`.
    pub fn due(&self, now: i64) -> Option<Slot> {
        self.timetable
            .first()
            .filter(|(due, ..)| *due <= now)
            .map(|(.., slot)| *slot)
    }

    /// Removes a key.
    pub fn remove(&mut self, slot: Slot) -> Option<Key> {
        self.unlink(slot);
        let key = self.keys.get_mut(slot as usize)?.take()?;
        let hash = self.hasher.hash_one((key.correlation, &*key.folded));
        if let Ok(found) = self.table.find_entry(hash, |s| *s == slot) {
            found.remove();
        }
        self.timetable.remove(&(key.due, key.correlation, key.rank, slot));
        self.keys_of[key.correlation as usize] -= 1;
        self.bytes -= key.bytes;
        self.free.push(slot);
        Some(key)
    }

    /// Removes the key that is missed least while there are too many bytes; never `spared`.
    pub fn evict(&mut self, spared: Slot) -> Option<Key> {
        if self.bytes <= self.limit {
            return None;
        }
        let victim = self.lists.iter().find_map(|ends| {
            let mut oldest = ends.oldest;
            if oldest == spared {
                oldest = self.get(oldest)?.newer;
            }
            (oldest != NONE).then_some(oldest)
        })?;
        self.remove(victim)
    }

    fn link(&mut self, slot: Slot) {
        let Some(key) = self.keys[slot as usize].as_mut() else {
            return;
        };
        let ends = &mut self.lists[usize::from(!key.single)];
        (key.newer, key.older) = (NONE, ends.newest);
        let before = std::mem::replace(&mut ends.newest, slot);
        if before == NONE {
            ends.oldest = slot;
        } else if let Some(before) = self.keys[before as usize].as_mut() {
            before.newer = slot;
        }
    }

    fn unlink(&mut self, slot: Slot) {
        let Some(key) = self.get(slot) else {
            return;
        };
        let (newer, older, list) = (key.newer, key.older, usize::from(!key.single));
        match self.get_mut(newer) {
            Some(neighbour) => neighbour.older = older,
            None => self.lists[list].newest = older,
        }
        match self.get_mut(older) {
            Some(neighbour) => neighbour.newer = newer,
            None => self.lists[list].oldest = newer,
        }
    }
}
