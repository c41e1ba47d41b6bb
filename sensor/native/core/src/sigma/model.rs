//! The shapes of a pack's JSON members (docs/pack-format.md), as they are written. Meaning is given in [`super::program`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use crate::event::LogSource;

/// `manifest.json`.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Manifest {
    /// Format version; this reader's is [`super::pack::FORMAT`].
    pub format: u32,
    /// The pack's name.
    pub name: String,
    /// The pack's own version.
    pub version: String,
    /// The oldest sensor that can run it.
    #[serde(default)]
    pub minimum_sensor: Option<String>,
    /// When it was made, from `pack.toml`.
    #[serde(default)]
    pub created: Json,
    /// SHA-256 of every other member, in hex.
    pub members: BTreeMap<String, String>,
    /// Counts, for display.
    #[serde(default)]
    pub counts: Json,
    /// The value lists that rules may name: names, or a table by name.
    #[serde(default)]
    pub lists: Json,
    /// Rules that the compiler refused.
    #[serde(default)]
    pub refused: Json,
}

impl Manifest {
    /// Names of the declared value lists.
    pub fn declared_lists(&self) -> Vec<String> {
        match &self.lists {
            Json::Array(lists) => {
                let name = |list: &Json| list.as_str().or_else(|| list.get("name")?.as_str()).map(str::to_owned);
                lists.iter().filter_map(name).collect()
            }
            Json::Object(lists) => lists.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }
}

/// `rules.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Rules {
    /// Field names by field id.
    pub fields: Vec<String>,
    /// Hash-consed predicates.
    pub predicates: Vec<Predicate>,
    /// Hash-consed conditions; a child stands before its parent.
    pub nodes: Vec<Node>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The correlations.
    #[serde(default)]
    pub correlations: Vec<Correlation>,
    /// Filters, already part of the conditions.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// The alias table.
    #[serde(default)]
    pub aliases: Vec<Alias>,
    /// Event classes that an event's header tells.
    #[serde(default)]
    pub classes: Vec<Class>,
}

/// A part of a log source that an event does not name itself and its header tells.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Events of this log source ...
    pub event: Source,
    /// ... have this part of one ...
    pub part: ClassPart,
    /// ... with this value ...
    pub value: String,
    /// ... where this node holds, read from the header.
    #[serde(rename = "where")]
    pub gate: u32,
}

/// Which part of a log source a class gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassPart {
    /// `category`
    Category,
    /// `service`
    Service,
}

/// One predicate as written; which keys it needs depends on `op`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predicate {
    /// The operator.
    pub op: Box<str>,
    /// Field id; absent or null for keywords.
    #[serde(default)]
    pub field: Option<u32>,
    /// Literal, number, network or flag.
    #[serde(default)]
    pub value: Option<Json>,
    /// Case counts.
    #[serde(default)]
    pub cased: bool,
    /// Of `wildcard`.
    #[serde(default)]
    pub parts: Option<Vec<Part>>,
    /// Of `re`.
    #[serde(default)]
    pub pattern: Option<Box<str>>,
    /// Of `re`.
    #[serde(default)]
    pub flags: Option<Box<str>>,
    /// Of `fieldref`: the other field's id.
    #[serde(default)]
    pub other: Option<u32>,
    /// Of `fieldref` and `list`.
    #[serde(default)]
    pub how: Option<Box<str>>,
    /// Of `list`: its name.
    #[serde(default)]
    pub list: Option<Box<str>>,
    /// Of `time`.
    #[serde(default)]
    pub part: Option<Box<str>>,
    /// Of `time`.
    #[serde(default)]
    pub cmp: Option<Box<str>>,
}

/// A piece of a wildcard pattern.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Part {
    /// Literal text.
    Text(String),
    /// `*` or `?`.
    Any {
        /// The wildcard character.
        any: String,
    },
}

/// One condition node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub enum Node {
    /// A predicate.
    #[serde(rename = "p")]
    Predicate(u32),
    /// All hold.
    #[serde(rename = "and")]
    And(Vec<u32>),
    /// One holds.
    #[serde(rename = "or")]
    Or(Vec<u32>),
    /// It does not hold.
    #[serde(rename = "not")]
    Not(u32),
}

/// A log source as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Source {
    /// For instance `windows`.
    #[serde(default)]
    pub product: Option<String>,
    /// For instance `process_creation`.
    #[serde(default)]
    pub category: Option<String>,
    /// For instance `security`.
    #[serde(default)]
    pub service: Option<String>,
}

