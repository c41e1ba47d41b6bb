//! FTP's data connection: named, and what its first bytes are is told to the command that it serves.

use std::sync::{Arc, Mutex, PoisonError};

use crate::proto::{Context, Dir, Next, Parser, mime};

/// The first bytes of a transfer, shared by its own connection and the one that announced it.
#[derive(Debug, Clone, Default)]
pub(super) struct Beginning(Arc<Mutex<Vec<u8>>>);

impl Beginning {
    /// What came so far is, by its first bytes.
    pub(super) fn mime_type(&self) -> Option<&'static str> {
        mime::sniff(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, bytes: &[u8]) {
        let mut head = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = mime::HEAD.saturating_sub(head.len());
        head.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// One data connection. It is followed to its end: what was missed of a file counts.
#[derive(Debug)]
pub(super) struct Transfer {
    beginning: Beginning,
    /// Bytes were missed: what comes now is not the beginning.
    is_past: bool,
}

impl Transfer {
    pub(super) fn new(beginning: Beginning) -> Self {
        Self {
            beginning,
            is_past: false,
        }
    }
}

impl Parser for Transfer {
    fn name(&self) -> &'static str {
        "ftp-data"
    }

    fn data(&mut self, _: &mut Context<'_>, _: Dir, bytes: &[u8]) -> Next {
        if !self.is_past {
            self.beginning.take(bytes);
        }
        Next::More
    }

    fn gap(&mut self, _: &mut Context<'_>, _: Dir, _: u64) -> Next {
        self.is_past = true;
        Next::More
    }

    fn finish(&mut self, _: &mut Context<'_>) {}
}
