//! Parsers of message texts, by kind. A parser knows a syntax and no device; it answers whether the line is of its syntax, and
//! linear in the line.

mod combined;
mod csv;
mod json;
mod kv;
mod pattern;

pub use self::csv::{Csv, Variant};
pub use kv::Kv;
pub use pattern::{Pattern, Template};

use super::record::Record;

/// The parser of a source definition.
#[derive(Debug, Clone)]
pub enum Parser {
    /// `key=value` pairs.
    Kv(Kv),
    /// Comma-separated columns.
    Csv(Csv),
    /// The combined log format of web servers.
    Combined,
    /// A JSON object, flattened with dots.
    Json,
    /// Templates with captures.
    Pattern(Pattern),
}

impl Parser {
    /// Reads the fields of `message` into `record`; false when it is not of this syntax.
    pub fn parse<'l>(&self, message: &'l str, record: &mut Record<'_, 'l>) -> bool {
        match self {
            Self::Kv(kv) => kv.parse(message, record),
            Self::Csv(csv) => csv.parse(message, record),
            Self::Combined => combined::parse(message, record),
            Self::Json => json::parse(message, record),
            Self::Pattern(pattern) => pattern.parse(message, record),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::event::OwnedValue;
    use crate::log::record::Names;

    /// What `parser` makes of `message`: names and texts.
    pub(crate) fn fields(parser: &Parser, message: &str) -> Option<Vec<(String, String)>> {
        let mut names = Names::default();
        let mut record = Record::new(&mut names);
        parser.parse(message, &mut record).then(|| {
            record
                .into_values()
                .into_iter()
                .map(|(name, value)| (name.to_string(), shown(value)))
                .collect()
        })
    }

    fn shown(value: OwnedValue) -> String {
        match value {
            OwnedValue::Str(text) => text,
            other => format!("{other:?}"),
        }
    }

    #[allow(clippy::unnecessary_wraps)] // as `fields` answers
    pub(crate) fn pairs(of: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(
            of.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }
}
