//! Definitions of log sources as a pack carries them: refused, or good for lines.

use std::sync::Arc;

use vigla_core::log::definition;

use super::logs;

/// `data` is `sources.json`, a NUL, and lines.
pub fn run(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    if let Ok(sources) = definition::read(&data[..end]) {
        logs::events(&Arc::new(sources), &[&data[end..]]);
    }
}
