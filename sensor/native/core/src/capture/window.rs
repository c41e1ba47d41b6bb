//! A sliding view on a byte stream: as much of it as one record needs, never more.

use std::io::{self, Read};
use std::ops::Range;

/// Bytes read at once; a record of [`super::MAX_FRAME`] fits.
pub(super) const WINDOW: usize = 512 * 1024;

/// The stream ended before the wanted bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Short {
    /// Exactly at the place asked for.
    End,
    /// In the middle of the wanted bytes.
    Cut,
}

pub(super) struct Window {
    source: Box<dyn Read + Send>,
    buf: Box<[u8]>,
    start: usize,
    end: usize,
    offset: u64,
    ended: bool,
    failed: bool,
}

impl Window {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        let buf = vec![0; WINDOW].into_boxed_slice();
        Self {
            source,
            buf,
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            failed: false,
        }
    }

    /// Where the window starts in the stream.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether reading ended with an error instead of the end.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// The next up to `n` bytes, fewer only at the end of the stream.
    pub(super) fn peek(&mut self, n: usize) -> &[u8] {
        while self.end - self.start < n && !self.ended {
            if self.start > 0 && self.buf.len() - self.start < n {
                self.buf.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            match self.source.read(&mut self.buf[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => (self.ended, self.failed) = (true, true),
            }
        }
        &self.buf[self.start..self.end.min(self.start + n)]
    }

    /// The next `n` bytes; `n` is at most [`WINDOW`].
    pub(super) fn need(&mut self, n: usize) -> Result<&[u8], Short> {
        if self.end - self.start < n && self.peek(n).len() < n {
            return Err(if self.start == self.end && !self.failed {
                Short::End
            } else {
                Short::Cut
            });
        }
        Ok(&self.buf[self.start..self.start + n])
    }

    /// Moves on by `n` bytes that were seen by [`Window::peek`] or [`Window::need`]; returns where they lie.
    pub(super) fn consume(&mut self, n: usize) -> Range<usize> {
        let from = self.start;
        self.start += n;
        self.offset += n as u64;
        from..self.start
    }

    /// Moves on by `n` bytes, however many.
    pub(super) fn skip(&mut self, mut n: u64) -> Result<(), Short> {
        while n > 0 {
            let step = n.min(WINDOW as u64) as usize;
            self.need(step).map_err(|_| Short::Cut)?;
            self.consume(step);
            n -= step as u64;
        }
        Ok(())
    }

    /// The bytes of a range that [`Window::consume`] returned; valid until the next read.
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        &self.buf[range]
    }
}
