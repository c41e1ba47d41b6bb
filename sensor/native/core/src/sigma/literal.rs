//! Witnesses: folded literals of which one must occur in any event that a rule matches (sigma.md 4.3).
//!
//! Only what a match requires is a witness: nothing below NOT, no absence, no comparison. A superset is found, never a part.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

use super::folding::{fold, fold_char};
use super::model::Node;
use super::networks::NetworkId;
use super::number::Number;
use super::predicate::{FieldId, How, Predicate, Test};
use super::program::{NodeId, Program};

/// Shorter substrings occur everywhere; shorter exact values are fine.
const MIN_SUBSTRING: usize = 3;

/// Where in a text a needle must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum At {
    /// It is the whole text.
    Whole,
    /// It begins it.
    Start,
    /// It ends it.
    End,
    /// Anywhere.
    Inside,
    /// It is an address of this network, which the needle's text is too.
    Network(NetworkId),
}

/// One needle: a folded literal of a field, or of any value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Needle {
    /// The field; `None` is any value of the event.
    pub field: Option<FieldId>,
    /// Where it must stand.
    pub at: At,
    /// The folded literal.
    pub text: Box<str>,
}

/// Needles of which one must occur, and how often they are expected to.
#[derive(Debug, Clone)]
pub struct Witness {
    /// The needles.
    pub needles: Vec<Needle>,
    /// Expected share of events that hold one of them, by length alone.
    pub share: f64,
}

impl Witness {
    fn new(needles: Vec<Needle>) -> Self {
        let share = needles.iter().map(share).sum();
        Self { needles, share }
    }
}

/// How often a needle is expected, by its length: what is short or a number is common, and the whole text is rarer than a part.
fn share(needle: &Needle) -> f64 {
    let length = needle.text.chars().take(24).fold(0, |length, _| length + 1);
    let everywhere = if needle.field.is_none() { 8.0 } else { 1.0 };
    let of = match needle.at {
        At::Whole => 0.5_f64.powi(length),
        At::Start | At::End => 0.8 * 0.6_f64.powi(length),
        At::Inside => 0.6_f64.powi(length),
        // Private networks are what a town's events are full of.
        At::Network(_) => {
            let prefix = needle.text.rsplit('/').next().and_then(|prefix| prefix.parse().ok());
            0.9_f64.powi(prefix.unwrap_or(0_i32).min(32))
        }
    };
    everywhere * of
}

/// The most selective witness of a condition; `None` where a match requires no literal.
pub fn witness(program: &Program, node: NodeId) -> Option<Witness> {
    match &program.nodes[node as usize] {
        Node::Predicate(index) => of_predicate(&program.predicates[*index as usize]),
        Node::And(children) => children
            .iter()
            .filter_map(|child| witness(program, *child))
            .min_by(|a, b| a.share.total_cmp(&b.share)),
        Node::Or(children) => {
            let mut needles = Vec::new();
            for child in children {
                needles.extend(witness(program, *child)?.needles);
            }
            needles.sort_unstable();
            needles.dedup();
            (!needles.is_empty()).then(|| Witness::new(needles))
        }
        Node::Not(_) => None,
    }
}

fn of_predicate(predicate: &Predicate) -> Option<Witness> {
    let needle = |at: At, text: String| Needle {
        field: predicate.field,
        at,
        text: text.into(),
    };
    let inside = |text: &str| {
        let text = fold(text);
        (text.len() >= MIN_SUBSTRING).then(|| vec![needle(At::Inside, text)])
    };
    let needles = match &predicate.test {
        Test::Literal { how, literal, .. } => {
            let at = match how {
                How::Eq => At::Whole,
                How::StartsWith => At::Start,
                How::EndsWith => At::End,
                How::Contains => At::Inside,
            };
            let text = fold(literal);
            if at != At::Whole && text.len() < MIN_SUBSTRING {
                return None;
            }
            vec![needle(at, text)]
        }
        Test::Wildcard { pattern, .. } => inside(pattern.literals().max_by_key(|literal| literal.len())?)?,
        Test::Number { number, text } => {
            vec![needle(At::Whole, fold(text)), needle(At::Whole, canonical(*number))]
        }
        Test::Bool(wanted) => vec![needle(At::Whole, wanted.to_string())],
        Test::Empty => vec![needle(At::Whole, String::new())],
        Test::Cidr { network, id } => vec![needle(At::Network(*id), network.to_string())],
        Test::Regex(regex) => {
            let flags = regex_flags(predicate);
            let hir = flags.build().parse(regex.as_str()).ok()?;
            let mut texts = required(&hir)?.texts;
            texts.sort_unstable();
            texts.dedup();
            texts.into_iter().map(|text| needle(At::Inside, text)).collect()
        }
        Test::Null
        | Test::Exists(_)
        | Test::Compare(..)
        | Test::FieldRef { .. }
        | Test::List { .. }
        | Test::Time { .. } => return None,
    };
    Some(Witness::new(needles))
}

