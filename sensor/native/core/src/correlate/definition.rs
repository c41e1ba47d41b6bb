//! What a correlation counts, compiled from the pack: names become places in its rules' hits.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::expression::{self, Path};
use super::fixed::{Fixed, Number};
use crate::sigma::model::{self, Metadata};
use crate::sigma::{Comparison, PackError, Rule};

/// A count above this would need more memory than a key may have.
const MAX_COUNT: usize = 65_536;
/// Of sums, averages and percentiles: what doubles hold exactly.
const MAX_AMOUNT: f64 = 1e15;
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
    /// The sum of a field's numbers.
    ValueSum,
    /// Their average.
    ValueAvg,
    /// One of their percentiles, linear between ranks.
    ValuePercentile,
    /// Their median.
    ValueMedian,
}

/// When a window is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As hits come: more of them can only confirm the condition.
    AtOnce,
    /// When the lateness has passed.
    Settled,
    /// When the timespan after its first event and the lateness have passed.
    Closed,
}

impl Kind {
    /// Sigma's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::EventCount => "event_count",
            Self::ValueCount => "value_count",
            Self::Temporal => "temporal",
            Self::TemporalOrdered => "temporal_ordered",
            Self::ValueSum => "value_sum",
            Self::ValueAvg => "value_avg",
            Self::ValuePercentile => "value_percentile",
            Self::ValueMedian => "value_median",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        const ALL: [Kind; 8] = [
            Kind::EventCount,
            Kind::ValueCount,
            Kind::Temporal,
            Kind::TemporalOrdered,
            Kind::ValueSum,
            Kind::ValueAvg,
            Kind::ValuePercentile,
            Kind::ValueMedian,
        ];
        ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it is about the rules that hit, not about how often or with what.
    pub fn is_temporal(self) -> bool {
        matches!(self, Self::Temporal | Self::TemporalOrdered)
    }

    /// Whether it reads numbers.
    pub fn is_numeric(self) -> bool {
        self.is_ranked() || matches!(self, Self::ValueSum | Self::ValueAvg)
    }

    /// Whether it asks for the order of numbers.
    pub fn is_ranked(self) -> bool {
        matches!(self, Self::ValuePercentile | Self::ValueMedian)
    }

