//! A pack's bytes: refused whole, or loaded whole.

use std::sync::Arc;

use vigla_core::sigma::Pack;

use super::ruleset;

/// Loads `data`; a pack that loads meets the events of all.
pub fn run(data: &[u8]) {
    if let Ok(pack) = Pack::load(data) {
        ruleset::agree(&Arc::new(pack), &ruleset::EVENTS);
    }
}
