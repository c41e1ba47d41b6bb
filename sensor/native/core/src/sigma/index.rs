//! The witness index: from the texts of an event to the few rules that can match it.
//!
//! Per field one hash map of exact values and one automaton over all other needles. A rule without a witness is always a
//! candidate in its class.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use hashbrown::HashMap;

use super::class::RuleSet;
use super::facts::Facts;
use super::literal::{At, canonical, witness};
use super::number::Number;
use super::predicate::FieldId;
use super::program::{Program, RuleId};
use crate::event::{Event, Value};

/// Above this many needles an automaton is kept as an NFA: a DFA would take tens of megabytes.
const MAX_DFA_NEEDLES: usize = 3_000;

/// Needles of one field, or of any value.
#[derive(Debug, Default)]
struct Needles {
    exact: HashMap<Box<str>, Vec<RuleId>, foldhash::fast::RandomState>,
    automaton: Option<AhoCorasick>,
    /// By needle: where it must stand, and whose witness it is.
    postings: Vec<Vec<(At, RuleId)>>,
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
    pub rules: RuleSet,
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
            rules: RuleSet::new(rules),
            len: rules.len(),
            ..Scope::default()
        };
        for rule in rules {
            match &self.witnessed[*rule as usize] {
                None => scope.always.push(*rule),
                Some(fields) => {
                    scope.fields.extend(fields.iter().flatten());
                    scope.keywords |= fields.contains(&None);
                }
            }
        }
        scope.fields.sort_unstable();
        scope.fields.dedup();
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
            }
        }
        if let (true, Some(needles)) = (scope.keywords, keywords) {
            facts.folded_all(event, &mut |value, text| {
                scanned += text.len() as u64;
                needles.scan(value, text, &mut take);
            });
        }
        scanned
    }
}

impl Needles {
    fn scan(&self, value: Value<'_>, text: &str, take: &mut dyn FnMut(RuleId)) {
        if !self.exact.is_empty() {
            self.exact.get(text).into_iter().flatten().for_each(|rule| take(*rule));
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
        let Some(automaton) = &self.automaton else {
            return;
        };
        for found in automaton.find_overlapping_iter(text) {
            for (at, rule) in &self.postings[found.pattern().as_usize()] {
                let stands = match at {
                    At::Inside => true,
                    At::Start => found.start() == 0,
                    At::End => found.end() == text.len(),
                    At::Whole => found.start() == 0 && found.end() == text.len(),
                };
                if stands {
                    take(*rule);
                }
            }
        }
    }
}

#[derive(Default)]
struct Building {
    exact: HashMap<Box<str>, Vec<RuleId>, foldhash::fast::RandomState>,
    places: HashMap<Box<str>, usize>,
    texts: Vec<Box<str>>,
    postings: Vec<Vec<(At, RuleId)>>,
}

impl Building {
    fn add(&mut self, at: At, text: Box<str>, rule: RuleId) {
        if at == At::Whole {
            let rules = self.exact.entry(text).or_default();
            if rules.last() != Some(&rule) {
                rules.push(rule);
            }
            return;
        }
        let place = *self.places.entry(text).or_insert_with_key(|text| {
            self.texts.push(text.clone());
            self.postings.push(Vec::new());
            self.postings.len() - 1
        });
        self.postings[place].push((at, rule));
    }

    fn finish(self) -> Option<Needles> {
        if self.exact.is_empty() && self.texts.is_empty() {
            return None;
        }
        let kind = if self.texts.len() > MAX_DFA_NEEDLES {
            AhoCorasickKind::ContiguousNFA
        } else {
            AhoCorasickKind::DFA
        };
        let build = |kind| {
            AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind(Some(kind))
                .build(self.texts.iter().map(|t| t.as_bytes()))
        };
        // Only more than 2^31 states fail, and a needle has a state per byte.
        let automaton = (!self.texts.is_empty()).then(|| {
            build(kind)
                .or_else(|_| build(AhoCorasickKind::NoncontiguousNFA))
                .expect("a pack of at most 128 MiB has fewer states than an automaton may have")
        });
        Some(Needles {
            exact: self.exact,
            automaton,
            postings: self.postings,
        })
    }
}
