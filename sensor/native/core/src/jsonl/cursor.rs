//! JSON (RFC 8259) read in place: strings and numbers are slices of the line, and nothing is copied that nobody asks for.

use std::ops::Range;

use wide::u8x16;

/// Not JSON; the place is the cursor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

/// A string between its quotes, as it stands in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    /// Bytes of the line.
    pub span: Range<usize>,
    /// Whether it holds a `\`.
    pub escaped: bool,
}

/// A place in a line.
#[derive(Debug, Clone)]
pub struct Cursor<'t> {
    text: &'t str,
    at: usize,
    /// A string held half of a surrogate pair.
    pub halves: bool,
}

/// Bytes that are looked at in one go.
const BLOCK: usize = 16;

/// The bytes of a block from `at`, where there are so many.
#[inline]
fn block(bytes: &[u8], at: usize) -> Option<[u8; BLOCK]> {
    bytes.get(at..at + BLOCK)?.try_into().ok()
}

/// The bytes of a block that end a run of plain text (`"`, `\`, below a blank), a bit each from the lowest.
#[inline]
fn special(block: [u8; BLOCK]) -> u32 {
    let block = u8x16::new(block);
    let is_quote = block.cmp_eq(u8x16::splat(b'"'));
    let is_slash = block.cmp_eq(u8x16::splat(b'\\'));
    let is_control = block.min(u8x16::splat(0x1f)).cmp_eq(block);
    (is_quote | is_slash | is_control).move_mask().cast_unsigned()
}

impl<'t> Cursor<'t> {
    /// At the beginning of `text`.
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            halves: false,
        }
    }

    /// The line.
    #[inline]
    pub fn text(&self) -> &'t str {
        self.text
    }

    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// The next byte that is no blank, which stays.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Takes `byte` if it is next.
    #[inline]
    pub fn take(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    /// Takes `byte`.
    ///
    /// # Errors
    /// Something else is next.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.take(byte) { Ok(()) } else { Err(Broken) }
    }

    /// Nothing but blanks follows.
    ///
    /// # Errors
    /// Something does.
    pub fn end(&mut self) -> Result<(), Broken> {
        self.peek().map_or(Ok(()), |_| Err(Broken))
    }

    /// Takes a string.
    ///
    /// # Errors
    /// None is next, it does not end, holds a control character or an unknown escape.
    pub fn string(&mut self) -> Result<Quoted, Broken> {
        self.expect(b'"')?;
        let bytes = self.bytes();
        let (start, mut at, mut escaped) = (self.at, self.at, false);
        loop {
            // Most strings are plain.
            while let Some(block) = block(bytes, at) {
                let found = special(block);
                if found != 0 {
                    at += found.trailing_zeros() as usize;
                    break;
                }
                at += BLOCK;
            }
            match *bytes.get(at).ok_or(Broken)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    match bytes.get(at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
                        Some(b'u') if hex4(bytes, at + 2).is_some() => {
                            let (character, after) = unicode(bytes, at + 2);
                            self.halves |= character.is_none();
                            at = after;
                        }
                        _ => return Err(Broken),
                    }
                }
                0..0x20 => return Err(Broken),
                _ => at += 1,
            }
        }
        self.at = at + 1;
        Ok(Quoted {
            span: start..at,
            escaped,
        })
    }

    /// Takes a number.
    ///
    /// # Errors
    /// None is next, or one that JSON does not write so (`01`, `1.`, `.5`).
    pub fn number(&mut self) -> Result<Range<usize>, Broken> {
        let bytes = self.bytes();
        let digits = |mut at: usize| {
            let start = at;
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            if at > start { Ok(at) } else { Err(Broken) }
        };
        let start = self.at;
        let first = start + usize::from(bytes.get(start) == Some(&b'-'));
        let mut at = digits(first)?;
        if bytes[first] == b'0' && at > first + 1 {
            return Err(Broken);
        }
        if bytes.get(at) == Some(&b'.') {
            at = digits(at + 1)?;
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            at = digits(at + 1 + sign)?;
        }
        self.at = at;
        Ok(start..at)
    }

    /// Takes a word: `true`, `false`, `null`.
    ///
    /// # Errors
    /// It is not next.
    pub fn word(&mut self, word: &str) -> Result<(), Broken> {
        if self.bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(Broken)
    }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0_u16, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(value << 4 | digit as u16)
    })
}

