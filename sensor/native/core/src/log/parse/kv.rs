//! `key=value` pairs with quotes and escapes: what firewalls send.

use std::borrow::Cow;

use crate::log::record::Record;

/// Longest key; what is longer is no key.
const MAX_KEY: usize = 256;

/// The marks of a `key=value` syntax, each one ASCII character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kv {
    /// Between pairs.
    pub pair: u8,
    /// Between key and value.
    pub assign: u8,
    /// Around values that may hold the mark between pairs.
    pub quote: Option<u8>,
    /// Before a quote, or itself, inside quotes; before anything else it is itself.
    pub escape: Option<u8>,
}

impl Kv {
    /// Reads pairs; words without an assignment are passed over. False when there is no pair at all.
    pub fn parse<'l>(&self, message: &'l str, record: &mut Record<'_, 'l>) -> bool {
        let bytes = message.as_bytes();
        let mut at = 0;
        let mut found = false;
        while let Some(assign) = memchr::memchr(self.assign, &bytes[at..]).map(|index| at + index) {
            // The key is the word before the mark: words without a value may stand before it.
            let start = memchr::memrchr(self.pair, &bytes[at..assign]).map_or(at, |index| at + index + 1);
            let key = message[start..assign].trim();
            let (value, next) = self.value(message, assign + 1);
            at = next;
            if !key.is_empty() && key.len() <= MAX_KEY {
                found = true;
                record.put(key, value);
            }
        }
        found
    }

    fn value<'l>(&self, message: &'l str, start: usize) -> (Cow<'l, str>, usize) {
        let bytes = message.as_bytes();
        if let Some(quote) = self.quote
            && bytes.get(start) == Some(&quote)
        {
            return self.quoted(message, start + 1, quote);
        }
        let end = memchr::memchr(self.pair, &bytes[start..]).map_or(bytes.len(), |index| start + index);
        let text = &message[start..end];
        (
            Cow::Borrowed(if self.pair == b' ' { text } else { text.trim() }),
            (end + 1).min(bytes.len()),
        )
    }

    /// From after the opening quote; a missing closing quote is the line's end.
    fn quoted<'l>(&self, message: &'l str, start: usize, quote: u8) -> (Cow<'l, str>, usize) {
        let bytes = message.as_bytes();
        let escape = self.escape.unwrap_or(quote);
        let mut owned: Option<String> = None;
        let (mut plain, mut at) = (start, start);
        loop {
            let Some(mark) = memchr::memchr2(quote, escape, &bytes[at..]).map(|index| at + index) else {
                break (finish(message, owned, plain, bytes.len()), bytes.len());
            };
            if bytes[mark] == quote {
                break (finish(message, owned, plain, mark), mark + 1);
            }
            if matches!(bytes.get(mark + 1), Some(next) if *next == quote || *next == escape) {
                let value = owned.get_or_insert_with(String::new);
                value.push_str(&message[plain..mark]);
                plain = mark + 1;
                at = mark + 2;
            } else {
                at = mark + 1;
            }
        }
    }
}

fn finish(message: &str, owned: Option<String>, plain: usize, end: usize) -> Cow<'_, str> {
    match owned {
        None => Cow::Borrowed(&message[plain..end]),
        Some(mut value) => {
            value.push_str(&message[plain..end]);
            Cow::Owned(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::log::parse::Parser;
    use crate::log::parse::tests::{fields, pairs};

    use super::*;

    fn fortigate() -> Parser {
        Parser::Kv(Kv {
            pair: b' ',
            assign: b'=',
            quote: Some(b'"'),
            escape: Some(b'\\'),
        })
    }

    #[test]
    fn quotes_escapes_empty_values_and_words_between() {
        assert_eq!(
            fields(
                &fortigate(),
                r#"date=2026-03-01 user="DOMAIN\u7 \"x\" a=b" empty="" none= junk n=5 last="Ά \\ end"#
            ),
            pairs(&[
                ("date", "2026-03-01"),
                ("user", r#"DOMAIN\u7 "x" a=b"#),
                ("empty", ""),
                ("none", ""),
                ("n", "5"),
                ("last", r"Ά \ end"),
            ])
        );
        assert_eq!(fields(&fortigate(), "no pair here"), None);
        assert_eq!(fields(&fortigate(), "= =x"), None);
    }

    #[test]
    fn other_marks() {
        let parser = Parser::Kv(Kv {
            pair: b',',
            assign: b':',
            quote: None,
            escape: None,
        });
        assert_eq!(
            fields(&parser, "a: 1, b: x y ,c:\"q\""),
            pairs(&[("a", "1"), ("b", "x y"), ("c", "\"q\"")])
        );
    }

    #[test]
    fn a_forged_value_cannot_replace_an_earlier_field() {
        let got = fields(&fortigate(), r#"user="x" action="deny" msg="m" action="accept""#).unwrap();
        assert_eq!(got[1], ("action".to_owned(), "deny".to_owned()));
        assert_eq!(got.len(), 3);
    }

    #[test]
    fn any_cut_is_read_or_refused_and_never_more() {
        let line = r#"date=2026-03-01 user="Ά\"x\\" srcip=203.0.113.9"#;
        let whole = fields(&fortigate(), line).unwrap();
        for cut in (0..line.len()).filter(|cut| line.is_char_boundary(*cut)) {
            assert!(fields(&fortigate(), &line[..cut]).unwrap_or_default().len() <= whole.len());
        }
    }
}
