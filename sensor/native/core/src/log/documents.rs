//! A stream of JSON objects cut into its objects: one a line, several on a line, one over several lines, or all in one list.
//! What is broken costs its line or its object, and the rest goes on.

mod scan;

use scan::{Scanner, Step};

/// Longer lines are cut while they come in: a whole export may be one line.
const LONG: usize = 1 << 20;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Why a stretch of the input is no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Something else stands where an object would begin.
    NoObject,
    /// The object's brackets, or what stands between them, do not fit together.
    Syntax,
    /// It is longer than allowed, or deeper than any event.
    TooLarge,
    /// The input ends in it.
    Cut,
}

/// Takes the objects.
pub trait Sink {
    /// Why an object is refused.
    type Refusal;

    /// An object that begins at `offset` of the input.
    ///
    /// # Errors
    /// It is no event, or not exactly one object.
    fn document(&mut self, bytes: &[u8], offset: u64) -> Result<(), Self::Refusal>;

    /// What began in this line (from 1) is lost: [`Sink::document`] refused it.
    fn refused(&mut self, line: u64, why: Self::Refusal);

    /// What began in this line is lost: no object could be cut out.
    fn broken(&mut self, line: u64, why: Broken);
}

/// Cuts bytes into objects. Holds one object or one line at most, within the limit.
#[derive(Debug)]
pub struct Documents {
    limit: usize,
    buffer: Vec<u8>,
    /// Offset in the input of the buffer's first byte.
    base: u64,
    /// First byte not looked at, and the number of its line.
    at: usize,
    line: u64,
    /// `at` begins its line.
    fresh: bool,
    /// No line ends before this.
    searched: usize,
    open: Option<Open>,
    state: State,
}

/// An object that has begun and not ended.
#[derive(Debug)]
struct Open {
    start: usize,
    line: u64,
    indent: usize,
    scanner: Scanner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// The rest of the line is lost.
    Skipping,
    /// The rest of an object of several lines is lost: up to a line that begins one and is indented so far at most.
    Lost(usize),
}

