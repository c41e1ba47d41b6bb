//! What a correlation counts, compiled from the pack: names become places in its rules' hits.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use crate::sigma::model::{self, Metadata};
use crate::sigma::{Comparison, PackError, Rule};

/// A count above this would need more memory than a key may have.
const MAX_THRESHOLD: f64 = 65_536.0;
const MAX_TIMESPAN_MS: i64 = 31 * 24 * 3_600 * 1_000;
const MAX_DEPTH: usize = 8;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Events in the window.
    EventCount,
    /// Different values (or tuples) in the window.
    ValueCount,
    /// Different rules in the window.
    Temporal,
    /// All rules in their order.
    TemporalOrdered,
}

impl Kind {
    /// Sigma's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::EventCount => "event_count",
            Self::ValueCount => "value_count",
            Self::Temporal => "temporal",
            Self::TemporalOrdered => "temporal_ordered",
        }
    }
}

/// One listed rule: whose hits feed the correlation, and where in them its names stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Place of the rule: rules first, then correlations.
    pub source: u32,
    /// Place of each `group_by` name in the hit's keys; `None` is a name that its hits never have.
    pub group: Vec<Option<usize>>,
    /// Place of each counted field in the hit's keys.
    pub values: Vec<Option<usize>>,
}

/// One correlation, ready to run.
#[derive(Debug, Clone)]
pub struct Definition {
    /// What is counted.
    pub kind: Kind,
    /// The rules, in their order.
    pub members: Vec<Member>,
    /// The rules' ids, in their order.
    pub rules: Vec<String>,
    /// Names of the group key.
    pub group_by: Vec<String>,
    /// The window in nanoseconds.
    pub timespan: i64,
    /// All must hold.
    pub condition: Vec<(Comparison, f64)>,
    /// Names that this correlation's own hits carry for those above it: the group's, then `value`.
    pub keys: Vec<String>,
    /// Whether it raises alerts of its own.
    pub alert: bool,
    /// Id, title and the rest.
    pub metadata: Metadata,
    /// A digest of everything that gives state its meaning: state of an unchanged definition survives a new pack.
    pub fingerprint: [u8; 16],
}

impl Definition {
    /// Whether more events can only confirm the condition, so that it may fire at once.
    pub fn is_monotone(&self) -> bool {
        self.kind == Kind::TemporalOrdered
            || self
                .condition
                .iter()
                .all(|(op, _)| matches!(op, Comparison::Gt | Comparison::Gte))
    }

    /// Whether a number meets the condition.
    pub fn meets(&self, number: f64) -> bool {
        self.condition
            .iter()
            .all(|(op, limit)| op.holds(number.partial_cmp(limit)))
    }

    /// The count beyond which every condition keeps its answer.
    pub fn enough(&self) -> usize {
        let highest = self.condition.iter().map(|(_, limit)| *limit).fold(0.0, f64::max);
        #[allow(clippy::cast_sign_loss)] // not below 1
        let enough = highest.ceil().clamp(1.0, MAX_THRESHOLD) as usize;
        enough + 1
    }
}

/// Compiles the correlations of a pack, in an order in which each stands after those it reads.
///
/// # Errors
/// An unknown rule, type or operator, a cycle, a window or threshold out of bounds.
pub fn compile(
    written: Vec<model::Correlation>,
    rules: &mut [Rule],
    fields: &HashMap<&str, u32>,
) -> Result<Vec<Definition>, PackError> {
    let ordered = in_order(written)?;
    let base = rules.len() as u32;
    let mut places: HashMap<String, u32> = rules
        .iter()
        .enumerate()
        .map(|(place, rule)| (rule.metadata.id.clone(), place as u32))
        .collect();
    let mut done: Vec<Definition> = Vec::with_capacity(ordered.len());
    for correlation in ordered {
        let fault = |what: String| PackError::rules(format!("correlation {}: {what}", correlation.metadata.id));
        let kind = kind(&correlation).map_err(&fault)?;
        let condition = condition(&correlation, kind).map_err(&fault)?;
        if correlation.timespan_ms <= 0 || correlation.timespan_ms > MAX_TIMESPAN_MS {
            return Err(fault(format!(
                "timespan_ms is {}, not above 0 and at most 31 days",
                correlation.timespan_ms
            )));
        }
        if correlation.expression.is_some() {
            return Err(fault("extended conditions are not supported by this sensor".to_owned()));
        }
        let mut members = Vec::with_capacity(correlation.rules.len());
        for id in &correlation.rules {
            let source = *places.get(id).ok_or_else(|| fault(format!("there is no rule {id}")))?;
            let mut place = |name: &String| {
                let name = correlation
                    .aliases
                    .get(name)
                    .and_then(|by_rule| by_rule.get(id))
                    .unwrap_or(name);
                match source.checked_sub(base) {
                    None => Some(rules[source as usize].correlated(*fields.get(name.as_str())?)),
                    Some(above) => done[above as usize].keys.iter().position(|key| key == name),
                }
            };
            let group = correlation.group_by.iter().map(&mut place).collect();
            let values = correlation.field.iter().map(&mut place).collect();
            members.push(Member { source, group, values });
        }
        places.insert(correlation.metadata.id.clone(), base + done.len() as u32);
        done.push(definition(correlation, kind, members, condition));
    }
    Ok(done)
}

