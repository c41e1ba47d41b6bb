//! Bytes of a line to text: UTF-8, strictly; else the sender's character set. What neither knows becomes U+FFFD. Case, accents
//! and control characters stay as they are.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1253};

/// How a line's bytes became text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// It was UTF-8.
    Utf8,
    /// It was not, and was read in the sender's character set.
    Charset,
    /// Some bytes meant nothing in the sender's character set either.
    Damaged,
}

/// A sender's character set beside UTF-8.
#[derive(Debug, Clone, Copy)]
pub struct Charset(&'static Encoding);

impl Default for Charset {
    /// Windows-1253: what Greek devices send that do not send UTF-8.
    fn default() -> Self {
        Self(WINDOWS_1253)
    }
}

impl Charset {
    /// The character set of a label such as `iso-8859-7`, `None` for an unknown one.
    pub fn named(label: &str) -> Option<Self> {
        Encoding::for_label(label.as_bytes()).map(Self)
    }

    /// Decodes one line. A byte order mark is dropped, UTF-16 is known by it.
    pub fn decode(self, bytes: &[u8]) -> (Cow<'_, str>, Decoded) {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
            return (Cow::Borrowed(text), Decoded::Utf8);
        }
        let encoding = match bytes {
            [0xff, 0xfe, ..] => UTF_16LE,
            [0xfe, 0xff, ..] => UTF_16BE,
            _ => self.0,
        };
        let (text, damaged) = encoding.decode_with_bom_removal(bytes);
        (text, if damaged { Decoded::Damaged } else { Decoded::Charset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_first_then_the_senders_set() {
        let greek = Charset::default();
        assert_eq!(greek.decode("Άδεια".as_bytes()), (Cow::from("Άδεια"), Decoded::Utf8));
        assert_eq!(
            greek.decode(b"\xa2\xe4\xe5\xe9\xe1"),
            (Cow::from("Άδεια"), Decoded::Charset)
        );
        let iso = Charset::named("ISO-8859-7").unwrap();
        assert_eq!(
            iso.decode(b"\xb6\xe4\xe5\xe9\xe1"),
            (Cow::from("Άδεια"), Decoded::Charset)
        );
        assert!(Charset::named("klingon").is_none());
    }

    #[test]
    fn what_nobody_knows_is_replaced_and_said() {
        let (text, how) = Charset::default().decode(b"a\xd2b");
        assert_eq!((text.as_ref(), how), ("a\u{fffd}b", Decoded::Damaged));
        assert_eq!(Charset::default().decode(b"\xef\xbb\xbfx").0, "x");
        assert_eq!(Charset::default().decode(b"\xff\xfea\0").0, "a");
    }
}
