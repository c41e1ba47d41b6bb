//! Three answers: true, false and missing. Missing is folded into false in one place, [`Verdict::holds`].

use super::predicate::Test;

/// The answer of a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    True,
    /// The field is there and it does not hold.
    False,
    /// A field that it reads is absent.
    Missing,
}

impl Verdict {
    /// What a condition makes of the answer: a missing field meets nothing, so its negation holds.
    pub fn holds(self) -> bool {
        self == Self::True
    }

    /// The answer of a test whose field is absent.
    pub fn absent(test: &Test) -> Self {
        match test {
            Test::Null => Self::True,
            Test::Exists(wanted) => (!wanted).into(),
            _ => Self::Missing,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Missing => "missing",
        }
    }
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}
