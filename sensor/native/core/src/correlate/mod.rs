//! Correlations: hits of rules, counted over event time per group key, with bounded state (sigma.md 1.5 and 5).
//!
//! One [`Correlator`] owns all state, after the fan-in: every hit of every worker and input goes through it, also those whose
//! rule raises no alert. [`Correlator::advance`] tells it the time, [`Correlator::snapshot`] is its part of a checkpoint.

mod correlator;
mod counts;
pub mod definition;
mod entry;
mod expression;
mod firing;
mod fixed;
mod forward;
mod numbers;
mod order;
mod rising;
mod settled;
mod sketch;
mod snapshot;
mod store;
mod window;

pub use correlator::{Correlator, Settings};
pub use counts::Counts;
pub use order::Ordered;
pub use snapshot::RestoreError;
