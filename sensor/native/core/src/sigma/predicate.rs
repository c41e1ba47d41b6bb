//! Predicates: one operator over one scalar of an event. Lists, absence and negation are the evaluator's.

use std::sync::OnceLock;

use memchr::memmem::Finder;
use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;

use super::error::PackError;
use super::folding::fold;
use super::lists::{ListId, Lists};
use super::model;
use super::moment::TimePart;
use super::network::{self, Network};
use super::networks::{NetworkId, Networks};
use super::number::{Comparison, Number};
use super::value;
use super::wildcard::Wildcard;
use crate::event::Value;

/// A compiled regular expression larger than this is refused; that of the largest rule upstream takes 1.3 MiB.
const MAX_REGEX: usize = 4 << 20;

/// Index of a field name in a pack.
pub type FieldId = u32;

/// How two texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum How {
    /// The whole text.
    Eq,
    /// Its beginning.
    StartsWith,
    /// Its end.
    EndsWith,
    /// Anywhere in it.
    Contains,
}

impl How {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "startswith" => Self::StartsWith,
            "endswith" => Self::EndsWith,
            "contains" => Self::Contains,
            _ => return None,
        })
    }

    /// Whether `text` compares with `literal`.
    pub fn holds(self, text: &str, literal: &str) -> bool {
        match self {
            Self::Eq => text == literal,
            Self::StartsWith => text.starts_with(literal),
            Self::EndsWith => text.ends_with(literal),
            Self::Contains => memchr::memmem::find(text.as_bytes(), literal.as_bytes()).is_some(),
        }
    }
}

/// What is tested.
#[derive(Debug, Clone)]
pub enum Test {
    /// A literal, folded unless case counts.
    Literal {
        /// Which part of the text.
        how: How,
        /// The literal.
        literal: Box<str>,
        /// Case counts.
        cased: bool,
        /// The search for [`How::Contains`], prepared when it is first needed: most literals of a pack never are.
        finder: OnceLock<Box<Finder<'static>>>,
    },
    /// A pattern over the whole text.
    Wildcard {
        /// The pattern, folded unless case counts.
        pattern: Wildcard,
        /// Case counts.
        cased: bool,
    },
    /// Equal as a number to a number, as text to text.
    Number {
        /// The number.
        number: Number,
        /// Its text as the rule wrote it.
        text: Box<str>,
    },
    /// A boolean or its word.
    Bool(bool),
    /// Absent or null.
    Null,
    /// Present and `""`.
    Empty,
    /// Present (also null or `""`), or absent.
    Exists(bool),
    /// A search in the original text.
    Regex(Regex),
    /// An address in a network.
    Cidr {
        /// The network.
        network: Network,
        /// Its place among all networks of the pack.
        id: NetworkId,
    },
    /// A number compared with a number.
    Compare(Comparison, Number),
    /// Another field of the same event.
    FieldRef {
        /// The other field.
        other: FieldId,
        /// Which part of this field's text.
        how: How,
        /// Case counts.
        cased: bool,
    },
    /// Any value of a list that the municipality fills.
    List {
        /// The list.
        list: ListId,
        /// Which part of the text.
        how: How,
        /// Case counts.
        cased: bool,
    },
    /// A part of a time.
    Time {
        /// Which part.
        part: TimePart,
        /// How it is compared.
        comparison: Comparison,
        /// With what.
        value: i64,
    },
}

/// A predicate: a test and the field it reads; `None` reads every value of the event (keywords).
#[derive(Debug, Clone)]
pub struct Predicate {
    /// The operator as the pack writes it, for evidence.
    pub op: &'static str,
    /// The field.
    pub field: Option<FieldId>,
    /// The test.
    pub test: Test,
    /// Flags of a regular expression.
    pub flags: RegexFlags,
}

/// Flags of a regular expression, for reading it a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RegexFlags {
    /// `i`.
    pub ignore_case: bool,
    /// `m`.
    pub multi_line: bool,
    /// `s`.
    pub dot_all: bool,
}

/// One scalar with its texts. Both are absent for null.
#[derive(Debug, Clone, Copy)]
pub struct Scalar<'a> {
    /// The value itself, never a list.
    pub value: Value<'a>,
    /// Its text as it came.
    pub text: Option<&'a str>,
    /// Its folded text.
    pub folded: Option<&'a str>,
}

impl<'a> Scalar<'a> {
    /// The text to compare with.
    pub fn compared(&self, cased: bool) -> Option<&'a str> {
        if cased { self.text } else { self.folded }
    }
}

