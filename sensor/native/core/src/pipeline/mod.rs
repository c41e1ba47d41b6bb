//! The one way through the core: inputs to events to hits to alerts.
//!
//! [`input`] makes events of files, told apart by content; [`merge`] puts several inputs in one order; [`core`] takes events to
//! hits. [`replay`] and [`events`] walk that way offline, [`live`] follows growing files in a thread of its own.

pub mod checkpoint;
pub mod core;
pub mod events;
pub mod explain;
mod fault;
pub mod input;
pub mod live;
pub mod merge;
pub mod overlay;
mod queue;
pub mod replay;
pub mod settings;
mod thresholds;

pub use fault::Fault;
