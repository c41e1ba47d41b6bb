//! One direction of an HTTP connection: lines, headers and bodies out of bytes that are cut anywhere.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::body::{Body, Encoding};
use super::wire;

/// Bytes of one line that are kept.
const MAX_LINE: usize = 16 * 1024;
/// Bytes of all headers of a message.
const MAX_HEADERS: usize = 64 * 1024;
/// Header lines of a message.
const MAX_HEADER_LINES: u32 = 200;

/// What the bytes turned out to be; the owner acts on it.
pub(super) enum Item<'a> {
    /// A first line.
    Start(&'a [u8]),
    Header(&'a [u8], &'a [u8]),
    /// The headers are over; the owner says what follows with [`Half::expect`].
    HeadersEnd,
    /// The message is over: its body's length and type.
    Done(u64, Option<&'static str>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Headers,
    /// So many body bytes are left.
    Counted(u64),
    UntilClose,
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    Off,
}

/// What follows the headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    Nothing,
    Counted(u64),
    Chunked,
    UntilClose,
}

/// One direction.
pub(super) struct Half {
    state: State,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// A header line that the next one may continue.
    header: Vec<u8>,
    header_bytes: usize,
    header_lines: u32,
    body: Body,
    pub(super) encoding: Option<Encoding>,
    pub(super) chunked: bool,
    pub(super) content_length: Option<u64>,
}

impl Default for Half {
    fn default() -> Self {
        Self {
            state: State::Start,
            partial: Vec::new(),
            header: Vec::new(),
            header_bytes: 0,
            header_lines: 0,
            body: Body::default(),
            encoding: None,
            chunked: false,
            content_length: None,
        }
    }
}

impl Half {
    pub(super) fn is_off(&self) -> bool {
        self.state == State::Off
    }

    pub(super) fn turn_off(&mut self) {
        *self = Self {
            state: State::Off,
            ..Self::default()
        };
    }

    /// Whether it lies between messages.
    pub(super) fn is_between(&self) -> bool {
        self.state == State::Start
    }

    /// A first line was accepted: headers follow.
    pub(super) fn begin_headers(&mut self) {
        *self = Self {
            state: State::Headers,
            ..Self::default()
        };
    }

    /// A first line was accepted that has no headers: all until the close is body.
    pub(super) fn begin_raw(&mut self) {
        *self = Self {
            state: State::UntilClose,
            ..Self::default()
        };
    }

    /// Says what follows the headers; true where the message is over already.
    pub(super) fn expect(&mut self, expect: Expect) -> bool {
        self.body = Body::new(self.encoding);
        self.state = match expect {
            Expect::Nothing | Expect::Counted(0) => State::Start,
            Expect::Counted(n) => State::Counted(n),
            Expect::Chunked => State::ChunkSize,
            Expect::UntilClose => State::UntilClose,
        };
        self.state == State::Start
    }

    /// Body bytes that need no line: handed over whole. Returns how many were used, and whether the message is over.
    pub(super) fn body(&mut self, bytes: &[u8], decoders: &Arc<AtomicUsize>) -> Option<(usize, bool)> {
        match self.state {
            State::Counted(left) => {
                let n = left.min(bytes.len() as u64);
                self.body.take(&bytes[..n as usize], decoders);
                self.state = if n == left {
                    State::Start
                } else {
                    State::Counted(left - n)
                };
                Some((n as usize, n == left))
            }
            State::UntilClose => {
                self.body.take(bytes, decoders);
                Some((bytes.len(), false))
            }
            State::Chunk(left) => {
                let n = left.min(bytes.len() as u64);
                self.body.take(&bytes[..n as usize], decoders);
                self.state = if n == left {
                    State::ChunkEnd
                } else {
                    State::Chunk(left - n)
                };
                Some((n as usize, false))
            }
            State::Off => Some((bytes.len(), false)),
            _ => None,
        }
    }

    /// The next line and how many bytes it took; `None` where its end has not come (what there is, is kept).
    pub(super) fn line<'a>(&mut self, bytes: &'a [u8], joined: &'a mut Vec<u8>) -> Option<(&'a [u8], usize)> {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            let room = MAX_LINE.saturating_sub(self.partial.len());
            self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
            return None;
        };
        let line = if self.partial.is_empty() {
            &bytes[..end.min(MAX_LINE)]
        } else {
            *joined = std::mem::take(&mut self.partial);
            let room = MAX_LINE.saturating_sub(joined.len());
            joined.extend_from_slice(&bytes[..end.min(room)]);
            &joined[..]
        };
        Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
    }

    /// Acts on a line by where it stands; `each` may be called more than once.
    pub(super) fn on_line(&mut self, line: &[u8], each: &mut dyn FnMut(&mut Self, Item<'_>)) {
        match self.state {
            State::Start if !line.is_empty() => each(self, Item::Start(line)),
            State::Headers | State::Trailers => self.header_line(line, each),
            State::ChunkSize => match wire::chunk_size(line) {
                Some(0) => self.state = State::Trailers,
                Some(n) => self.state = State::Chunk(n),
                // What is no size ends the message: the sender and we disagree.
                None => self.done(each),
            },
            State::ChunkEnd => self.state = State::ChunkSize,
            _ => {}
        }
    }

    fn header_line(&mut self, line: &[u8], each: &mut dyn FnMut(&mut Self, Item<'_>)) {
        if matches!(line.first(), Some(b' ' | b'\t')) && !self.header.is_empty() {
            // Folded (RFC 9112, 5.2): one blank instead of the line end.
            if self.header_bytes + line.len() <= MAX_HEADERS {
                self.header_bytes += line.len();
                self.header.push(b' ');
                self.header.extend_from_slice(wire::trim(line));
            }
            return;
        }
        let complete = std::mem::take(&mut self.header);
        if self.state == State::Headers
            && let Some((name, value)) = wire::header(&complete)
        {
            each(self, Item::Header(name, value));
        }
        if line.is_empty() {
            if self.state == State::Trailers {
                self.done(each);
            } else {
                each(self, Item::HeadersEnd);
            }
            return;
        }
        self.header_lines += 1;
        self.header_bytes += line.len();
        if self.header_lines <= MAX_HEADER_LINES && self.header_bytes <= MAX_HEADERS {
            self.header = complete;
            self.header.clear();
            self.header.extend_from_slice(line);
        }
    }

    fn done(&mut self, each: &mut dyn FnMut(&mut Self, Item<'_>)) {
        let (length, mime) = self.finish();
        each(self, Item::Done(length, mime));
    }

    /// Ends the message: its body's length and type.
    pub(super) fn finish(&mut self) -> (u64, Option<&'static str>) {
        self.state = State::Start;
        std::mem::take(&mut self.body).finish()
    }

    /// Bytes were missed; true where they all belonged to a body. Else it goes on with the next first line.
    pub(super) fn missed(&mut self, n: u64) -> bool {
        match &mut self.state {
            State::Counted(left) | State::Chunk(left) if n > 0 && *left > n => *left -= n,
            State::Counted(left) if n > 0 && *left == n => self.state = State::Start,
            State::Chunk(left) if n > 0 && *left == n => self.state = State::ChunkEnd,
            State::UntilClose if n > 0 => {}
            State::Off => return true,
            _ => {
                *self = Self::default();
                return false;
            }
        }
        self.body.missed(n);
        true
    }
}
