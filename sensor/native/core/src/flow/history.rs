//! Zeek's `history`: what happened in a connection, in order, upper case for the originator.

/// Letters kept; further ones are left out.
const MAX: usize = 60;

/// Letters that stand once per direction, as bits of what was seen.
const ONCE: &[u8; 4] = b"DAIQ";

/// The letters so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History {
    text: [u8; MAX],
    len: u8,
    seen: [u8; 2],
}

impl Default for History {
    fn default() -> Self {
        Self {
            text: [0; MAX],
            len: 0,
            seen: [0; 2],
        }
    }
}

impl History {
    /// Appends `letter` (upper case) for a direction (0 is the originator).
    pub(crate) fn push(&mut self, side: usize, letter: u8) {
        if let Some(slot) = self.text.get_mut(usize::from(self.len)) {
            *slot = if side == 0 { letter } else { letter.to_ascii_lowercase() };
            self.len += 1;
        }
    }

    /// Appends a letter that stands once per direction; true if it already stood.
    pub(crate) fn once(&mut self, side: usize, letter: u8) -> bool {
        let bit = 1 << ONCE.iter().position(|known| *known == letter).unwrap_or(0);
        if self.seen[side] & bit != 0 {
            return true;
        }
        self.seen[side] |= bit;
        self.push(side, letter);
        false
    }

    /// The roles were turned over.
    pub(crate) fn flip(&mut self) {
        self.seen.swap(0, 1);
        if let Some(slot) = self.text.get_mut(usize::from(self.len)) {
            *slot = b'^';
            self.len += 1;
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or("")
    }
}

/// Counts what gets a letter at the 1st, 10th, 100th, ... time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scaled {
    count: u32,
    next: u32,
}

impl Default for Scaled {
    fn default() -> Self {
        Self { count: 0, next: 1 }
    }
}

impl Scaled {
    pub(crate) fn hit(&mut self, history: &mut History, side: usize, letter: u8) {
        self.count = self.count.saturating_add(1);
        if self.count == self.next {
            history.push(side, letter);
            self.next = self.next.saturating_mul(10);
        }
    }
}
