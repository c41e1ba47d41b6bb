//! The witness index: from the texts of an event to the few rules that can match it.
//!
//! Per field one hash map of exact values, two of beginnings and ends, the grams of all other needles, and networks. A rule
//! without a witness is always a candidate in its class.

use std::sync::Arc;

use hashbrown::HashMap;

use super::edges::{Edge, Edges};
use super::facts::Facts;
use super::grams::Grams;
use super::id_set::IdSet;
use super::literal::{At, canonical, witness};
use super::networks::NetworkId;
use super::number::Number;
use super::predicate::FieldId;
use super::program::{Program, RuleId};
use crate::event::{Event, Value};

/// Needles of one field, or of any value.
#[derive(Debug)]
struct Needles {
    exact: HashMap<Box<str>, Vec<RuleId>, foldhash::fast::RandomState>,
    /// Lengths of exact values, a bit each; the last stands for all longer ones.
    lengths: u64,
    starts: Option<Posted<Edges>>,
    ends: Option<Posted<Edges>>,
    inside: Option<Posted<Grams>>,
    networks: HashMap<NetworkId, Vec<RuleId>, foldhash::fast::RandomState>,
}

/// Needles of one kind, and by needle whose witness it is.
#[derive(Debug)]
struct Posted<T> {
    needles: T,
    rules: Vec<Vec<RuleId>>,
}

/// The index of a program.
#[derive(Debug)]
pub struct Index {
    fields: Vec<Option<Needles>>,
    keywords: Option<Needles>,
    /// By rule: the fields of its witness; `None` is a rule without.
    witnessed: Vec<Option<Vec<Option<FieldId>>>>,
    seen: Vec<u32>,
    round: u32,
}

/// Rules that one kind of event can meet, and what of it must be scanned for them.
#[derive(Debug, Default)]
pub struct Scope {
    /// The rules.
    pub rules: IdSet,
    /// Their number.
    pub len: usize,
    fields: Vec<FieldId>,
    keywords: bool,
    /// Rules without a witness.
    pub always: Vec<RuleId>,
}

impl Index {
    /// Builds the index of the active rules.
    pub fn new(program: &Program, active: &[bool]) -> Self {
        let mut building: Vec<Building> = (0..=program.fields.len()).map(|_| Building::default()).collect();
        let mut witnessed = Vec::with_capacity(program.rules.len());
        for (rule, code) in program.rules.iter().enumerate() {
            let found = if active[rule] {
                witness(program, code.condition)
            } else {
                None
            };
            let Some(found) = found else {
                witnessed.push(None);
                continue;
            };
            let mut fields: Vec<Option<FieldId>> = found.needles.iter().map(|needle| needle.field).collect();
            fields.sort_unstable();
            fields.dedup();
            witnessed.push(Some(fields));
            for needle in found.needles {
                let place = needle.field.map_or(program.fields.len(), |field| field as usize);
                building[place].add(needle.at, needle.text, rule as RuleId);
            }
        }
        let keywords = building.pop().and_then(Building::finish);
        Self {
            fields: building.into_iter().map(Building::finish).collect(),
            keywords,
            witnessed,
            seen: vec![0; program.rules.len()],
            round: 0,
        }
    }

    /// What must be scanned for `rules`.
    pub fn scope(&self, rules: &[RuleId]) -> Arc<Scope> {
        let mut scope = Scope {
            rules: IdSet::new(rules),
            len: rules.len(),
            ..Scope::default()
        };
        let mut asked = vec![false; self.fields.len()];
        for rule in rules {
            match &self.witnessed[*rule as usize] {
                None => scope.always.push(*rule),
                Some(fields) => {
                    fields.iter().flatten().for_each(|field| asked[*field as usize] = true);
                    scope.keywords |= fields.contains(&None);
                }
            }
        }
        let asked = (0..).zip(asked).filter(|(_, asked)| *asked);
        scope.fields = asked.map(|(field, _)| field).collect();
        Arc::new(scope)
    }

