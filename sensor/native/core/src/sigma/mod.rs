//! The Sigma engine: a compiled pack, matched against events.
//!
//! `Pack::load(bytes)` verifies a pack; [`Engine::new`] resolves its value lists; [`Engine::event`] gives the hits of one
//! event. [`plain`] is the same without index and memory, for tests and [`explain`].

mod admission;
pub mod alias;
mod class;
pub mod cost;
mod edges;
mod engine;
mod error;
mod evidence;
pub mod explain;
mod facts;
mod filter;
pub mod folding;
mod folding_table;
mod gates;
mod grams;
mod hit;
mod id_set;
mod identity;
mod index;
mod lists;
mod literal;
pub mod match_lines;
pub mod model;
mod moment;
pub mod network;
mod networks;
mod number;
pub mod pack;
pub mod plain;
mod plan;
mod predicate;
mod program;
pub(crate) mod value;
mod verdict;
mod wildcard;

pub use engine::{Counts, Engine, Settings};
pub use error::PackError;
pub use hit::{Correlated, EventId, Hit, HitKind, Matched};
pub use lists::Lists;
pub use pack::Pack;
pub use program::{Program, RuleId};

pub use crate::jsonl;
pub(crate) use identity::digest;
pub(crate) use moment::timestamp;
pub(crate) use number::Comparison;
pub(crate) use program::Rule;
