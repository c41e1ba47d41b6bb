//! Input in UTF-16, as Windows tools export it, read as UTF-8. What means nothing becomes U+FFFD.

use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding, UTF_16BE, UTF_16LE};

const BLOCK: usize = 16 * 1024;

/// The encoding of an input that begins so, when it is UTF-16: by its byte order mark, or two plain characters.
pub fn utf16(start: &[u8]) -> Option<&'static Encoding> {
    let plain = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    match start {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        [a, 0, b, 0, ..] if plain(a) && plain(b) => Some(UTF_16LE),
        [0, a, 0, b, ..] if plain(a) && plain(b) => Some(UTF_16BE),
        _ => None,
    }
}

/// Decodes what it reads.
pub struct Utf8<R> {
    source: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// The part of `raw` that is not decoded yet.
    left: std::ops::Range<usize>,
    text: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Utf8<R> {
    /// Reads `source`, which is in `encoding`; a byte order mark is dropped.
    pub fn new(source: R, encoding: &'static Encoding) -> Self {
        Self {
            source,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; BLOCK],
            left: 0..0,
            text: Vec::with_capacity(3 * BLOCK),
            given: 0,
            ended: false,
        }
    }

    /// Decodes on until there is text or the source ends.
    fn more(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        while self.text.is_empty() && !self.ended {
            if self.left.is_empty() {
                let n = self.source.read(&mut self.raw)?;
                self.left = 0..n;
                self.ended = n == 0;
            }
            self.text.resize(3 * BLOCK, 0);
            let (_, read, written, _) =
                self.decoder
                    .decode_to_utf8(&self.raw[self.left.clone()], &mut self.text, self.ended);
            self.left.start += read;
            self.text.truncate(written);
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() {
            self.more()?;
        }
        let n = out.len().min(self.text.len() - self.given);
        out[..n].copy_from_slice(&self.text[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Slow(io::Cursor<Vec<u8>>, usize);

    impl Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = out.len().min(self.1);
            self.0.read(&mut out[..n])
        }
    }

    fn decoded(bytes: &[u8], at_once: usize) -> String {
        let encoding = utf16(bytes).unwrap();
        let mut text = String::new();
        Utf8::new(Slow(io::Cursor::new(bytes.to_vec()), at_once), encoding)
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn both_orders_with_a_mark_and_json_without() {
        let text = "{\"όνομα\":\"Δήμος 🏛\"}\r\n".repeat(3000);
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (mark, body) in [
            (&b"\xff\xfe"[..], &little),
            (b"\xfe\xff", &big),
            (b"", &little),
            (b"", &big),
        ] {
            let input = [mark, body].concat();
            for at_once in [1, 3, 100_000] {
                assert_eq!(decoded(&input, at_once), text, "{mark:?} {at_once}");
            }
        }
    }

    #[test]
    fn half_a_character_is_replaced() {
        assert_eq!(decoded(b"\xff\xfea\0\x3d\xd8b\0", 1), "a\u{fffd}b");
        assert_eq!(decoded(b"\xff\xfea\0b", 1), "a\u{fffd}");
    }

    #[test]
    fn what_is_not_utf16_is_left_alone() {
        for bytes in [&b""[..], b"{\"a\":1}", b"\xef\xbb\xbf{}", b"{\0\0\0", b"\0\0\0\0"] {
            assert_eq!(utf16(bytes), None, "{bytes:?}");
        }
    }
}
