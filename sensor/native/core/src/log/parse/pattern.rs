//! Templates such as `user '{username:word}' could not authenticate`: literals and captures, no regular expressions. Read from
//! the start of the message to its end without going back, so linear in the line.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::log::record::Record;

/// The field that says which template held.
pub const TEMPLATE: &str = "template";
/// Shortest literal that a template must have: without one it would claim anything.
const MIN_LITERAL: usize = 4;
/// Longest text of an address: `::ffff:` and four octets in IPv6 spelling.
const MAX_ADDRESS: usize = 45;

/// Named templates, tried in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(pub Vec<(String, Template)>);

/// A compiled template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Capture { name: String, kind: Kind },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An address, in brackets or not.
    Ip,
    /// 0-65535.
    Port,
    /// Decimal digits, a sign before them.
    Int,
    /// No blanks; ends before the next literal's first character.
    Word,
    /// Between `"` or `'`.
    Quoted,
    /// Up to the next literal.
    Until,
    /// Everything.
    Rest,
}

impl Template {
    /// Compiles `text`; `{{` is a brace, `{_:kind}` is read and left out.
    ///
    /// # Errors
    /// What is wrong with the template, in words for its author.
    pub fn compile(text: &str) -> Result<Self, String> {
        let refuse = |what: String| Err(format!("template '{text}': {what}"));
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("{{") {
                literal.push('{');
                rest = after;
            } else if letter == '{' {
                let Some((capture, after)) = rest[1..].split_once('}') else {
                    return refuse("a brace is not closed; write '{{' for a brace".into());
                };
                let Some((name, kind)) = capture.split_once(':') else {
                    return refuse(format!("'{{{capture}}}' has no kind; write {{name:kind}}"));
                };
                let kind = match kind {
                    "ip" => Kind::Ip,
                    "port" => Kind::Port,
                    "int" => Kind::Int,
                    "word" => Kind::Word,
                    "quoted" => Kind::Quoted,
                    "until" => Kind::Until,
                    "rest" => Kind::Rest,
                    other => {
                        let known = ["ip", "port", "int", "word", "quoted", "until", "rest"];
                        return refuse(crate::strict::refusal("capture", "kind", other, &known));
                    }
                };
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Capture {
                    name: name.to_owned(),
                    kind,
                });
                rest = after;
            } else {
                literal.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        if !pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Literal(text) if text.len() >= MIN_LITERAL))
        {
            return refuse(format!("no literal of {MIN_LITERAL} bytes or more"));
        }
        for pair in pieces.windows(2) {
            match pair {
                [Piece::Capture { kind: Kind::Rest, .. }, _] => return refuse("'rest' must stand last".into()),
                [Piece::Capture { kind: Kind::Until, .. }, Piece::Capture { .. }] => {
                    return refuse("'until' needs a literal after it".into());
                }
                _ => {}
            }
        }
        if matches!(pieces.last(), Some(Piece::Capture { kind: Kind::Until, .. })) {
            return refuse("'until' needs a literal after it; use 'rest' at the end".into());
        }
        Ok(Self(pieces))
    }

    fn read<'l>(&self, message: &'l str, mut each: impl FnMut(&str, &'l str)) -> bool {
        let mut rest = message;
        for (index, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Literal(text) => match rest.strip_prefix(text.as_str()) {
                    Some(after) => rest = after,
                    None => return false,
                },
                Piece::Capture { name, kind } => {
                    let next = match self.0.get(index + 1) {
                        Some(Piece::Literal(text)) => Some(text.as_str()),
                        _ => None,
                    };
                    let Some((value, after)) = kind.read(rest, next) else {
                        return false;
                    };
                    if name != "_" {
                        each(name, value);
                    }
                    rest = after;
                }
            }
        }
        rest.is_empty()
    }
}

