//! Correlations over hits (design: sigma.md 1.5 and 5).

mod bench;
mod counting;
mod durable;
mod extended;
mod memory;
#[path = "../packs/mod.rs"]
mod packs;
mod properties;
mod values;
