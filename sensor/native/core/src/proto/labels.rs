//! Protocols that are recognised and named as a connection's service, and not decoded (yet): a probe each.

use super::{Dir, Verdict};

/// NTP (RFC 5905) on its port: version 1 to 4, a mode that is in use, a length that fits.
pub(crate) fn ntp(bytes: &[u8], _: Dir, usual: bool) -> Verdict {
    let fits = match bytes {
        [first, ..] => {
            matches!(first >> 3 & 7, 1..=4)
                && match first & 7 {
                    1..=5 => bytes.len() >= 48,
                    6 | 7 => bytes.len() >= 8,
                    _ => false,
                }
        }
        [] => false,
    };
    if usual && fits { Verdict::Yes } else { Verdict::No }
}