impl Kind {
    fn read<'l>(self, text: &'l str, next: Option<&str>) -> Option<(&'l str, &'l str)> {
        let run = |holds: fn(u8) -> bool| {
            let end = text.bytes().position(|b| !holds(b)).unwrap_or(text.len());
            text.split_at(end)
        };
        match self {
            Self::Ip => {
                if let Some(inner) = text.strip_prefix('[') {
                    let (address, after) = inner.split_once(']')?;
                    return address.parse::<IpAddr>().ok().map(|_| (address, after));
                }
                let (mut address, mut after) = run(|b| b.is_ascii_hexdigit() || b == b'.' || b == b':');
                if address.len() > 2 * MAX_ADDRESS {
                    return None;
                }
                // A colon or dot after the address, and a port, belong to the sentence.
                while address.parse::<IpAddr>().is_err() {
                    (address, after) = text.split_at(address.rfind([':', '.'])?);
                }
                Some((address, after))
            }
            Self::Port => {
                let (digits, after) = run(|b| b.is_ascii_digit());
                digits.parse::<u16>().ok().map(|_| (digits, after))
            }
            Self::Int => {
                let sign = usize::from(text.starts_with(['-', '+']));
                let end = text[sign..]
                    .bytes()
                    .position(|b| !b.is_ascii_digit())
                    .map_or(text.len(), |end| sign + end);
                text[..end].parse::<i64>().ok().map(|_| text.split_at(end))
            }
            Self::Word => {
                let stop = next.and_then(|literal| literal.chars().next());
                let end = text
                    .find(|c: char| c.is_whitespace() || Some(c) == stop)
                    .unwrap_or(text.len());
                (end > 0).then(|| text.split_at(end))
            }
            Self::Quoted => {
                let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
                text[1..].split_once(quote)
            }
            Self::Until => {
                let end = memchr::memmem::find(text.as_bytes(), next?.as_bytes())?;
                Some(text.split_at(end))
            }
            Self::Rest => Some((text, "")),
        }
    }
}

impl Pattern {
    /// Reads the captures of the first template that holds, and its name as `template`.
    pub fn parse<'l>(&self, message: &'l str, record: &mut Record<'_, 'l>) -> bool {
        let Some((name, template)) = self.0.iter().find(|(_, template)| template.read(message, |_, _| {})) else {
            return false;
        };
        record.put(TEMPLATE, Cow::Owned(name.clone()));
        template.read(message, |name, value| record.put(name, Cow::Borrowed(value)))
    }
}

#[cfg(test)]
mod tests {
    use crate::log::parse::Parser;
    use crate::log::parse::tests::{fields, pairs};

    use super::*;

    fn parser(templates: &[(&str, &str)]) -> Parser {
        Parser::Pattern(Pattern(
            templates
                .iter()
                .map(|(name, text)| ((*name).to_owned(), Template::compile(text).unwrap()))
                .collect(),
        ))
    }

    #[test]
    fn captures_of_every_kind() {
        let parser = parser(&[
            ("refused", "user '{user:word}' could not authenticate{_:rest}"),
            (
                "login",
                "login {how:until} for {who:quoted} from {ip:ip}:{port:port}, try {n:int} ({why:until})",
            ),
        ]);
        assert_eq!(
            fields(&parser, "user 'maria' could not authenticate."),
            pairs(&[("template", "refused"), ("user", "maria")])
        );
        assert_eq!(
            fields(
                &parser,
                "login failed again for \"Ά Β\" from 203.0.113.9:443, try -2 (bad)"
            ),
            pairs(&[
                ("template", "login"),
                ("how", "failed again"),
                ("who", "Ά Β"),
                ("ip", "203.0.113.9"),
                ("port", "443"),
                ("n", "-2"),
                ("why", "bad"),
            ])
        );
        for line in [
            "user '' could not authenticate",
            "login x for \"a\" from 203.0.113.999:1, try 1 (x)",
            "x user 'a'",
            "",
        ] {
            assert_eq!(fields(&parser, line), None, "{line}");
        }
    }

    #[test]
    fn addresses_end_where_the_sentence_goes_on() {
        let parser = parser(&[("a", "from {ip:ip}{rest:rest}")]);
        for (line, ip) in [
            ("from 203.0.113.9: x", "203.0.113.9"),
            ("from 203.0.113.9.", "203.0.113.9"),
            ("from 2001:db8::1: x", "2001:db8::1"),
            ("from [2001:db8::1]:55", "2001:db8::1"),
        ] {
            assert_eq!(fields(&parser, line).unwrap()[1].1, ip, "{line}");
        }
    }

    #[test]
    fn templates_that_would_claim_anything_or_go_back_are_refused() {
        for (text, why) in [
            ("{a:rest}", "no literal"),
            ("abc{a:word}", "no literal"),
            ("{a:rest} from there", "must stand last"),
            ("from {a:until}{b:word}", "needs a literal"),
            ("from {a:until}", "use 'rest'"),
            ("from {a:wrod}", "did you mean 'word'"),
            ("from {a}", "no kind"),
            ("from {a:word", "not closed"),
        ] {
            let error = Template::compile(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
