//! Log lines to events, as source definitions (data of the pack) say. No device is known to this code.
//!
//! The way of a line: [`frame`] finds its end, [`text`] decodes it, [`syslog`] takes off its header, [`identify`] finds whose it
//! is, [`parse`] reads its fields, [`map`] makes an event of them; [`lines`] walks the whole way and keeps the accounts.
//! [`tail`] is the only part that touches the world.

pub mod account;
pub mod definition;
pub mod derive;
pub mod documents;
pub mod evtx;
pub mod frame;
pub mod identify;
pub mod lines;
pub mod map;
pub mod mend;
pub mod ordinal;
pub mod parse;
pub mod record;
pub mod source;
pub mod syslog;
pub mod tail;
pub mod text;
pub mod time;
pub mod unicode;