/// A number's one text, for exact lookup: two equal numbers have the same.
pub fn canonical(number: Number) -> String {
    match number {
        Number::Whole(i) => i.to_string(),
        Number::Decimal(f) => f.to_string(),
    }
}

fn regex_flags(predicate: &Predicate) -> regex_syntax::ParserBuilder {
    let mut builder = regex_syntax::ParserBuilder::new();
    let flags = predicate.flags;
    builder
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all);
    builder
}

/// Folded texts of which one occurs in every match.
struct Required {
    texts: Vec<String>,
}

impl Required {
    /// What makes it weak: its shortest text.
    fn strength(&self) -> usize {
        self.texts.iter().map(String::len).min().unwrap_or(0)
    }
}

fn required(hir: &Hir) -> Option<Required> {
    let found = match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => {
            let mut text = String::new();
            fixed(hir, &mut text).then(|| Required { texts: vec![text] })
        }
        HirKind::Concat(parts) => {
            // Neighbours of fixed text are one text.
            let (mut best, mut run) = (None::<Required>, String::new());
            let mut offer = |candidate: Required| {
                if best.as_ref().is_none_or(|b| candidate.strength() > b.strength()) {
                    best = Some(candidate);
                }
            };
            for part in parts {
                if !fixed(part, &mut run) {
                    offer(Required {
                        texts: vec![std::mem::take(&mut run)],
                    });
                    if let Some(inner) = required(part) {
                        offer(inner);
                    }
                }
            }
            offer(Required { texts: vec![run] });
            best
        }
        HirKind::Alternation(parts) => {
            let mut texts = Vec::new();
            for part in parts {
                texts.extend(required(part)?.texts);
            }
            Some(Required { texts })
        }
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Repetition(_) | HirKind::Empty | HirKind::Look(_) => None,
    };
    found.filter(|required| required.strength() >= MIN_SUBSTRING && required.texts.len() <= 64)
}

/// Appends the one folded text that `hir` matches; `false` (and nothing appended) where it matches several.
fn fixed(hir: &Hir, out: &mut String) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => {
                out.extend(text.chars().map(fold_char));
                true
            }
            Err(_) => false,
        },
        HirKind::Class(Class::Unicode(class)) => {
            // (?i)k is a class of three characters that fold to one.
            let mut chars = class
                .ranges()
                .iter()
                .flat_map(|range| range.start()..=range.end())
                .take(8);
            let Some(first) = chars.next().map(fold_char) else {
                return false;
            };
            let same = chars.all(|c| fold_char(c) == first)
                && class.ranges().iter().map(ClassUnicodeRange::len).sum::<usize>() < 8;
            if same {
                out.push(first);
            }
            same
        }
        HirKind::Capture(capture) => fixed(&capture.sub, out),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pattern: &str, ignore_case: bool) -> Option<Vec<String>> {
        let mut builder = regex_syntax::ParserBuilder::new();
        let hir = builder.case_insensitive(ignore_case).build().parse(pattern).unwrap();
        required(&hir).map(|r| r.texts)
    }

    #[test]
    fn the_longest_text_that_every_match_holds() {
        let some = |texts: &[&str]| Some(texts.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(texts("abc.*Defgh", false), some(&["defgh"]));
        assert_eq!(texts("POWERshell", true), some(&["powershell"]));
        assert_eq!(texts("(abc|defg)x*", false), some(&["abc", "defg"]));
        assert_eq!(texts("(?:ab(?:cd))+", false), some(&["abcd"]));
        assert_eq!(texts("(abc)?d", false), None);
        assert_eq!(texts("a[bc]d", false), None);
        assert_eq!(texts("\\d{3}", false), None);
        assert_eq!(texts("^ΟΔΟΣ$", true), some(&["οδοσ"]));
        assert_eq!(texts("(abc|)", false), None);
    }
}
