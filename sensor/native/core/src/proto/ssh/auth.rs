//! How a log-in went, told by the lengths of the encrypted answers (RFC 4252): the first is `SERVICE_ACCEPT`, SUCCESS is
//! always 16 bytes shorter, and FAILURE has one length for a server: that of its answer to the method "none", which comes first.
//!
//! An answer is what the server says between two things that the client says, however TCP cut it.

/// The difference between `SERVICE_ACCEPT` (a payload of 17 bytes) and SUCCESS (1 byte), padded, with any cipher.
const SHORTER: u64 = 16;

/// What the answers so far say.
#[derive(Debug, Default)]
pub(super) struct Auth {
    off: bool,
    /// Whether the client has said anything encrypted: what the server says before that (RFC 8308) answers nothing.
    asked: bool,
    /// The answer that is under way: its length, and that of its first part.
    answer: Option<(u64, u64)>,
    accept: Option<u64>,
    failure: Option<u64>,
    attempts: u64,
    success: Option<bool>,
}

impl Auth {
    /// Lengths say nothing, or something again.
    pub(super) fn set_off(&mut self, off: bool) {
        self.off |= off;
    }

    /// The client said something encrypted.
    pub(super) fn asked(&mut self) {
        self.asked = true;
        self.end();
    }

    /// The server said so many encrypted bytes.
    pub(super) fn answered(&mut self, length: u64) {
        if self.asked {
            let (whole, _) = self.answer.get_or_insert((0, length));
            *whole += length;
        }
    }

    /// The answer is over.
    pub(super) fn end(&mut self) {
        let Some((whole, first)) = self.answer.take() else {
            return;
        };
        if self.off || self.success == Some(true) {
            return;
        }
        let Some(accept) = self.accept else {
            self.accept = Some(whole);
            return;
        };
        let is_success = |length: u64| length + SHORTER == accept;
        // A server may go on right after SUCCESS, with its other host keys say.
        if is_success(whole) || self.failure.is_some_and(|failure| failure != whole) && is_success(first) {
            self.attempts += 1;
            self.success = Some(true);
        } else if self.failure == Some(whole) {
            self.attempts += 1;
            self.success = Some(false);
        } else if self.failure.is_none() {
            self.failure = Some(whole);
        }
    }

    pub(super) fn attempts(&self) -> u64 {
        self.attempts
    }

    pub(super) fn success(&self) -> Option<bool> {
        self.success
    }
}
