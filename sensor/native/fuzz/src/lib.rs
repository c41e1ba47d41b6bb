//! What is fuzzed: each module is a target, a function over any bytes that must come back. docs/fuzzing.md says how they are
//! run; `core/tests/fuzz_seeds.rs` runs them over the seeds with every `cargo test`.
#![allow(clippy::missing_panics_doc)] // a panic is a finding

pub mod capture;
pub mod events;
pub mod evtx;
pub mod frames;
pub mod logs;
pub mod pack;
pub mod patterns;
pub mod rules;
pub mod sources;
pub mod streams;

#[path = "../../core/tests/packs/mod.rs"]
mod packs;
#[allow(dead_code)] // the tests of traffic use the rest
#[path = "../../core/tests/support/mod.rs"]
mod support;

mod pieces;
mod ruleset;

/// A target.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Target); 10] = [
    ("capture", capture::run),
    ("events", events::run),
    ("evtx", evtx::run),
    ("frames", frames::run),
    ("logs", logs::run),
    ("pack", pack::run),
    ("patterns", patterns::run),
    ("rules", rules::run),
    ("sources", sources::run),
    ("streams", streams::run),
];
