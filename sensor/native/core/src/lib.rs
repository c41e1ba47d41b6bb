//! Vigla's core: bytes go in, events and alerts come out.
//!
//! Only [`capture`] and the receivers of [`log`] touch the world; everything between them and the alert is a function of
//! bytes and event time. The crate knows nothing of Python.

pub mod behaviour;
pub mod capture;
pub mod correlate;
pub mod event;
pub mod flow;
pub mod json;
pub mod jsonl;
pub mod log;
pub mod packet;
pub mod pipeline;
pub mod proto;
pub mod sigma;
pub mod stats;
pub mod stream;
pub mod strict;
