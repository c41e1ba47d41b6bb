//! Numbers as rules compare them: whole numbers exactly, all others as doubles.

use std::cmp::Ordering;

use crate::event::Value;

/// A number of a rule or an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Whole(i128),
    /// A decimal number.
    Decimal(f64),
}

impl Number {
    /// Reads text that is wholly one decimal number: a sign, digits, a fraction. No blanks, no exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !fraction.is_none_or(all_digits) {
            return None;
        }
        match (fraction, text.parse::<i128>()) {
            (None, Ok(whole)) => Some(Self::Whole(whole)),
            _ => text.parse().ok().map(Self::decimal),
        }
    }

    /// A double; one without a fraction is a whole number, so that equal numbers are of one kind.
    pub fn decimal(f: f64) -> Self {
        if f.fract() == 0.0 && f.abs() < 1e38 {
            Self::Whole(f as i128)
        } else {
            Self::Decimal(f)
        }
    }

    /// The number that a value is; text, booleans and null are none.
    pub fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Int(i) => Some(Self::Whole(i.into())),
            Value::Uint(u) => Some(Self::Whole(u.into())),
            Value::Float(f) => Some(Self::decimal(f)),
            Value::Number(text) => match text.parse() {
                Ok(whole) => Some(Self::Whole(whole)), // beyond 64 bits
                Err(_) => text.parse().ok().filter(|f: &f64| f.is_finite()).map(Self::decimal),
            },
            Value::Time(t) => Some(Self::decimal(t.0 as f64 / 1e9)),
            Value::Interval(ns) => Some(Self::decimal(ns as f64 / 1e9)),
            _ => None,
        }
    }

    /// As a double.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Whole(i) => i as f64,
            Self::Decimal(f) => f,
        }
    }

    /// Numeric order; `None` only where not-a-number is involved.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (a, b) => a.as_f64().partial_cmp(&b.as_f64()),
        }
    }
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
}

impl Comparison {
    /// Sigma's word for it.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "neq" => Self::Neq,
            "lt" => Self::Lt,
            "lte" => Self::Lte,
            "gt" => Self::Gt,
            "gte" => Self::Gte,
            _ => return None,
        })
    }

    /// Whether `left OP right`, given their order; false where they have none.
    pub fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Eq => order == Some(Ordering::Equal),
            Self::Neq => matches!(order, Some(Ordering::Less | Ordering::Greater)),
            Self::Lt => order == Some(Ordering::Less),
            Self::Lte => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Gt => order == Some(Ordering::Greater),
            Self::Gte => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_text_is_a_number() {
        for text in ["", "-", ".5", "5.", "1e3", " 1", "1 ", "0x10", "1,5", "inf", "NaN", "٣"] {
            assert_eq!(Number::parse(text), None, "{text:?}");
        }
        assert_eq!(Number::parse("+04"), Some(Number::Whole(4)));
        assert_eq!(Number::parse("-1.50"), Some(Number::Decimal(-1.5)));
    }

    #[test]
    fn large_whole_numbers_stay_exact() {
        let (a, b) = (
            Number::Whole(9_007_199_254_740_993),
            Number::Whole(9_007_199_254_740_992),
        );
        assert_eq!(a.compare(b), Some(Ordering::Greater));
        assert!(!Comparison::Eq.holds(Number::Decimal(f64::NAN).compare(a)));
        assert!(!Comparison::Neq.holds(Number::Decimal(f64::NAN).compare(a)));
    }
}
