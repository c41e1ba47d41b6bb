//! Framing of files and streams: where a line ends. LF, CRLF and NUL end one; what is longer than the limit is skipped
//! without being held, and counted.

/// Longest line of a file or stream, in bytes.
pub const LIMIT: usize = 256 * 1024;

/// A line without its end, and where it began in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Offset of the first byte, from the start of the input.
    pub offset: u64,
    /// The bytes, without LF, CR or NUL at the end.
    pub bytes: &'a [u8],
}

/// Cuts bytes into lines. Bytes of a line that has not ended yet are held, at most the limit of them.
#[derive(Debug)]
pub struct Framer {
    limit: usize,
    held: Vec<u8>,
    /// Offset of the first byte that no returned line contains.
    offset: u64,
    skipping: bool,
    /// Lines longer than the limit.
    pub too_long: u64,
    /// Lines with nothing in them.
    pub empty: u64,
}

impl Default for Framer {
    fn default() -> Self {
        Self::new(0, LIMIT)
    }
}

impl Framer {
    /// One whose next byte lies at `offset` of its input, and whose lines have at most `limit` bytes.
    pub fn new(offset: u64, limit: usize) -> Self {
        Self {
            limit,
            held: Vec::new(),
            offset,
            skipping: false,
            too_long: 0,
            empty: 0,
        }
    }

    /// One whose next byte lies at `offset` of its input.
    pub fn at(offset: u64) -> Self {
        Self::new(offset, LIMIT)
    }

    /// Offset up to which everything was given out: where reading starts again after a crash.
    pub fn settled(&self) -> u64 {
        self.offset
    }

    /// Whether a line has begun that has not ended.
    pub fn partial(&self) -> bool {
        !self.held.is_empty() || self.skipping
    }

    /// Takes the next bytes of the input and gives every line that they end to `each`.
    pub fn push(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(Line<'_>)) {
        while let Some(end) = memchr::memchr2(b'\n', 0, bytes) {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            bytes = rest;
            if self.skipping {
                self.skipping = false;
                self.offset += line.len() as u64 + 1;
            } else if self.held.is_empty() {
                self.give(line, line.len() + 1, each);
            } else if self.hold(line) {
                let held = std::mem::take(&mut self.held);
                self.give(&held, held.len() + 1, each);
                self.held = held;
                self.held.clear();
            } else {
                self.skipping = false;
                self.offset += 1;
            }
        }
        if self.skipping {
            self.offset += bytes.len() as u64;
        } else if !bytes.is_empty() {
            self.hold(bytes);
        }
    }

    /// Ends the input: a last line without an end counts as one.
    pub fn finish(&mut self, each: &mut dyn FnMut(Line<'_>)) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.give(&held, held.len(), each);
        }
        self.skipping = false;
    }

    /// Keeps `bytes` of an unfinished line; false when the line became too long and is skipped.
    fn hold(&mut self, bytes: &[u8]) -> bool {
        if self.held.len() + bytes.len() <= self.limit + 1 {
            self.held.extend_from_slice(bytes);
            return true;
        }
        self.too_long += 1;
        self.skipping = true;
        self.offset += (self.held.len() + bytes.len()) as u64;
        self.held = Vec::new();
        false
    }

    fn give(&mut self, line: &[u8], consumed: usize, each: &mut dyn FnMut(Line<'_>)) {
        let offset = self.offset;
        self.offset += consumed as u64;
        let bytes = line.strip_suffix(b"\r").unwrap_or(line);
        if bytes.len() > self.limit {
            self.too_long += 1;
        } else if bytes.is_empty() {
            self.empty += 1;
        } else {
            each(Line { offset, bytes });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(framer: &mut Framer, pieces: &[&[u8]]) -> Vec<(u64, Vec<u8>)> {
        let mut got = Vec::new();
        for piece in pieces {
            framer.push(piece, &mut |line| got.push((line.offset, line.bytes.to_vec())));
        }
        framer.finish(&mut |line| got.push((line.offset, line.bytes.to_vec())));
        got
    }

    #[test]
    fn lf_crlf_and_nul_end_a_line_wherever_the_input_is_cut() {
        let input = b"one\ntwo\r\n\nthree\0four";
        let want = vec![
            (0, b"one".to_vec()),
            (4, b"two".to_vec()),
            (10, b"three".to_vec()),
            (16, b"four".to_vec()),
        ];
        for cut in 0..=input.len() {
            let mut framer = Framer::default();
            assert_eq!(
                lines(&mut framer, &[&input[..cut], &input[cut..]]),
                want,
                "cut at {cut}"
            );
            assert_eq!((framer.empty, framer.settled()), (1, input.len() as u64));
        }
    }

    #[test]
    fn a_flood_without_line_end_is_not_held() {
        let mut framer = Framer::default();
        let block = vec![b'x'; 64 * 1024];
        for _ in 0..64 {
            framer.push(&block, &mut |_| panic!("no line ends here"));
            assert!(framer.held.capacity() <= 2 * LIMIT + 2);
        }
        let got = lines(&mut framer, &[b"rest\nnext\n"]);
        assert_eq!(got, vec![(64 * 64 * 1024 + 5, b"next".to_vec())]);
        assert_eq!(framer.too_long, 1);
    }

    #[test]
    fn the_limit_itself_still_passes() {
        for (length, passes) in [(LIMIT, true), (LIMIT + 1, false)] {
            for pieces in [1, 3] {
                let mut input = vec![b'y'; length];
                input.extend_from_slice(b"\r\nz\n");
                let mut framer = Framer::default();
                let chunks: Vec<&[u8]> = input.chunks(input.len().div_ceil(pieces)).collect();
                let got = lines(&mut framer, &chunks);
                assert_eq!(
                    (got.len(), framer.too_long),
                    if passes { (2, 0) } else { (1, 1) },
                    "{length} in {pieces}"
                );
                assert_eq!(framer.settled(), input.len() as u64);
            }
        }
    }
}
