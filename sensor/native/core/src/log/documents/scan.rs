//! Where a JSON object ends, byte by byte and with little memory: brackets, strings and what may follow what. Words, numbers
//! and escapes are left to the reader of the object.

use super::Broken;

/// Deeper objects are given up: readers refuse them long before.
const DEPTH: u32 = 128;

/// What one stretch of bytes did to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It goes on.
    Open,
    /// It ended, after so many of the bytes.
    Closed(usize),
    /// It is none.
    Bad(Broken),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A value; in a list that has just begun also its end.
    Value,
    FirstValue,
    /// A name; in an object that has just begun also its end.
    Name,
    FirstName,
    Colon,
    /// A comma or the end of what is open.
    Comma,
    /// Inside a string; what follows it.
    InName,
    Text,
    /// Inside a number or a word.
    Word,
}

/// An object under way; the first byte fed is its `{`.
#[derive(Debug, Clone)]
pub struct Scanner {
    next: Next,
    escaped: bool,
    depth: u32,
    /// One bit a level: 1 is an object, 0 a list.
    levels: u128,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            next: Next::Value,
            escaped: false,
            depth: 0,
            levels: 0,
        }
    }
}

impl Scanner {
    /// Goes on with `bytes`, which hold no line end.
    pub fn feed(&mut self, bytes: &[u8]) -> Step {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if matches!(self.next, Next::InName | Next::Text) {
                at += self.string(&bytes[at..]);
                continue;
            }
            if self.next == Next::Word {
                if matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.') {
                    at += 1;
                    continue;
                }
                self.next = Next::Comma;
            }
            at += 1;
            match (self.next, byte) {
                (_, b' ' | b'\t' | b'\r') => {}
                (Next::Value | Next::FirstValue, b'{') => {
                    if !self.open(true) {
                        return Step::Bad(Broken::TooLarge);
                    }
                }
                (Next::Value | Next::FirstValue, b'[') => {
                    if !self.open(false) {
                        return Step::Bad(Broken::TooLarge);
                    }
                }
                (Next::Value | Next::FirstValue, b'"') => self.next = Next::Text,
                (Next::Value | Next::FirstValue, b'0'..=b'9' | b'-' | b't' | b'f' | b'n' | b'N' | b'I') => {
                    self.next = Next::Word;
                }
                (Next::Name | Next::FirstName, b'"') => self.next = Next::InName,
                (Next::Colon, b':') => self.next = Next::Value,
                (Next::Comma, b',') => self.next = if self.in_object() { Next::Name } else { Next::Value },
                (Next::Comma | Next::FirstName, b'}') if self.in_object() => {
                    if self.close() {
                        return Step::Closed(at);
                    }
                }
                (Next::Comma | Next::FirstValue, b']') if !self.in_object() => {
                    if self.close() {
                        return Step::Closed(at);
                    }
                }
                _ => return Step::Bad(Broken::Syntax),
            }
        }
        Step::Open
    }

    /// The line ends here: no string goes over it. Why the object is none, if it is none now.
    pub fn newline(&mut self) -> Option<Broken> {
        match self.next {
            Next::InName | Next::Text => return Some(Broken::Syntax),
            Next::Word => self.next = Next::Comma,
            _ => {}
        }
        None
    }

    /// Takes bytes of a string, up to its end; how many.
    fn string(&mut self, bytes: &[u8]) -> usize {
        if std::mem::take(&mut self.escaped) {
            return 1;
        }
        match memchr::memchr2(b'"', b'\\', bytes) {
            None => bytes.len(),
            Some(at) => {
                if bytes[at] == b'\\' {
                    self.escaped = true;
                } else {
                    self.next = if self.next == Next::Text {
                        Next::Comma
                    } else {
                        Next::Colon
                    };
                }
                at + 1
            }
        }
    }

    fn in_object(&self) -> bool {
        self.levels & 1 == 1
    }

    fn open(&mut self, object: bool) -> bool {
        if self.depth == DEPTH {
            return false;
        }
        self.depth += 1;
        self.levels = self.levels << 1 | u128::from(object);
        self.next = if object { Next::FirstName } else { Next::FirstValue };
        true
    }

    /// True when that was the object itself.
    fn close(&mut self) -> bool {
        self.depth -= 1;
        self.levels >>= 1;
        self.next = Next::Comma;
        self.depth == 0
    }
}