    /// Whether an event that several rules met counts once only.
    pub fn counts_events(self) -> bool {
        self == Self::EventCount || self.is_numeric()
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
    pub condition: Vec<(Comparison, Fixed)>,
    /// Of `temporal_ordered` and of extended conditions: the ways to meet it.
    pub paths: Vec<Path>,
    /// Of percentiles and the median: which, from 0 to 100.
    pub percentile: Fixed,
    /// When its windows are decided.
    pub pace: Pace,
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
    /// Whether a number meets the condition.
    pub fn meets(&self, number: Number) -> bool {
        let holds = |(op, limit): &(Comparison, Fixed)| op.holds(Some(number.compare(*limit)));
        self.condition.iter().all(holds)
    }

    /// The count beyond which every condition keeps its answer.
    pub fn enough(&self) -> usize {
        let highest = self.condition.iter().map(|(_, limit)| limit.ceiling(MAX_COUNT)).max();
        // Of paths: each rule may have one.
        highest.unwrap_or(self.members.len()).max(1) + 1
    }

    /// Fewer entries than these never meet a condition that more of them confirm.
    pub fn fewest(&self) -> usize {
        let needs = self.condition.iter().map(|(op, limit)| {
            let above = *op == Comparison::Gt && limit.is_whole();
            limit.ceiling(MAX_COUNT) + usize::from(above)
        });
        if self.paths.is_empty() {
            needs.max().unwrap_or(1)
        } else {
            1
        }
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
        let paths = paths(&correlation, kind).map_err(&fault)?;
        let percentile = percentile(&correlation, kind).map_err(&fault)?;
        if correlation.timespan_ms <= 0 || correlation.timespan_ms > MAX_TIMESPAN_MS {
            return Err(fault(format!(
                "timespan_ms is {}, not above 0 and at most 31 days",
                correlation.timespan_ms
            )));
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
        let meaning = Meaning {
            kind,
            condition,
            paths,
            percentile,
        };
        done.push(definition(correlation, members, meaning));
    }
    Ok(done)
}

/// What a correlation asks of its windows.
#[derive(Debug)]
struct Meaning {
    kind: Kind,
    condition: Vec<(Comparison, Fixed)>,
    paths: Vec<Path>,
    percentile: Fixed,
}

fn pace(meaning: &Meaning) -> Pace {
    let rises = |(op, _): &(Comparison, Fixed)| matches!(op, Comparison::Gt | Comparison::Gte);
    if meaning.paths.iter().any(|path| path.unwanted != 0) {
        Pace::Closed
    } else if !meaning.paths.is_empty() || !meaning.kind.is_numeric() && meaning.condition.iter().all(rises) {
        Pace::AtOnce
    } else {
        Pace::Settled
    }
}

fn definition(written: model::Correlation, members: Vec<Member>, meaning: Meaning) -> Definition {
    let mut keys = written.group_by.clone();
    keys.push("value".to_owned());
    let fingerprint = crate::sigma::digest(&[
        written.metadata.id.as_bytes(),
        format!(
            "{meaning:?} {:?} {:?} {:?} {:?} {}",
            written.rules, written.group_by, written.aliases, written.field, written.timespan_ms
        )
        .as_bytes(),
    ]);
    Definition {
        pace: pace(&meaning),
        kind: meaning.kind,
        members,
        rules: written.rules,
        group_by: written.group_by,
        timespan: written.timespan_ms * 1_000_000,
        condition: meaning.condition,
        paths: meaning.paths,
        percentile: meaning.percentile,
        keys,
        alert: written.alert,
        metadata: written.metadata,
        fingerprint,
    }
}

fn kind(written: &model::Correlation) -> Result<Kind, String> {
    let kind = Kind::parse(&written.kind)
        .ok_or_else(|| format!("the type {:?} is not supported by this sensor", written.kind))?;
    if written.rules.is_empty() {
        return Err("it lists no rules".to_owned());
    }
    if written.rules.len() > 64 {
        return Err("it lists more than 64 rules".to_owned());
    }
    match written.field.len() {
        0 if kind == Kind::ValueCount || kind.is_numeric() => Err(format!("{} needs a field", kind.word())),
        2.. if kind.is_numeric() => Err(format!("{} is about one field", kind.word())),
        _ => Ok(kind),
    }
}

fn percentile(written: &model::Correlation, kind: Kind) -> Result<Fixed, String> {
    match (kind, written.percentile) {
        (Kind::ValueMedian, _) => Ok(Fixed::from_f64(50.0)),
        (Kind::ValuePercentile, Some(percentile)) if (0.0..=100.0).contains(&percentile) => {
            Ok(Fixed::from_f64(percentile))
        }
        (Kind::ValuePercentile, other) => Err(format!("the percentile is {other:?}, not from 0 to 100")),
        _ => Ok(Fixed::default()),
    }
}

fn paths(written: &model::Correlation, kind: Kind) -> Result<Vec<Path>, String> {
    match &written.expression {
        Some(_) if !kind.is_temporal() => Err(format!("{} has an expression", kind.word())),
        Some(expression) => expression::paths(expression, written.rules.len()),
        None if kind == Kind::TemporalOrdered => Ok(vec![Path::all(written.rules.len())]),
        None => Ok(Vec::new()),
    }
}

fn condition(written: &model::Correlation, kind: Kind) -> Result<Vec<(Comparison, Fixed)>, String> {
    let highest = if kind.is_numeric() {
        MAX_AMOUNT
    } else {
        MAX_COUNT as f64
    };
    let mut terms = Vec::with_capacity(written.condition.len());
    for term in &written.condition {
        let op = Comparison::parse(&term.op).ok_or_else(|| format!("the operator {:?} is unknown", term.op))?;
        if !term.value.is_finite() || term.value.abs() > highest {
            return Err(format!("the threshold {} is above {highest}", term.value));
        }
        terms.push((op, Fixed::from_f64(term.value)));
    }
    match kind {
        _ if written.expression.is_some() => Ok(Vec::new()),
        // Without a condition: all of the listed rules.
        Kind::Temporal if terms.is_empty() => {
            let different: BTreeSet<_> = written.rules.iter().collect();
            Ok(vec![(Comparison::Gte, Fixed::from_f64(different.len() as f64))])
        }
        Kind::Temporal | Kind::TemporalOrdered => Ok(terms),
        _ if terms.is_empty() => Err("it has no condition".to_owned()),
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