impl Test {
    /// Whether one scalar meets the test. [`Test::FieldRef`] needs a second field: see [`How::holds`].
    pub fn holds(&self, scalar: &Scalar<'_>, lists: &Lists) -> bool {
        match self {
            Self::Literal {
                how,
                literal,
                cased,
                finder,
            } => scalar.compared(*cased).is_some_and(|text| match how {
                How::Contains => {
                    let made = || Box::new(Finder::new(literal.as_bytes()).into_owned());
                    finder.get_or_init(made).find(text.as_bytes()).is_some()
                }
                _ => how.holds(text, literal),
            }),
            Self::Wildcard { pattern, cased } => scalar.compared(*cased).is_some_and(|t| pattern.matches(t)),
            Self::Number { number, text } => match Number::of(scalar.value) {
                Some(other) => Comparison::Eq.holds(number.compare(other)),
                None => scalar.text == Some(text),
            },
            Self::Bool(wanted) => match scalar.value {
                Value::Bool(found) => found == *wanted,
                _ => scalar.folded == Some(if *wanted { "true" } else { "false" }),
            },
            Self::Null => matches!(scalar.value, Value::Null),
            Self::Empty => matches!(scalar.value, Value::Str("")),
            Self::Exists(wanted) => *wanted,
            Self::Regex(regex) => scalar.text.is_some_and(|t| regex.is_match(t)),
            Self::Cidr { network, .. } => network::address(scalar.value).is_some_and(|a| network.contains(a)),
            Self::Compare(comparison, limit) => {
                let number = match scalar.value {
                    Value::Str(text) => Number::parse(text),
                    value => Number::of(value),
                };
                number.is_some_and(|n| comparison.holds(n.compare(*limit)))
            }
            Self::FieldRef { .. } => false,
            Self::List { list, how, cased } => scalar
                .compared(*cased)
                .is_some_and(|t| lists.holds(*list, *how, *cased, t)),
            Self::Time {
                part,
                comparison,
                value,
            } => part
                .of(scalar.value)
                .is_some_and(|found| comparison.holds(Some(found.cmp(value)))),
        }
    }

    /// Whether any element of a value meets the test, its texts made for this question alone.
    pub fn holds_any(&self, value: Value<'_>, lists: &Lists) -> bool {
        value::any(value, &mut |scalar| {
            let mut original = String::new();
            let some = value::text_into(scalar, &mut original);
            let folded = fold(&original);
            let scalar = Scalar {
                value: scalar,
                text: some.then_some(&original),
                folded: some.then_some(&folded),
            };
            self.holds(&scalar, lists)
        })
    }

    /// The rule's side as text, for evidence.
    pub fn shown(&self, fields: &[String], lists: &Lists) -> Json {
        match self {
            Self::Literal { literal, .. } => Json::from(&**literal),
            Self::Number { text, .. } => Json::from(&**text),
            Self::Wildcard { pattern, .. } => Json::from(pattern.to_string()),
            Self::Bool(b) | Self::Exists(b) => Json::from(*b),
            Self::Null => Json::Null,
            Self::Empty => Json::from(""),
            Self::Regex(regex) => Json::from(regex.as_str()),
            Self::Cidr { network, .. } => Json::from(network.to_string()),
            Self::Compare(_, number) => Json::from(number.as_f64()),
            Self::FieldRef { other, .. } => Json::from(fields[*other as usize].as_str()),
            Self::List { list, .. } => Json::from(format!("%{}%", lists.name(*list))),
            Self::Time { value, .. } => Json::from(*value),
        }
    }
}

/// Compiles predicate `index` of a pack.
///
/// # Errors
/// An unknown operator, a key it needs that is missing or of the wrong kind, a field that is none of `fields`.
pub fn compile(
    index: usize,
    written: &model::Predicate,
    fields: usize,
    lists: &mut Lists,
    networks: &mut Networks,
) -> Result<Predicate, PackError> {
    let fault = |what: String| PackError::rules(format!("predicate {index} ({:?}): {what}", written.op));
    let field_id = |id: u32| {
        if (id as usize) < fields {
            Ok(id)
        } else {
            Err(fault(format!("field {id} is none of the {fields} fields")))
        }
    };
    let (op, test) = test(written, lists, networks, &field_id).map_err(|e| match e {
        Fault::Pack(error) => error,
        Fault::Here(what) => fault(what),
    })?;
    let field = written.field.map(field_id).transpose()?;
    let keyword = matches!(test, Test::Wildcard { .. } | Test::Regex(_))
        || matches!(
            test,
            Test::Literal {
                how: How::Contains | How::Eq,
                ..
            }
        );
    if field.is_none() && !keyword {
        return Err(fault("this operator needs a field".to_owned()));
    }
    let flag = |flag: char| written.flags.as_deref().is_some_and(|flags| flags.contains(flag));
    let flags = RegexFlags {
        ignore_case: flag('i'),
        multi_line: flag('m'),
        dot_all: flag('s'),
    };
    Ok(Predicate { op, field, test, flags })
}

enum Fault {
    Here(String),
    Pack(PackError),
}

impl From<PackError> for Fault {
    fn from(error: PackError) -> Self {
        Self::Pack(error)
    }
}

