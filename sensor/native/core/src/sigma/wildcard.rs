//! Wildcard patterns over the whole value: `*` any run, `?` exactly one character, both across newlines.

use std::fmt;

use super::error::PackError;
use super::folding::fold;
use super::model::Part;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    One,
}

/// A compiled pattern. Between two `*` stands a run of literals and `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wildcard {
    runs: Vec<Vec<Piece>>,
}

impl Wildcard {
    /// Compiles the pattern of a pack; literals are folded unless case counts.
    ///
    /// # Errors
    /// A wildcard other than `*` and `?`.
    pub fn new(parts: &[Part], cased: bool) -> Result<Self, PackError> {
        let mut runs = vec![Vec::new()];
        for part in parts {
            let run = runs.last_mut().unwrap_or_else(|| unreachable!("runs starts with one"));
            match part {
                Part::Text(text) if text.is_empty() => {}
                Part::Text(text) => run.push(Piece::Text(if cased {
                    text.as_str().into()
                } else {
                    fold(text).into()
                })),
                Part::Any { any } if any == "?" => run.push(Piece::One),
                Part::Any { any } if any == "*" => runs.push(Vec::new()),
                Part::Any { any } => return Err(PackError::rules(format!("{any:?} is no wildcard"))),
            }
        }
        Ok(Self { runs })
    }

    /// The literals that every match holds, longest last.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.runs.iter().flatten().filter_map(|piece| match piece {
            Piece::Text(text) => Some(&**text),
            Piece::One => None,
        })
    }

    /// Whether the whole of `text` (folded unless case counts) matches.
    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.runs.as_slice() else {
            return self.runs.first().is_some_and(|only| after(only, text) == Some(""));
        };
        let Some(mut rest) = after(first, text) else {
            return false;
        };
        for run in middle {
            // The earliest place is always as good as a later one: `*` follows.
            match find(run, rest) {
                Some(next) => rest = next,
                None => return false,
            }
        }
        ends_with(last, rest)
    }
}

impl fmt::Display for Wildcard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, run) in self.runs.iter().enumerate() {
            if index > 0 {
                f.write_str("*")?;
            }
            for piece in run {
                f.write_str(match piece {
                    Piece::Text(text) => text,
                    Piece::One => "?",
                })?;
            }
        }
        Ok(())
    }
}

/// What follows `run` where `text` begins with it.
fn after<'t>(run: &[Piece], mut text: &'t str) -> Option<&'t str> {
    for piece in run {
        text = match piece {
            Piece::Text(literal) => text.strip_prefix(&**literal)?,
            Piece::One => {
                let mut chars = text.chars();
                chars.next()?;
                chars.as_str()
            }
        };
    }
    Some(text)
}

/// What follows the first occurrence of `run` in `text`.
fn find<'t>(run: &[Piece], text: &'t str) -> Option<&'t str> {
    match run {
        [] => Some(text),
        [Piece::Text(literal), rest @ ..] => {
            let mut from = 0;
            while let Some(at) = memchr::memmem::find(&text.as_bytes()[from..], literal.as_bytes()) {
                let start = from + at;
                if let Some(left) = after(rest, &text[start + literal.len()..]) {
                    return Some(left);
                }
                from = start + literal.chars().next().map_or(1, char::len_utf8);
            }
            None
        }
        [Piece::One, ..] => text.char_indices().find_map(|(at, _)| after(run, &text[at..])),
    }
}

fn ends_with(run: &[Piece], mut text: &str) -> bool {
    for piece in run.iter().rev() {
        let shorter = match piece {
            Piece::Text(literal) => text.strip_suffix(&**literal),
            Piece::One => text.char_indices().next_back().map(|(at, _)| &text[..at]),
        };
        match shorter {
            Some(shorter) => text = shorter,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Wildcard {
        let parts: Vec<Part> = text
            .chars()
            .map(|c| match c {
                '*' | '?' => Part::Any { any: c.to_string() },
                c => Part::Text(c.to_string()),
            })
            .collect();
        Wildcard::new(&parts, false).unwrap()
    }

    /// The definition, by backtracking.
    fn obvious(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['*', rest @ ..] => (0..=text.len()).any(|n| obvious(rest, &text[n..])),
            ['?', rest @ ..] => !text.is_empty() && obvious(rest, &text[1..]),
            [c, rest @ ..] => text.first() == Some(c) && obvious(rest, &text[1..]),
        }
    }

    #[test]
    fn wildcards_cross_newlines_and_count_characters() {
        assert!(pattern("a*b").matches("a\n\nb"));
        assert!(pattern("a?b").matches("a\nb"));
        assert!(pattern("?").matches("Σ"));
        assert!(!pattern("?").matches("ab"));
        assert!(pattern("*1?").matches("port 12"));
        assert!(!pattern("*1?").matches("port 1"));
        assert!(pattern("*").matches(""));
        assert!(!pattern("").matches("x"));
    }

    proptest::proptest! {
        #[test]
        fn equal_to_the_definition(p in "[ab*?σ]{0,8}", t in "[abσ\n]{0,10}") {
            let (pc, tc): (Vec<char>, Vec<char>) = (p.chars().collect(), t.chars().collect());
            proptest::prop_assert_eq!(pattern(&p).matches(&t), obvious(&pc, &tc));
        }
    }
}
