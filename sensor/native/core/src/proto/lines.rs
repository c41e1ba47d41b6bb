//! Lines out of bytes that are cut anywhere, for protocols of lines.

use std::borrow::Cow;

/// One line without its end (LF or CRLF), at most so long as asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    /// Whether it was longer.
    pub(crate) cut: bool,
    /// Bytes of what was given, the line's end included.
    pub(crate) used: usize,
}

/// The beginning of a line whose end has not come.
#[derive(Debug, Default)]
pub(crate) struct Partial {
    bytes: Vec<u8>,
    cut: bool,
    /// Its beginning was missed.
    lost: bool,
}

impl Partial {
    /// The next line; `None` once the end of the last one has not come: what there is of it is kept, up to `most` bytes.
    pub(crate) fn next<'a>(&mut self, bytes: &'a [u8], most: usize) -> Option<Line<'a>> {
        let mut start = 0;
        if self.lost {
            start = memchr::memchr(b'\n', bytes)? + 1;
            self.lost = false;
        }
        let given = &bytes[start..];
        let Some(end) = memchr::memchr(b'\n', given) else {
            self.keep(given, most);
            return None;
        };
        // One byte more than asked for, as the last may be the CR.
        let (mut line, mut cut) = if self.bytes.is_empty() {
            (Cow::Borrowed(&given[..end.min(most + 1)]), end > most + 1)
        } else {
            self.keep(&given[..end], most);
            (
                Cow::Owned(std::mem::take(&mut self.bytes)),
                std::mem::take(&mut self.cut),
            )
        };
        let has_return = !cut && line.last() == Some(&b'\r');
        let length = line.len() - usize::from(has_return);
        cut |= length > most;
        match &mut line {
            Cow::Borrowed(line) => *line = &line[..length.min(most)],
            Cow::Owned(line) => line.truncate(length.min(most)),
        }
        Some(Line {
            bytes: line,
            cut,
            used: start + end + 1,
        })
    }

    fn keep(&mut self, bytes: &[u8], most: usize) {
        let room = (most + 1).saturating_sub(self.bytes.len());
        self.cut |= bytes.len() > room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Bytes were missed: what follows up to the next end of a line is no line (and may be half a secret).
    pub(crate) fn lose(&mut self) {
        *self = Self {
            lost: true,
            ..Self::default()
        };
    }

    /// Bytes were missed, and half a line does no harm: what follows is taken as the beginning of one.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What there is of a line that has no end.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self).bytes
    }
}

/// A reply line (RFC 959, 4.2; RFC 5321, 4.2): its code, whether more lines follow, its text.
pub(crate) fn reply(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (code, rest) = line.split_first_chunk::<3>()?;
    if !matches!(code[0], b'1'..=b'6') || !code.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = code.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest.split_first() {
        None => Some((code, false, &[])),
        Some((b' ', text)) => Some((code, false, text.trim_ascii_end())),
        Some((b'-', text)) => Some((code, true, text.trim_ascii_end())),
        Some(_) => None,
    }
}

/// A command's word in upper case and what follows it.
pub(crate) fn command(line: &[u8]) -> (String, &[u8]) {
    let line = line.trim_ascii();
    let (word, rest) = line.split_at(memchr::memchr(b' ', line).unwrap_or(line.len()));
    (super::text(word).to_ascii_uppercase(), rest.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(partial: &mut Partial, pieces: &[&[u8]], most: usize) -> Vec<(Vec<u8>, bool)> {
        let mut found = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            while let Some(line) = partial.next(rest, most) {
                rest = &rest[line.used..];
                found.push((line.bytes.into_owned(), line.cut));
            }
        }
        found
    }

    #[test]
    fn any_cut_gives_the_same_lines() {
        let wire = b"one\r\n\r\ntwo\nfour and more\r\nabcdefgh\r\nabcdefghi\nrest";
        let whole = lines(&mut Partial::default(), &[wire], 8);
        assert_eq!(whole.len(), 6);
        assert_eq!((&whole[0].0[..], &whole[2].0[..]), (&b"one"[..], &b"two"[..]));
        assert_eq!(whole[3], (b"four and".to_vec(), true));
        assert_eq!(whole[4], (b"abcdefgh".to_vec(), false));
        assert_eq!(whole[5], (b"abcdefgh".to_vec(), true));
        for cut in 0..wire.len() {
            for second in cut..wire.len() {
                let pieces = [&wire[..cut], &wire[cut..second], &wire[second..]];
                let found = lines(&mut Partial::default(), &pieces, 8);
                assert_eq!(found, whole, "cut at {cut} and {second}");
            }
        }
    }

    #[test]
    fn what_follows_a_hole_is_no_line_until_the_next_begins() {
        let wire = b"half a secret\r\nNOOP\r\n";
        for cut in 0..wire.len() {
            let mut partial = Partial::default();
            assert_eq!(lines(&mut partial, &[b"PASS se"], 8), []);
            partial.lose();
            let found = lines(&mut partial, &[&wire[..cut], &wire[cut..]], 8);
            assert_eq!(found, [(b"NOOP".to_vec(), false)], "cut at {cut}");
        }
    }

    #[test]
    fn replies_and_commands_are_read() {
        assert_eq!(reply(b"220 ready "), Some((220, false, &b"ready"[..])));
        assert_eq!(reply(b"250-SIZE"), Some((250, true, &b"SIZE"[..])));
        assert_eq!(reply(b"354"), Some((354, false, &b""[..])));
        assert_eq!((reply(b"22 x"), reply(b"2200 x"), reply(b"920 x")), (None, None, None));
        assert_eq!(command(b" retr  a b \r"), ("RETR".to_owned(), &b"a b"[..]));
        assert_eq!(command(b""), (String::new(), &b""[..]));
    }
}