impl From<&Source> for LogSource {
    fn from(source: &Source) -> Self {
        let own = |part: &Option<String>| part.clone().map(Cow::Owned);
        Self {
            product: own(&source.product),
            category: own(&source.category),
            service: own(&source.service),
        }
    }
}

/// What rules and correlations have in common. Everything the matching does not read is kept as it came.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Metadata {
    /// The rule's UUID.
    pub id: String,
    /// The rule's own name, by which others may name it.
    #[serde(default)]
    pub name: Option<Box<str>>,
    /// Title.
    #[serde(default)]
    pub title: String,
    /// `informational` to `critical`.
    #[serde(default)]
    pub level: Option<String>,
    /// Fields to show; the first is the entity.
    #[serde(default)]
    pub fields: Vec<String>,
    /// The rest, by key.
    #[serde(flatten)]
    pub more: More,
}

/// What matching does not read of a rule, kept as the text of a JSON object: a pack has thousands, and few are ever looked at.
#[derive(Debug, Clone)]
pub struct More(Box<str>);

impl<'de> Deserialize<'de> for More {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rest = serde_json::Map::deserialize(deserializer)?;
        Ok(Self(Json::Object(rest).to_string().into()))
    }
}

impl Serialize for More {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rest: serde_json::Map<String, Json> = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        rest.serialize(serializer)
    }
}

/// One rule.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    /// Log source that an event's must contain.
    #[serde(default)]
    pub logsource: Source,
    /// Conditions that a pipeline added, read from the header.
    #[serde(default)]
    pub gates: Vec<u32>,
    /// The condition's node.
    pub condition: u32,
    /// Named selections and their nodes.
    #[serde(default)]
    pub selections: BTreeMap<String, u32>,
    /// Whether it raises alerts of its own.
    #[serde(default = "yes")]
    pub alert: bool,
    /// Value lists it needs.
    #[serde(default)]
    pub lists: Vec<String>,
    /// Everything else.
    #[serde(flatten)]
    pub metadata: Metadata,
}

/// One term of a correlation's condition.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Term {
    /// `gt gte lt lte eq neq`.
    pub op: String,
    /// The threshold.
    pub value: f64,
}

/// An extended condition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expression {
    /// Of the listed rules, the one at this place has a hit.
    Rule(u16),
    /// All hold.
    And(Vec<Expression>),
    /// One holds.
    Or(Vec<Expression>),
    /// It does not hold.
    Not(Box<Expression>),
}

/// One correlation.
#[derive(Debug, Clone, Deserialize)]
pub struct Correlation {
    /// `event_count`, `value_count`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Rule ids in their order.
    pub rules: Vec<String>,
    /// Names that make the group key.
    #[serde(default)]
    pub group_by: Vec<String>,
    /// Name -> rule id -> field.
    #[serde(default)]
    pub aliases: BTreeMap<String, BTreeMap<String, String>>,
    /// The window in milliseconds.
    pub timespan_ms: i64,
    /// Of `value_*`: the counted fields.
    #[serde(default)]
    pub field: Vec<String>,
    /// All must hold.
    #[serde(default)]
    pub condition: Vec<Term>,
    /// Of `value_percentile`.
    #[serde(default)]
    pub percentile: Option<f64>,
    /// Of temporal types: an extended condition, in place of `condition`.
    #[serde(default)]
    pub expression: Option<Expression>,
    /// Whether it raises alerts of its own.
    #[serde(default = "yes")]
    pub alert: bool,
    /// Everything else.
    #[serde(flatten)]
    pub metadata: Metadata,
}

/// A filter, for display.
#[derive(Debug, Clone, Deserialize)]
pub struct Filter {
    /// Its UUID.
    pub id: String,
    /// The rules that it is part of.
    #[serde(default)]
    pub rules: Vec<String>,
}

/// How a rule's field is read under an alias.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Reading {
    /// The event's field of this name.
    Name(String),
    /// Made from another field.
    Derived {
        /// `uri_stem uri_query uri_full host_or_ip seconds lower`.
        derive: String,
        /// The field it is made from.
        from: String,
    },
}

/// One row of the alias table.
#[derive(Debug, Clone, Deserialize)]
pub struct Alias {
    /// Events of this log source ...
    pub event: Source,
    /// ... serve rules of this one as well ...
    pub serves: Source,
    /// ... when the guard holds ...
    #[serde(default)]
    pub guard: Option<String>,
    /// ... which read these fields so.
    #[serde(default)]
    pub fields: BTreeMap<String, Reading>,
}

fn yes() -> bool {
    true
}
