//! The Sigma engine: a compiled pack, matched against events.