fn definition(
    written: model::Correlation,
    kind: Kind,
    members: Vec<Member>,
    condition: Vec<(Comparison, f64)>,
) -> Definition {
    let mut keys = written.group_by.clone();
    keys.push("value".to_owned());
    let fingerprint = crate::sigma::digest(&[
        written.metadata.id.as_bytes(),
        format!(
            "{:?} {:?} {:?} {:?} {:?} {} {condition:?}",
            kind, written.rules, written.group_by, written.aliases, written.field, written.timespan_ms
        )
        .as_bytes(),
    ]);
    Definition {
        kind,
        members,
        rules: written.rules,
        group_by: written.group_by,
        timespan: written.timespan_ms * 1_000_000,
        condition,
        keys,
        alert: written.alert,
        metadata: written.metadata,
        fingerprint,
    }
}

fn kind(written: &model::Correlation) -> Result<Kind, String> {
    let kind = match written.kind.as_str() {
        "event_count" => Kind::EventCount,
        "value_count" => Kind::ValueCount,
        "temporal" => Kind::Temporal,
        "temporal_ordered" => Kind::TemporalOrdered,
        other => return Err(format!("the type {other:?} is not supported by this sensor")),
    };
    if written.rules.is_empty() {
        return Err("it lists no rules".to_owned());
    }
    if written.rules.len() > 64 {
        return Err("it lists more than 64 rules".to_owned());
    }
    if kind == Kind::ValueCount && written.field.is_empty() {
        return Err("value_count needs a field".to_owned());
    }
    Ok(kind)
}

fn condition(written: &model::Correlation, kind: Kind) -> Result<Vec<(Comparison, f64)>, String> {
    let mut terms = Vec::with_capacity(written.condition.len());
    for term in &written.condition {
        let op = Comparison::parse(&term.op).ok_or_else(|| format!("the operator {:?} is unknown", term.op))?;
        if !term.value.is_finite() || term.value.abs() > MAX_THRESHOLD {
            return Err(format!("the threshold {} is above {MAX_THRESHOLD}", term.value));
        }
        terms.push((op, term.value));
    }
    match kind {
        Kind::EventCount | Kind::ValueCount if terms.is_empty() => Err("it has no condition".to_owned()),
        // Without a condition: all of the listed rules.
        Kind::Temporal if terms.is_empty() => {
            let different: BTreeSet<_> = written.rules.iter().collect();
            Ok(vec![(Comparison::Gte, different.len() as f64)])
        }
        _ => Ok(terms),
    }
}

/// Orders correlations so that each stands after those it lists.
fn in_order(written: Vec<model::Correlation>) -> Result<Vec<model::Correlation>, PackError> {
    let ids: HashMap<String, usize> = written
        .iter()
        .enumerate()
        .map(|(index, c)| (c.metadata.id.clone(), index))
        .collect();
    if ids.len() != written.len() {
        return Err(PackError::rules("two correlations have the same id"));
    }
    let mut depth: Vec<Option<usize>> = vec![None; written.len()];
    // At most MAX_DEPTH rounds settle every chain that is short enough; a cycle never settles.
    for _ in 0..=MAX_DEPTH {
        for (index, correlation) in written.iter().enumerate() {
            let below: Option<usize> = correlation
                .rules
                .iter()
                .filter_map(|id| ids.get(id))
                .map(|below| depth[*below].map(|d| d + 1))
                .try_fold(0, |deepest: usize, d| d.map(|d| deepest.max(d)));
            depth[index] = below;
        }
    }
    let mut ordered = Vec::with_capacity(written.len());
    for (correlation, depth) in written.into_iter().zip(depth) {
        match depth {
            Some(depth) if depth < MAX_DEPTH => ordered.push((depth, correlation)),
            _ => {
                let id = &correlation.metadata.id;
                return Err(PackError::rules(format!(
                    "correlation {id}: it reads itself, or is over {MAX_DEPTH} deep"
                )));
            }
        }
    }
    ordered.sort_by_key(|(depth, _)| *depth);
    Ok(ordered.into_iter().map(|(_, correlation)| correlation).collect())
}