type Compiled = Result<(&'static str, Test), Fault>;

fn test(
    written: &model::Predicate,
    lists: &mut Lists,
    networks: &mut Networks,
    field_id: &dyn Fn(u32) -> Result<u32, PackError>,
) -> Compiled {
    Ok(match &*written.op {
        "eq" => ("eq", literal(written, How::Eq)?),
        "contains" => ("contains", literal(written, How::Contains)?),
        "startswith" => ("startswith", literal(written, How::StartsWith)?),
        "endswith" => ("endswith", literal(written, How::EndsWith)?),
        "wildcard" => {
            let pattern = Wildcard::new(need(written.parts.as_deref(), "parts")?, written.cased)?;
            (
                "wildcard",
                Test::Wildcard {
                    pattern,
                    cased: written.cased,
                },
            )
        }
        "num" => {
            let text = number_text(written)?;
            let number = number(&text)?;
            (
                "num",
                Test::Number {
                    number,
                    text: text.into(),
                },
            )
        }
        "bool" => ("bool", Test::Bool(flag(written)?)),
        "null" => ("null", Test::Null),
        "empty" => ("empty", Test::Empty),
        "exists" => ("exists", Test::Exists(flag(written)?)),
        "re" => ("re", Test::Regex(regex(written)?)),
        "cidr" => {
            let network = Network::parse(text(written)?).map_err(Fault::Here)?;
            let id = networks.id(network);
            ("cidr", Test::Cidr { network, id })
        }
        "lt" => ("lt", Test::Compare(Comparison::Lt, number(&number_text(written)?)?)),
        "lte" => ("lte", Test::Compare(Comparison::Lte, number(&number_text(written)?)?)),
        "gt" => ("gt", Test::Compare(Comparison::Gt, number(&number_text(written)?)?)),
        "gte" => ("gte", Test::Compare(Comparison::Gte, number(&number_text(written)?)?)),
        "fieldref" => {
            let other = field_id(*need(written.other.as_ref(), "other")?)?;
            (
                "fieldref",
                Test::FieldRef {
                    other,
                    how: how(written)?,
                    cased: written.cased,
                },
            )
        }
        "list" => {
            let list = lists.declared(need(written.list.as_deref(), "list")?)?;
            (
                "list",
                Test::List {
                    list,
                    how: how(written)?,
                    cased: written.cased,
                },
            )
        }
        "time" => ("time", time(written)?),
        _ => return Err(Fault::Here("this operator is unknown here".to_owned())),
    })
}

fn need<T>(key: Option<T>, name: &str) -> Result<T, Fault> {
    key.ok_or_else(|| Fault::Here(format!("the key {name:?} is missing")))
}

fn text(written: &model::Predicate) -> Result<&str, Fault> {
    written
        .value
        .as_ref()
        .and_then(Json::as_str)
        .ok_or_else(|| Fault::Here("the key \"value\" must be text".to_owned()))
}

fn literal(written: &model::Predicate, how: How) -> Result<Test, Fault> {
    let text = text(written)?;
    let literal: Box<str> = if written.cased { text.into() } else { fold(text).into() };
    Ok(Test::Literal {
        how,
        literal,
        cased: written.cased,
        finder: OnceLock::new(),
    })
}

fn number_text(written: &model::Predicate) -> Result<String, Fault> {
    match &written.value {
        Some(Json::String(text)) => Ok(text.clone()),
        Some(Json::Number(number)) => Ok(number.to_string()),
        _ => Err(Fault::Here("the key \"value\" must be a number's text".to_owned())),
    }
}

fn number(text: &str) -> Result<Number, Fault> {
    // Python writes very large and very small decimals with an exponent.
    Number::parse(text)
        .or_else(|| text.parse::<f64>().ok().filter(|f| f.is_finite()).map(Number::decimal))
        .ok_or_else(|| Fault::Here(format!("{text:?} is no number")))
}

fn flag(written: &model::Predicate) -> Result<bool, Fault> {
    written
        .value
        .as_ref()
        .and_then(Json::as_bool)
        .ok_or_else(|| Fault::Here("the key \"value\" must be true or false".to_owned()))
}

fn how(written: &model::Predicate) -> Result<How, Fault> {
    let word = written.how.as_deref().unwrap_or("eq");
    How::parse(word).ok_or_else(|| Fault::Here(format!("{word:?} is no way to compare")))
}

fn regex(written: &model::Predicate) -> Result<Regex, Fault> {
    let pattern = need(written.pattern.as_deref(), "pattern")?;
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(MAX_REGEX);
    for flag in written.flags.as_deref().unwrap_or("").chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'm' => builder.multi_line(true),
            's' => builder.dot_matches_new_line(true),
            _ => return Err(Fault::Here(format!("{flag:?} is no flag"))),
        };
    }
    builder
        .build()
        .map_err(|e| Fault::Here(format!("the pattern does not compile: {e}")))
}

fn time(written: &model::Predicate) -> Result<Test, Fault> {
    let part = need(written.part.as_deref(), "part")?;
    let part = TimePart::parse(part).ok_or_else(|| Fault::Here(format!("{part:?} is no part of a time")))?;
    let word = written.cmp.as_deref().unwrap_or("eq");
    let comparison = Comparison::parse(word).ok_or_else(|| Fault::Here(format!("{word:?} is no comparison")))?;
    let value = written.value.as_ref().and_then(Json::as_i64);
    let value = value.ok_or_else(|| Fault::Here("the key \"value\" must be a whole number".to_owned()))?;
    Ok(Test::Time {
        part,
        comparison,
        value,
    })
}
