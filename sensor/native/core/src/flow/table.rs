//! The flow table: connections by key, bounded, least recently used first within each class.

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::event::Time;
use crate::flow::connection::Flow;
use crate::flow::key::Key;

/// How much a connection is worth when the table is full, cheapest first; each has its own idle time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// TCP whose responder was never seen.
    HalfOpen,
    /// TCP after its close; its time runs from there, packets do not prolong it.
    Closed,
    /// UDP seen one way.
    OneWay,
    /// UDP of questions and answers.
    Transactions,
    /// ICMP and other protocols.
    Other,
    /// UDP seen both ways.
    Datagrams,
    /// TCP between both ends.
    Established,
}

/// All classes, in the order in which they give way.
pub(crate) const CLASSES: [Class; 7] = [
    Class::HalfOpen,
    Class::Closed,
    Class::OneWay,
    Class::Transactions,
    Class::Other,
    Class::Datagrams,
    Class::Established,
];

const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct List {
    oldest: u32,
    newest: u32,
}

struct Slot {
    flow: Option<Flow>,
    hash: u64,
    class: Class,
    touched: Time,
    older: u32,
    newer: u32,
}

/// Connections in slots; a slot's number stays the same for a connection's life.
pub(crate) struct Table {
    index: HashTable<u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    lists: [List; CLASSES.len()],
    state: FixedState,
    cap: usize,
}

impl Table {
    pub(crate) fn new(cap: usize, seed: u64) -> Self {
        Self {
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            lists: [List {
                oldest: NONE,
                newest: NONE,
            }; CLASSES.len()],
            state: FixedState::with_seed(seed),
            cap: cap.clamp(1, NONE as usize - 1),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.index.len() >= self.cap
    }

    pub(crate) fn find(&self, key: &Key) -> Option<u32> {
        let hash = key.hash(&self.state);
        self.index
            .find(hash, |slot| {
                let slot = &self.slots[*slot as usize];
                slot.hash == hash && slot.flow.as_ref().is_some_and(|flow| flow.head.key == *key)
            })
            .copied()
    }

    /// Puts a connection in; the caller made room.
    pub(crate) fn insert(&mut self, flow: Flow, class: Class, now: Time) -> u32 {
        let hash = flow.head.key.hash(&self.state);
        let slot = Slot {
            flow: Some(flow),
            hash,
            class,
            touched: now,
            older: NONE,
            newer: NONE,
        };
        let at = if let Some(at) = self.free.pop() {
            self.slots[at as usize] = slot;
            at
        } else {
            self.slots.push(slot);
            self.slots.len() as u32 - 1
        };
        let slots = &self.slots;
        self.index.insert_unique(hash, at, |other| slots[*other as usize].hash);
        self.link(at);
        at
    }

    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut Flow> {
        self.slots.get_mut(at as usize)?.flow.as_mut()
    }

    /// Takes a connection out.
    pub(crate) fn remove(&mut self, at: u32) -> Option<Flow> {
        let hash = self.slots[at as usize].hash;
        if let Ok(entry) = self.index.find_entry(hash, |slot| *slot == at) {
            entry.remove();
            self.unlink(at);
            self.free.push(at);
        }
        self.slots[at as usize].flow.take()
    }

    /// A packet came: the connection is the newest of `class` now. One that stays closed keeps its time.
    pub(crate) fn touch(&mut self, at: u32, class: Class, now: Time) {
        let slot = &self.slots[at as usize];
        if slot.class == Class::Closed && class == Class::Closed {
            return;
        }
        self.unlink(at);
        let slot = &mut self.slots[at as usize];
        (slot.class, slot.touched) = (class, now);
        self.link(at);
    }

    /// The oldest connection of a class, and when it was touched.
    pub(crate) fn oldest(&self, class: Class) -> Option<(u32, Time)> {
        let at = self.lists[class as usize].oldest;
        (at != NONE).then(|| (at, self.slots[at as usize].touched))
    }

    fn link(&mut self, at: u32) {
        let list = &mut self.lists[self.slots[at as usize].class as usize];
        let newest = list.newest;
        list.newest = at;
        if newest == NONE {
            list.oldest = at;
        } else {
            self.slots[newest as usize].newer = at;
        }
        let slot = &mut self.slots[at as usize];
        (slot.older, slot.newer) = (newest, NONE);
    }

    fn unlink(&mut self, at: u32) {
        let slot = &self.slots[at as usize];
        let (older, newer, class) = (slot.older, slot.newer, slot.class as usize);
        if older == NONE {
            self.lists[class].oldest = newer;
        } else {
            self.slots[older as usize].newer = newer;
        }
        if newer == NONE {
            self.lists[class].newest = older;
        } else {
            self.slots[newer as usize].older = older;
        }
    }
}