/// Appends what a string with escapes, as [`Cursor::string`] gave it, means. Half of a surrogate pair means no character
/// and becomes U+FFFD, so that one bad name does not hide an event.
pub fn unescape(raw: &str, out: &mut Vec<u8>) {
    let raw = raw.as_bytes();
    let mut at = 0;
    // What a string means is never longer than the string. Blocks are written whole and overwritten behind the next slash.
    let mut to = out.len();
    out.resize(to + raw.len(), 0);
    while at < raw.len() {
        let plain = if let (Some(block), Some(room)) = (block(raw, at), out.get_mut(to..to + BLOCK)) {
            room.copy_from_slice(&block);
            let slashes = u8x16::new(block).cmp_eq(u8x16::splat(b'\\')).move_mask();
            (slashes.trailing_zeros() as usize).min(BLOCK)
        } else {
            let slash = memchr::memchr(b'\\', &raw[at..]).unwrap_or(raw.len() - at);
            out[to..to + slash].copy_from_slice(&raw[at..at + slash]);
            slash
        };
        (at, to) = (at + plain, to + plain);
        if raw.get(at) != Some(&b'\\') {
            continue;
        }
        at += 2;
        let byte = match raw[at - 1] {
            b'b' => 0x8,
            b'f' => 0xc,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (character, after) = unicode(raw, at);
                at = after;
                let mut utf8 = [0; 4];
                let utf8 = character.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut utf8);
                out[to..to + utf8.len()].copy_from_slice(utf8.as_bytes());
                to += utf8.len();
                continue;
            }
            other => other,
        };
        out[to] = byte;
        to += 1;
    }
    out.truncate(to);
}

/// What a string with escapes means.
pub fn unescaped(raw: &str) -> String {
    let mut bytes = Vec::new();
    unescape(raw, &mut bytes);
    text(bytes)
}

/// Bytes that are text as text; no byte of them is lost if they are not.
pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The character of `\u` with its four digits at `at` (`None` for half of a pair), and the place after it.
fn unicode(bytes: &[u8], at: usize) -> (Option<char>, usize) {
    let Some(first) = hex4(bytes, at) else {
        return (None, at);
    };
    let second = || {
        let pair = bytes.get(at + 4..at + 6) == Some(br"\u");
        pair.then(|| hex4(bytes, at + 6)).flatten()
    };
    if (0xd800..0xdc00).contains(&first)
        && let Some(low @ 0xdc00..0xe000) = second()
    {
        let code = 0x1_0000 + (u32::from(first - 0xd800) << 10) + u32::from(low - 0xdc00);
        return (char::from_u32(code), at + 10);
    }
    (char::from_u32(first.into()), at + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Result<String, Broken> {
        let mut cursor = Cursor::new(text);
        let quoted = cursor.string()?;
        cursor.end()?;
        Ok(unescaped(&text[quoted.span]))
    }

    #[test]
    fn strings_read_as_serde_reads_them() {
        let long = "x".repeat(50);
        for inner in [
            "",
            "a",
            "1234567",
            "12345678",
            "123456789",
            r#"\""#,
            r"\\",
            r"C:\\Windows\\System32\\cmd.exe",
            r"\u0041\u00e9\ud83d\ude00\n\t\/\b\f\r",
            "Δήμος",
            "\u{7f}\u{80}",
            &long,
        ] {
            for before in ["", "1234", "1234567"] {
                let text = format!("\"{before}{inner}\"");
                assert_eq!(
                    string(&text).unwrap(),
                    serde_json::from_str::<String>(&text).unwrap(),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn half_a_pair_becomes_the_replacement_character() {
        assert_eq!(string(r#""a\ud800b""#).unwrap(), "a\u{fffd}b");
        assert_eq!(string(r#""\udc00\ud800""#).unwrap(), "\u{fffd}\u{fffd}");
        assert_eq!(string(r#""\ud800\u0041""#).unwrap(), "\u{fffd}A");
        assert_eq!(string(r#""\ud800\ud83d\ude00""#).unwrap(), "\u{fffd}😀");
    }

    #[test]
    fn what_is_no_string_is_refused() {
        for text in [
            "\"",
            "\"abc",
            "\"a\nb\"",
            "\"\u{1}\"",
            r#""\x""#,
            r#""\u12g4""#,
            r#""\u12"#,
            r#""\"#,
            "a\"",
        ] {
            assert_eq!(string(text), Err(Broken), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_those_of_json() {
        for text in [
            "0",
            "-0",
            "12",
            "-12.50",
            "1e9",
            "1.5E-3",
            "18446744073709551616",
            "1e400",
        ] {
            assert_eq!(Cursor::new(text).number(), Ok(0..text.len()), "{text}");
        }
        for text in ["01", "-", "1.", ".5", "1e", "1e+", "+1", "-x"] {
            let mut cursor = Cursor::new(text);
            assert!(cursor.number().is_err() || cursor.end().is_err(), "{text}");
        }
    }
}
