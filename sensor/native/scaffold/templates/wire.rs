//! Greetings of Title as they stand on the wire: a word, a version, the end of the line. Input is borrowed, nothing is kept.

/// How a greeting starts.
pub(super) const START: &[u8] = b"UPPER/";
/// Bytes of one line.
pub(super) const MAX_LINE: usize = 256;

/// The bytes are no greeting.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAGreeting;

/// The version that the greeting at the start names, and how many bytes the greeting has; `None` where more are needed.
pub(super) fn greeting(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, NotAGreeting> {
    let shared = bytes.len().min(START.len());
    if bytes[..shared] != START[..shared] {
        return Err(NotAGreeting);
    }
    let Some(end) = memchr::memchr(b'\n', &bytes[..bytes.len().min(MAX_LINE)]) else {
        return if bytes.len() < MAX_LINE {
            Ok(None)
        } else {
            Err(NotAGreeting)
        };
    };
    let line = &bytes[..end];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let version = line.get(START.len()..).ok_or(NotAGreeting)?;
    Ok(Some((version, end + 1)))
}