impl Documents {
    /// One whose objects have at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            buffer: Vec::new(),
            base: 0,
            at: 0,
            line: 1,
            fresh: true,
            searched: 0,
            open: None,
            state: State::Reading,
        }
    }

    /// Takes the next bytes of the input.
    pub fn push<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) {
        self.buffer.extend_from_slice(bytes);
        self.run(false, sink);
        let done = self.open.as_ref().map_or(self.at, |open| open.start);
        self.buffer.drain(..done);
        self.base += done as u64;
        self.at -= done;
        self.searched = self.searched.saturating_sub(done);
        if let Some(open) = &mut self.open {
            open.start = 0;
        }
    }

    /// Offset up to which everything was given out or given up.
    pub fn settled(&self) -> u64 {
        self.base + self.open.as_ref().map_or(self.at, |open| open.start) as u64
    }

    /// Ends the input.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) {
        loop {
            self.run(true, sink);
            let Some(open) = self.open.take() else { break };
            sink.broken(open.line, Broken::Cut);
            let Some((from, line)) = self.restart(&open) else { break };
            self.back_to(from, line);
        }
    }

    /// Goes through the lines that are whole; with `last`, through the one that will not end too.
    fn run<S: Sink>(&mut self, last: bool, sink: &mut S) {
        loop {
            let from = self.at.max(self.searched);
            match memchr::memchr(b'\n', &self.buffer[from..]) {
                Some(found) => self.piece(from + found, true, sink),
                None if self.at == self.buffer.len() => break,
                None if last => self.piece(self.buffer.len(), true, sink),
                None if self.buffer.len() - self.at >= LONG => self.piece(self.buffer.len(), false, sink),
                None => {
                    self.searched = self.buffer.len();
                    break;
                }
            }
        }
    }

    /// Goes through a line, or the part of a long one that is there, up to `end`.
    fn piece<S: Sink>(&mut self, end: usize, ends: bool, sink: &mut S) {
        if let State::Lost(indent) = self.state {
            self.state = match begins(&self.buffer[self.at..end]) {
                Some(found) if found <= indent => State::Reading,
                _ if ends => State::Lost(indent),
                _ => State::Skipping,
            };
            if self.state != State::Reading {
                return self.go_to(end, ends);
            }
        }
        if self.state == State::Skipping {
            return self.go_to(end, ends);
        }
        if let Some(open) = self.open.take() {
            self.go_on(open, end, ends, sink);
            return;
        }
        let whole = &self.buffer[self.at..end];
        let text = whole.strip_prefix(BOM).unwrap_or(whole).trim_ascii();
        if text.is_empty() {
            return self.go_to(end, ends);
        }
        let mut why = None;
        if ends && self.fresh {
            let offset = self.base + offset_in(&self.buffer, text) as u64;
            match sink.document(text, offset) {
                Ok(()) => return self.go_to(end, ends),
                Err(refusal) => why = Some(refusal),
            }
        }
        self.scan(end, ends, why, sink);
    }

    /// Cuts the objects out of a line that is not exactly one; `why` it is not.
    fn scan<S: Sink>(&mut self, end: usize, ends: bool, mut why: Option<S::Refusal>, sink: &mut S) {
        let indent = begins(&self.buffer[self.at..end]).unwrap_or(0);
        let first = self.at;
        loop {
            let rest = &self.buffer[self.at..end];
            if rest.starts_with(BOM) {
                self.at += BOM.len();
                continue;
            }
            match rest.first() {
                None => return self.go_to(end, ends),
                // The brackets and commas of a list of objects.
                Some(b' ' | b'\t' | b'\r' | b',' | b'[' | b']') => self.at += 1,
                Some(b'{') => {}
                Some(_) => return self.give_up(why, Broken::NoObject, end, ends, sink),
            }
            if self.buffer.get(self.at) != Some(&b'{') || self.at >= end {
                continue;
            }
            let mut scanner = Scanner::default();
            match scanner.feed(&self.buffer[self.at..end]) {
                Step::Closed(length) => {
                    let document = self.at..self.at + length;
                    let alone = self.buffer[first..document.start].trim_ascii().is_empty()
                        && self.buffer[document.end..end].trim_ascii().is_empty();
                    self.at = document.end;
                    // It was tried as a line already: the same answer again.
                    let known = if alone { why.take() } else { None };
                    let offset = self.base + document.start as u64;
                    let refusal = known.or_else(|| sink.document(&self.buffer[document], offset).err());
                    if let Some(why) = refusal {
                        sink.refused(self.line, why);
                    }
                }
                Step::Open => {
                    let open = Open {
                        start: self.at,
                        line: self.line,
                        indent,
                        scanner,
                    };
                    self.at = end;
                    return self.stay_open(open, ends, sink);
                }
                Step::Bad(broken) => return self.give_up(why, broken, end, ends, sink),
            }
        }
    }

    /// The rest of the line is lost, for the reason that the reader gave, or for one of ours.
    fn give_up<S: Sink>(&mut self, why: Option<S::Refusal>, broken: Broken, end: usize, ends: bool, sink: &mut S) {
        match why {
            Some(why) if broken != Broken::TooLarge => sink.refused(self.line, why),
            _ => sink.broken(self.line, broken),
        }
        self.skip(end, ends);
    }

    /// The next line, or part of one, of an object that has begun.
    fn go_on<S: Sink>(&mut self, mut open: Open, end: usize, ends: bool, sink: &mut S) {
        match open.scanner.feed(&self.buffer[self.at..end]) {
            Step::Open => {
                self.at = end;
                self.stay_open(open, ends, sink);
            }
            Step::Closed(length) => {
                self.at += length;
                self.fresh = false;
                let offset = self.base + open.start as u64;
                if let Err(why) = sink.document(&self.buffer[open.start..self.at], offset) {
                    sink.refused(open.line, why);
                }
                self.scan(end, ends, None, sink);
            }
            Step::Bad(why) => self.fail(&open, why, end, ends, sink),
        }
    }

    /// The object did not end with this piece of the input.
    fn stay_open<S: Sink>(&mut self, mut open: Open, ends: bool, sink: &mut S) {
        if self.at - open.start > self.limit {
            let end = self.at;
            return self.fail(&open, Broken::TooLarge, end, ends, sink);
        }
        let newline = if ends { open.scanner.newline() } else { None };
        if let Some(why) = newline {
            let end = self.at;
            self.fail(&open, why, end, ends, sink);
        } else {
            self.go_to(self.at, ends);
            self.open = Some(open);
        }
    }

    /// Gives the object up, and goes on with the next line after its beginning that could begin another: a line that is cut
    /// short must not swallow the ones behind it.
    fn fail<S: Sink>(&mut self, open: &Open, why: Broken, end: usize, ends: bool, sink: &mut S) {
        sink.broken(open.line, why);
        if open.line == self.line {
            return self.skip(end, ends);
        }
        let current = self.line_start();
        match self.restart(open) {
            Some((from, line)) if from <= current => self.back_to(from, line),
            _ => {
                self.back_to(current, self.line);
                // A line within the object is part of what is lost; one that stands out is a line of its own.
                if indent(&self.buffer[current..]) > open.indent {
                    self.state = State::Lost(open.indent);
                }
            }
        }
    }

    /// The first line behind an object's first that could begin another, and its number.
    fn restart(&self, open: &Open) -> Option<(usize, u64)> {
        let (mut from, mut line) = (open.start, open.line);
        while let Some(found) = memchr::memchr(b'\n', &self.buffer[from..]) {
            from += found + 1;
            line += 1;
            if begins(&self.buffer[from..]).is_some_and(|indent| indent <= open.indent) {
                return Some((from, line));
            }
        }
        None
    }

    fn back_to(&mut self, from: usize, line: u64) {
        (self.at, self.line, self.fresh, self.searched) = (from, line, true, from);
    }

    /// Where the line at hand begins, as far as it is held.
    fn line_start(&self) -> usize {
        memchr::memrchr(b'\n', &self.buffer[..self.at]).map_or(0, |n| n + 1)
    }

    fn skip(&mut self, end: usize, ends: bool) {
        self.state = State::Skipping;
        self.go_to(end, ends);
    }

    /// What stands before `end` is done with, and with `ends` its line.
    fn go_to(&mut self, end: usize, ends: bool) {
        self.at = end;
        self.fresh = ends;
        if ends {
            self.line += 1;
            if self.state == State::Skipping {
                self.state = State::Reading;
            }
            if self.buffer.get(end) == Some(&b'\n') {
                self.at += 1;
            }
        }
        self.searched = self.at;
    }
}

/// How far a line that begins an object is indented.
fn begins(line: &[u8]) -> Option<usize> {
    let line = line.strip_prefix(BOM).unwrap_or(line);
    let indent = indent(line);
    (line.get(indent) == Some(&b'{')).then_some(indent)
}

fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn offset_in(buffer: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr() - buffer.as_ptr().addr()
}

#[cfg(test)]
mod tests;
