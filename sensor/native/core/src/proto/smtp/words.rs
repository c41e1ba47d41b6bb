//! Encoded words of headers (RFC 2047): what a subject says in Greek, say.

use encoding_rs::Encoding;

use crate::proto::base64;

/// One encoded word: its character set, its bytes, and how many of the text it took.
fn word(text: &str) -> Option<(&'static Encoding, Vec<u8>, usize)> {
    let inside = text.strip_prefix("=?")?;
    let named = inside
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.:*".contains(byte))
        .count();
    // A language may stand behind the character set (RFC 2231, 5).
    let charset = inside[..named].split('*').next()?;
    let encoding = Encoding::for_label(charset.as_bytes())?;
    let rest = inside[named..].strip_prefix('?')?;
    let kind = *rest.as_bytes().first()?;
    let said = rest.get(1..)?.strip_prefix('?')?;
    let said = said.as_bytes();
    let end = memchr::memchr(b'?', said)?;
    if said.get(end + 1) != Some(&b'=') {
        return None;
    }
    let bytes = match kind {
        b'B' | b'b' => base64::decode(&said[..end]),
        b'Q' | b'q' => quoted(&said[..end]),
        _ => return None,
    };
    // "=?", the name, "?x?", the text, "?=".
    Some((encoding, bytes, named + end + 7))
}

/// The "Q" encoding (RFC 2047, 4.2); what is no escape stands for itself.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'_', _) => out.push(b' '),
            (b'=', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |byte: u8| char::from(byte).to_digit(16).map_or(0, |digit| digit as u8);
                out.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            _ => out.push(byte),
        }
    }
    out
}

/// A header's text with its encoded words read. Neighbors of one character set are read as one: careless programs cut
/// characters in two. What is no encoded word, or of an unknown set, stays as it is.
pub(super) fn decoded(value: &str) -> String {
    let mut out = String::new();
    let mut open: Option<(&'static Encoding, Vec<u8>)> = None;
    let mut rest = value;
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"=?") {
        let (before, from) = rest.split_at(at);
        let found = word(from);
        let joins = found.is_some() && before.bytes().all(|byte| byte.is_ascii_whitespace());
        match (open.as_mut(), &found) {
            (Some((known, held)), Some((encoding, bytes, _))) if joins && *known == *encoding => held.extend(bytes),
            _ => {
                let was_open = open.is_some();
                close(&mut open, &mut out);
                // The blanks between two encoded words are none of the text (RFC 2047, 6.2).
                if !(was_open && joins) {
                    out.push_str(before);
                }
                match &found {
                    Some((encoding, bytes, _)) => open = Some((encoding, bytes.clone())),
                    None => out.push_str("=?"),
                }
            }
        }
        rest = &from[found.map_or(2, |(_, _, used)| used)..];
    }
    close(&mut open, &mut out);
    out.push_str(rest);
    out
}

fn close(open: &mut Option<(&'static Encoding, Vec<u8>)>, out: &mut String) {
    if let Some((encoding, bytes)) = open.take() {
        out.push_str(&encoding.decode_without_bom_handling(&bytes).0);
    }
}