    /// Fills `out` with the rules of `scope` that can match an event, each once; the number of bytes scanned.
    pub fn candidates(&mut self, scope: &Scope, event: &Event, facts: &mut Facts, out: &mut Vec<RuleId>) -> u64 {
        out.clear();
        out.extend_from_slice(&scope.always);
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.seen.fill(0);
            self.round = 1;
        }
        let Self {
            fields,
            keywords,
            seen,
            round,
            ..
        } = self;
        let mut scanned = 0;
        let mut take = |rule: RuleId| {
            if scope.rules.contains(rule) && seen[rule as usize] != *round {
                seen[rule as usize] = *round;
                out.push(rule);
            }
        };
        for field in &scope.fields {
            if let Some(needles) = &fields[*field as usize] {
                facts.folded(event, *field, &mut |value, text| {
                    scanned += text.len() as u64;
                    needles.scan(value, text, &mut take);
                });
                if !needles.networks.is_empty() {
                    let held = facts.networks(event, *field).into_iter().flatten();
                    let rules = held.filter_map(|network| needles.networks.get(network));
                    rules.flatten().for_each(|rule| take(*rule));
                }
            }
        }
        if let (true, Some(needles)) = (scope.keywords, keywords) {
            if let Some(text) = facts.folded_at_once(event)
                && needles.lengths == 0
            {
                needles.scan_inside(text, &mut take);
                return scanned + text.len() as u64;
            }
            facts.folded_all(event, &mut |value, text| {
                scanned += text.len() as u64;
                needles.scan(value, text, &mut take);
            });
        }
        scanned
    }
}

impl Needles {
    fn scan(&self, value: Value<'_>, text: &str, take: &mut impl FnMut(RuleId)) {
        if self.lengths != 0 {
            if self.lengths >> text.len().min(63) & 1 == 1 {
                self.exact.get(text).into_iter().flatten().for_each(|rule| take(*rule));
            }
            if let Some(number) = Number::of(value)
                && !matches!(value, Value::Int(_) | Value::Uint(_))
            {
                // 4624.0 equals 4624 and is written otherwise.
                self.exact
                    .get(canonical(number).as_str())
                    .into_iter()
                    .flatten()
                    .for_each(|rule| take(*rule));
            }
        }
        for edges in [&self.starts, &self.ends].into_iter().flatten() {
            edges
                .needles
                .scan(text.as_bytes(), &mut |needle| edges.give(needle, take));
        }
        self.scan_inside(text, take);
    }

    fn scan_inside(&self, text: &str, take: &mut impl FnMut(RuleId)) {
        if let Some(inside) = &self.inside {
            inside
                .needles
                .scan(text.as_bytes(), &mut |needle| inside.give(needle, take));
        }
    }
}

impl<T> Posted<T> {
    fn give(&self, needle: u32, take: &mut impl FnMut(RuleId)) {
        self.rules[needle as usize].iter().for_each(|rule| take(*rule));
    }
}

#[derive(Default)]
struct Building {
    exact: HashMap<Box<str>, Vec<RuleId>, foldhash::fast::RandomState>,
    starts: Texts,
    ends: Texts,
    inside: Texts,
    networks: HashMap<NetworkId, Vec<RuleId>, foldhash::fast::RandomState>,
}

/// Needles of one kind that are being collected.
#[derive(Default)]
struct Texts {
    places: HashMap<Box<str>, usize>,
    needles: Vec<Box<str>>,
    rules: Vec<Vec<RuleId>>,
}

impl Texts {
    fn add(&mut self, text: Box<str>, rule: RuleId) {
        let place = *self.places.entry(text).or_insert_with_key(|text| {
            self.needles.push(text.clone());
            self.rules.push(Vec::new());
            self.rules.len() - 1
        });
        self.rules[place].push(rule);
    }

    fn post<T>(self, make: impl FnOnce(Vec<Box<str>>) -> T) -> Option<Posted<T>> {
        (!self.needles.is_empty()).then(|| Posted {
            needles: make(self.needles),
            rules: self.rules,
        })
    }
}

impl Building {
    fn add(&mut self, at: At, text: Box<str>, rule: RuleId) {
        match at {
            At::Whole => {
                let rules = self.exact.entry(text).or_default();
                if rules.last() != Some(&rule) {
                    rules.push(rule);
                }
            }
            At::Start => self.starts.add(text, rule),
            At::End => self.ends.add(text, rule),
            At::Inside => self.inside.add(text, rule),
            At::Network(id) => self.networks.entry(id).or_default().push(rule),
        }
    }

    fn finish(self) -> Option<Needles> {
        let texts = [&self.starts, &self.ends, &self.inside];
        let no_texts = texts.iter().all(|kind| kind.needles.is_empty());
        if self.exact.is_empty() && no_texts && self.networks.is_empty() {
            return None;
        }
        Some(Needles {
            lengths: (self.exact.keys()).fold(0, |lengths, text| lengths | 1 << text.len().min(63)),
            exact: self.exact,
            starts: self.starts.post(|texts| Edges::new(Edge::Start, texts)),
            ends: self.ends.post(|texts| Edges::new(Edge::End, texts)),
            inside: self.inside.post(Grams::new),
            networks: self.networks,
        })
    }
}
