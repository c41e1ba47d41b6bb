//! The overlay: what a hub may change on a sensor without a new pack. Value lists, rules disabled or set to simulate, and
//! filters of the municipality with an expiry.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Fault;
use crate::event::Time;
use crate::log::time::{Clock, Format, Reference};
use crate::sigma::network::Network;
use crate::sigma::{Hit, HitKind, Program, folding};
use crate::strict;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    lists: BTreeMap<String, Vec<String>>,
    disabled: Vec<String>,
    simulate: Vec<String>,
    filters: Vec<FilterKeys>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // who, when and why stand in the document for people
struct FilterKeys {
    id: String,
    municipality: Option<String>,
    rules: Vec<String>,
    #[serde(rename = "where")]
    conditions: Map<String, Value>,
    owner: Option<String>,
    reason: Option<String>,
    created: Option<String>,
    expires: String,
}

/// A checked overlay.
#[derive(Debug, Default, Clone)]
pub struct Overlay {
    lists: BTreeMap<String, Vec<String>>,
    disabled: HashSet<String>,
    simulate: HashSet<String>,
    filters: HashMap<String, Vec<Filter>>,
}

#[derive(Debug, Clone)]
struct Filter {
    conditions: Vec<(String, Condition)>,
    expires: Time,
}

#[derive(Debug, Clone)]
enum Condition {
    Text(How, Vec<String>),
    Cidr(Vec<Network>),
}

#[derive(Debug, Clone, Copy)]
enum How {
    Equal,
    Starts,
    Ends,
    Contains,
}

impl Overlay {
    /// Reads an overlay for a program.
    ///
    /// # Errors
    /// [`Fault::Settings`] naming the key, rule, list or condition that is wrong.
    pub fn read(bytes: &[u8], program: &Program) -> Result<Self, Fault> {
        let refuse = |what: String| Fault::Settings(format!("overlay: {what}"));
        let document: Document = strict::from_slice(bytes).map_err(refuse)?;
        let correlations = program.correlations.iter().map(|c| c.metadata.id.as_str());
        let known: HashSet<&str> = program
            .rules
            .iter()
            .map(|r| r.metadata.id.as_str())
            .chain(correlations)
            .collect();
        let check = |place: &str, rules: &[String]| match rules.iter().find(|rule| !known.contains(rule.as_str())) {
            Some(rule) => Err(refuse(format!("{place}: the pack has no rule '{rule}'"))),
            None => Ok(()),
        };
        check("disabled", &document.disabled)?;
        check("simulate", &document.simulate)?;
        let mut filters: HashMap<String, Vec<Filter>> = HashMap::new();
        for keys in document.filters {
            let place = format!("filter '{}'", keys.id);
            check(&place, &keys.rules)?;
            let filter = filter(&keys).map_err(|what| refuse(format!("{place}: {what}")))?;
            for rule in keys.rules {
                filters.entry(rule).or_default().push(filter.clone());
            }
        }
        Ok(Self {
            lists: document.lists,
            disabled: document.disabled.into_iter().collect(),
            simulate: document.simulate.into_iter().collect(),
            filters,
        })
    }

    /// Values of lists, which replace the box's own.
    pub fn lists(&self) -> &BTreeMap<String, Vec<String>> {
        &self.lists
    }

    /// Why a rule's hit is dropped before correlations see it.
    pub fn drops(&self, hit: &Hit, now: Time) -> Option<&'static str> {
        if self.disabled.contains(&*hit.rule) {
            return Some("disabled");
        }
        let filters = self.filters.get(&*hit.rule)?;
        let event: Map<String, Value> = serde_json::from_str(&hit.event).ok()?;
        filters
            .iter()
            .any(|filter| filter.holds(&event, now))
            .then_some("filter")
    }

    /// Why a hit raises no alert although it counts.
    pub fn withholds(&self, hit: &Hit) -> Option<&'static str> {
        if self.simulate.contains(&*hit.rule) {
            Some("simulate")
        } else if !matches!(hit.kind, HitKind::Match) && self.disabled.contains(&*hit.rule) {
            Some("disabled")
        } else {
            None
        }
    }
}

impl Filter {
    fn holds(&self, event: &Map<String, Value>, now: Time) -> bool {
        now < self.expires
            && self.conditions.iter().all(|(field, condition)| match event.get(field) {
                Some(Value::Array(items)) => items.iter().any(|item| condition.holds(item)),
                Some(value) => condition.holds(value),
                None => false,
            })
    }
}

impl Condition {
    fn holds(&self, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(b) => b.to_string(),
            _ => return false,
        };
        match self {
            Self::Cidr(networks) => text
                .parse()
                .is_ok_and(|address| networks.iter().any(|n| n.contains(address))),
            Self::Text(how, wanted) => {
                let text = folding::fold(&text);
                wanted.iter().any(|wanted| match how {
                    How::Equal => text == *wanted,
                    How::Starts => text.starts_with(wanted.as_str()),
                    How::Ends => text.ends_with(wanted.as_str()),
                    How::Contains => text.contains(wanted.as_str()),
                })
            }
        }
    }
}

fn filter(keys: &FilterKeys) -> Result<Filter, String> {
    if keys.rules.is_empty() {
        return Err("names no rule".to_owned());
    }
    if keys.conditions.is_empty() {
        return Err("has no condition: it would hide everything".to_owned());
    }
    let conditions = keys
        .conditions
        .iter()
        .map(|(field, value)| {
            Ok((
                field.clone(),
                condition(value).map_err(|what| format!("where.{field}: {what}"))?,
            ))
        })
        .collect::<Result<_, String>>()?;
    let stamp = Format::Iso.parse(&keys.expires);
    let mut utc = Clock::new(jiff::tz::TimeZone::UTC, Reference::Before(Time(0)));
    let expires = stamp.and_then(|stamp| utc.moment(stamp)).ok_or_else(|| {
        format!(
            "expires: '{}' is no time; write for instance 2026-12-24T00:00:00Z",
            keys.expires
        )
    })?;
    Ok(Filter { conditions, expires })
}

/// `[values]`, or `{equal | startswith | endswith | contains | cidr: [values]}`.
fn condition(value: &Value) -> Result<Condition, String> {
    let (how, values) = match value {
        Value::Object(object) if object.len() == 1 => object
            .iter()
            .next()
            .map_or(("equal", value), |(how, values)| (how.as_str(), values)),
        Value::Object(_) => return Err("must have one of equal, startswith, endswith, contains, cidr".to_owned()),
        other => ("equal", other),
    };
    let values: Vec<String> = match values {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    if values.is_empty() || values.iter().any(String::is_empty) {
        return Err("needs one or more texts".to_owned());
    }
    let how = match how {
        "cidr" => {
            return values
                .iter()
                .map(|text| Network::parse(text))
                .collect::<Result<_, _>>()
                .map(Condition::Cidr);
        }
        "equal" => How::Equal,
        "startswith" => How::Starts,
        "endswith" => How::Ends,
        "contains" => How::Contains,
        other => {
            let known = ["equal", "startswith", "endswith", "contains", "cidr"];
            return Err(strict::refusal("condition", "key", other, &known));
        }
    };
    Ok(Condition::Text(
        how,
        values.iter().map(|text| folding::fold(text)).collect(),
    ))
}
