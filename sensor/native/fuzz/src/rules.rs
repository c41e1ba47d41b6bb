//! Rules as a compiler writes them, and as none would: what loads must give the same by index and by full scan.

use std::sync::Arc;

use vigla_core::sigma::Pack;

use super::{packs, ruleset};

/// `data` is `rules.json`, a NUL, and events line by line.
pub fn run(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let Ok(rules) = serde_json::from_slice(&data[..end]) else {
        return;
    };
    let Ok(pack) = Pack::load(&packs::zip(&packs::members(&rules, &["l"]))) else {
        return;
    };
    let own: Vec<&[u8]> = data[end..].split(|byte| matches!(byte, 0 | b'\n')).collect();
    let pack = Arc::new(pack);
    ruleset::agree(&pack, &own);
    ruleset::agree(&pack, &ruleset::EVENTS);
}
