//! Comma-separated columns; which columns follow may depend on the value of an earlier one.

use std::borrow::Cow;

use crate::log::record::Record;

/// A column-separated syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv {
    /// Between columns.
    pub separator: u8,
    /// Around values that hold the separator; doubled inside.
    pub quote: Option<u8>,
    /// The first columns; an empty name is passed over.
    pub columns: Vec<String>,
    /// What follows them, one after the other.
    pub variants: Vec<Variant>,
}

/// Columns chosen by the value of an earlier column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The column.
    pub by: String,
    /// Its value and the columns that follow then; another value has none.
    pub columns: Vec<(String, Vec<String>)>,
}

impl Csv {
    /// Reads the columns. Empty ones are absent; false when the line ends before the first columns do.
    pub fn parse<'l>(&self, message: &'l str, record: &mut Record<'_, 'l>) -> bool {
        let mut cells = Cells {
            csv: self,
            rest: Some(message),
        };
        let mut chosen: Vec<(&str, Cow<'l, str>)> = Vec::with_capacity(self.variants.len());
        for name in &self.columns {
            let Some(cell) = cells.next() else { return false };
            self.take(name, cell, record, &mut chosen);
        }
        for variant in &self.variants {
            let value = chosen
                .iter()
                .find(|(by, _)| *by == variant.by)
                .map_or("", |(_, value)| value.as_ref());
            let Some((_, columns)) = variant.columns.iter().find(|(wanted, _)| wanted == value) else {
                break;
            };
            for name in columns {
                let Some(cell) = cells.next() else { return true };
                self.take(name, cell, record, &mut chosen);
            }
        }
        true
    }

    fn take<'s, 'l>(
        &'s self,
        name: &'s str,
        cell: Cow<'l, str>,
        record: &mut Record<'_, 'l>,
        chosen: &mut Vec<(&'s str, Cow<'l, str>)>,
    ) {
        if self.variants.iter().any(|variant| variant.by == name) {
            chosen.push((name, cell.clone()));
        }
        if !name.is_empty() && !cell.is_empty() {
            record.put(name, cell);
        }
    }
}

struct Cells<'c, 'l> {
    csv: &'c Csv,
    rest: Option<&'l str>,
}

impl<'l> Iterator for Cells<'_, 'l> {
    type Item = Cow<'l, str>;

    fn next(&mut self) -> Option<Cow<'l, str>> {
        let rest = self.rest?;
        let separator = char::from(self.csv.separator);
        if let Some(quote) = self.csv.quote.map(char::from)
            && let Some(inner) = rest.strip_prefix(quote)
        {
            let mut value = String::new();
            let mut inner = inner;
            loop {
                let Some((text, after)) = inner.split_once(quote) else {
                    value.push_str(inner);
                    self.rest = None;
                    return Some(Cow::Owned(value));
                };
                value.push_str(text);
                if let Some(after) = after.strip_prefix(quote) {
                    value.push(quote);
                    inner = after;
                } else {
                    self.rest = after.split_once(separator).map(|(_, rest)| rest);
                    return Some(Cow::Owned(value));
                }
            }
        }
        if let Some((cell, after)) = rest.split_once(separator) {
            self.rest = Some(after);
            Some(Cow::Borrowed(cell))
        } else {
            self.rest = None;
            Some(Cow::Borrowed(rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::log::parse::Parser;
    use crate::log::parse::tests::{fields, pairs};

    use super::*;

    fn texts(of: &[&str]) -> Vec<String> {
        of.iter().map(|text| (*text).to_owned()).collect()
    }

    fn filter() -> Parser {
        Parser::Csv(Csv {
            separator: b',',
            quote: Some(b'"'),
            columns: texts(&["rule", "", "action", "version"]),
            variants: vec![
                Variant {
                    by: "version".into(),
                    columns: vec![
                        ("4".into(), texts(&["ttl", "proto", "src"])),
                        ("6".into(), texts(&["proto", "src"])),
                    ],
                },
                Variant {
                    by: "proto".into(),
                    columns: vec![("udp".into(), texts(&["sport", "dport"]))],
                },
            ],
        })
    }

    #[test]
    fn columns_follow_an_earlier_columns_value() {
        assert_eq!(
            fields(&filter(), "5,x,block,4,64,udp,203.0.113.9,5353,53,more"),
            pairs(&[
                ("rule", "5"),
                ("action", "block"),
                ("version", "4"),
                ("ttl", "64"),
                ("proto", "udp"),
                ("src", "203.0.113.9"),
                ("sport", "5353"),
                ("dport", "53"),
            ])
        );
        assert_eq!(
            fields(&filter(), "5,,pass,6,tcp,2001:db8::1,1,2"),
            pairs(&[
                ("rule", "5"),
                ("action", "pass"),
                ("version", "6"),
                ("proto", "tcp"),
                ("src", "2001:db8::1")
            ])
        );
    }

    #[test]
    fn quotes_and_short_lines() {
        assert_eq!(
            fields(&filter(), "\"a,\"\"b\"\"\",,x,9"),
            pairs(&[("rule", "a,\"b\""), ("action", "x"), ("version", "9")])
        );
        assert_eq!(fields(&filter(), "5,x"), None);
        assert_eq!(
            fields(&filter(), "5,x,y,\"4"),
            pairs(&[("rule", "5"), ("action", "y"), ("version", "4")])
        );
    }
}
