//! Addresses, chunk sizes and hosts in mail's commands and headers (RFC 5321, 3030, 5322), read leniently.

use std::net::IpAddr;

/// What follows `FROM:` or `TO:`: the address without its angle brackets; `None` where the word is missing.
pub(super) fn path<'a>(argument: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let start = argument.get(..word.len())?;
    if !start.eq_ignore_ascii_case(word) {
        return None;
    }
    let rest = argument[word.len()..].trim_ascii();
    let Some(open) = memchr::memchr(b'<', rest) else {
        return rest.split(|byte| *byte == b' ').next();
    };
    let inside = &rest[open + 1..];
    Some(inside[..memchr::memchr(b'>', inside).unwrap_or(inside.len())].trim_ascii())
}

/// What BDAT announces.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk<'a> {
    /// So many bytes follow; whether they are the last.
    Bytes(u64, bool),
    /// More than any mail has, as it was said.
    Huge(&'a [u8]),
    /// What is wrong with it, in Zeek's words.
    Invalid(&'static str),
}

/// Reads BDAT's argument (RFC 3030, 2).
pub(super) fn chunk(argument: &[u8]) -> Chunk<'_> {
    const MOST: u64 = 1 << 40;
    let mut words = argument.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let Some(size) = words.next() else {
        return Chunk::Invalid("BDAT argument bad length");
    };
    if !size[0].is_ascii_digit() {
        return Chunk::Invalid("BDAT not followed by a valid chunk-size");
    }
    let last = match (words.next(), words.next()) {
        _ if !size.iter().all(u8::is_ascii_digit) => None,
        (None, _) => Some(false),
        (Some(word), None) if word.eq_ignore_ascii_case(b"LAST") => Some(true),
        _ => None,
    };
    let Some(last) = last else {
        return Chunk::Invalid("BDAT chunk-size followed by junk");
    };
    match std::str::from_utf8(size).ok().and_then(|size| size.parse().ok()) {
        Some(size) if size <= MOST => Chunk::Bytes(size, last),
        _ => Chunk::Huge(size),
    }
}

/// A list of addresses (RFC 5322, 3.4) taken apart at commas outside quotes and angle brackets.
pub(super) fn addresses(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    let parts = value.split(move |letter| {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            ',' => return !quoted && !bracketed,
            _ => {}
        }
        false
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// The IP addresses in a header's value, in their order.
pub(super) fn hosts(value: &str) -> impl Iterator<Item = IpAddr> {
    value
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | ':' | '-')))
        .filter_map(|word| {
            let word = word.trim_end_matches(['.', ':']);
            // An address literal (RFC 5321, 4.1.3).
            let word = word.strip_prefix("IPv6:").unwrap_or(word);
            word.parse().ok()
        })
}

/// Which host a Received header (RFC 5321, 4.4) says it came from: the address that was seen stands behind the one that was said.
pub(super) fn came_from(value: &str) -> Option<IpAddr> {
    let mut hosts = hosts(value);
    let first = hosts.next();
    hosts.next().or(first)
}

/// What web mail calls itself, in lower case.
const WEBMAIL: [&str; 14] = [
    "(imp)",
    "horde",
    "iplanet messenger",
    "messenger express",
    "neomail",
    "open-xchange",
    "outlook-web",
    "rainloop",
    "roundcube",
    "snappymail",
    "sogo",
    "squirrelmail",
    "webmail",
    "zimbrawebclient",
];

/// Whether the program that wrote a mail runs in a browser.
pub(super) fn is_webmail(user_agent: &str) -> bool {
    let lower = user_agent.to_lowercase();
    WEBMAIL.iter().any(|name| lower.contains(name))
}
