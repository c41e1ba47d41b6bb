//! Why a pack was refused.

use std::fmt;

/// A pack is refused whole: which member, why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackError {
    /// The member at fault; empty when it is the pack itself.
    pub member: String,
    /// What is wrong with it, in one clause.
    pub reason: String,
}

impl PackError {
    pub(crate) fn new(member: &str, reason: impl Into<String>) -> Self {
        Self {
            member: member.to_owned(),
            reason: reason.into(),
        }
    }

    /// A fault inside `rules.json`.
    pub(crate) fn rules(reason: impl Into<String>) -> Self {
        Self::new(super::pack::RULES, reason)
    }
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pack refused: ")?;
        if !self.member.is_empty() {
            write!(f, "{}: ", self.member)?;
        }
        write!(
            f,
            "{}; compile it again with vigla-rules of this sensor's version, or fetch it again",
            self.reason
        )
    }
}

impl std::error::Error for PackError {}
