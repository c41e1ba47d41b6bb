//! Lines of HTTP/0.9 to 1.1 (RFC 9112), read leniently: what hostile traffic sends is still to be seen.

/// A request line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestLine<'a> {
    pub(super) method: &'a [u8],
    /// Empty where it was left out.
    pub(super) target: &'a [u8],
    /// `None` is HTTP/0.9: no version, no header.
    pub(super) version: Option<&'a [u8]>,
}

/// A status line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StatusLine<'a> {
    pub(super) version: &'a [u8],
    pub(super) code: u16,
    pub(super) reason: &'a [u8],
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes {
        if !is_blank(*first) {
            break;
        }
        bytes = rest;
    }
    while let [rest @ .., last] = bytes {
        if !is_blank(*last) && *last != b'\r' {
            break;
        }
        bytes = rest;
    }
    bytes
}

/// Length of the token (RFC 9110, 5.6.2) at the start.
fn token(bytes: &[u8]) -> usize {
    let part = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    bytes.iter().take_while(|byte| part(byte)).count()
}

/// Reads a request line, without its line end; `None` where it is none.
pub(super) fn request_line(line: &[u8]) -> Option<RequestLine<'_>> {
    let (method, rest) = line.split_at(token(line));
    if method.is_empty() || method.len() > 64 || rest.first().is_none_or(|byte| !is_blank(*byte)) {
        return None;
    }
    let rest = trim(rest);
    if rest.is_empty() {
        return None;
    }
    if let Some(version) = rest.strip_prefix(b"HTTP/") {
        return Some(RequestLine {
            method,
            target: b"",
            version: Some(number(version)),
        });
    }
    // The version is what follows the first blank before `HTTP/`; targets with blanks in them exist.
    let mut at = 0;
    while let Some(blank) = rest[at..].iter().position(|byte| is_blank(*byte)) {
        let target = &rest[..at + blank];
        let after = trim(&rest[at + blank..]);
        if let Some(version) = after.strip_prefix(b"HTTP/") {
            return Some(RequestLine {
                method,
                target,
                version: Some(number(version)),
            });
        }
        at += blank + 1;
    }
    Some(RequestLine {
        method,
        target: rest,
        version: None,
    })
}

/// Reads a status line, without its line end; `None` where it is none.
pub(super) fn status_line(line: &[u8]) -> Option<StatusLine<'_>> {
    let rest = line.strip_prefix(b"HTTP/")?;
    let version = number(rest);
    let rest = trim(&rest[version.len()..]);
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count().min(5);
    let code = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    Some(StatusLine {
        version,
        code,
        reason: trim(&rest[digits..]),
    })
}

fn number(bytes: &[u8]) -> &[u8] {
    let length = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    &bytes[..length.min(8)]
}

/// A header line's name and value; `None` where there is no colon.
pub(super) fn header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    Some((trim(&line[..colon]), trim(&line[colon + 1..])))
}

/// A chunk's size line (RFC 9112, 7.1): hexadecimal, extensions ignored.
pub(super) fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = trim(line);
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if digits == 0 || digits > 15 {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(&line[..digits]).ok()?, 16).ok()
}

fn hex(bytes: &[u8]) -> Option<u32> {
    bytes
        .iter()
        .try_fold(0, |value, byte| Some(value << 4 | char::from(*byte).to_digit(16)?))
}

/// A target with its percent escapes (and `%uXXXX`) resolved once, as Zeek prints it.
pub(super) fn unescape(target: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(target.len());
    let mut rest = target;
    while let Some((first, after)) = rest.split_first() {
        let (bytes, used): ([Option<u8>; 2], usize) = match (first, after) {
            (b'%', [b'%', ..]) => ([Some(b'%'), None], 1),
            (b'%', [b'u', digits @ ..]) if digits.len() >= 4 && hex(&digits[..4]).is_some() => {
                let value = hex(&digits[..4]).unwrap_or(0);
                let high = (value > 0xff).then_some((value >> 8) as u8);
                ([high.or(Some(value as u8)), high.map(|_| value as u8)], 6)
            }
            (b'%', [high, low, ..]) => match hex(&[*high, *low]) {
                Some(value) => ([Some(value as u8), None], 3),
                None => ([Some(b'%'), None], 1),
            },
            (byte, _) => ([Some(*byte), None], 1),
        };
        out.extend(bytes.into_iter().flatten());
        rest = &rest[used..];
    }
    out
}

/// `filename` of a Content-Disposition (RFC 6266).
pub(super) fn filename(value: &[u8]) -> Option<&[u8]> {
    let lower = value.to_ascii_lowercase();
    let at = memchr::memmem::find(&lower, b"filename=")? + b"filename=".len();
    let rest = &value[at..];
    match rest.strip_prefix(b"\"") {
        Some(quoted) => Some(&quoted[..memchr::memchr(b'"', quoted).unwrap_or(quoted.len())]),
        None => Some(trim(&rest[..memchr::memchr(b';', rest).unwrap_or(rest.len())])),
    }
}
