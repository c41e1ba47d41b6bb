//! Correlations: hits of rules, counted over time.

pub mod definition;
