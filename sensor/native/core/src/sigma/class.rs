//! Event classes: which rules an event can meet at all, by its log source and aliases, found once per kind of event.

use std::sync::Arc;

use hashbrown::HashMap;

use super::alias::Source;
use super::facts::{Facts, Slot};
use super::jsonl::HEADER;
use super::predicate::FieldId;
use super::program::{Program, RuleId};
use crate::event::{Body, COMMON, Event, Kind, LogSource};

/// A set of rules.
#[derive(Debug, Clone, Default)]
pub struct RuleSet(Vec<u64>);

impl RuleSet {
    /// The set of `rules`.
    pub fn new(rules: &[RuleId]) -> Self {
        let mut words = vec![0; rules.iter().max().map_or(0, |max| *max as usize / 64 + 1)];
        for rule in rules {
            words[*rule as usize / 64] |= 1 << (rule % 64);
        }
        Self(words)
    }

    /// Whether `rule` is one of them.
    pub fn contains(&self, rule: RuleId) -> bool {
        self.0
            .get(rule as usize / 64)
            .is_some_and(|word| word >> (rule % 64) & 1 == 1)
    }
}

/// Rules of one class as seen through one alias, or none.
#[derive(Debug)]
pub struct View {
    /// Index of the alias.
    pub alias: Option<usize>,
    /// The rules, in the order of the pack.
    pub rules: Vec<RuleId>,
    /// The same as a set.
    pub set: RuleSet,
    /// Columns of a typed record: where fields stand.
    columns: Vec<(FieldId, Slot)>,
    /// Named values: which fields read a name.
    names: HashMap<Box<str>, Vec<FieldId>, foldhash::fast::RandomState>,
}

/// Views by kind of event.
#[derive(Debug, Default)]
pub struct Classes {
    typed: HashMap<usize, Arc<[View]>>,
    named: HashMap<LogSource, Arc<[View]>>,
    /// Log sources are few and come from definitions; the last one is nearly always the next.
    last: Option<(Arc<LogSource>, Arc<[View]>)>,
}

impl Classes {
    /// The views of an event.
    pub fn of(&mut self, program: &Program, active: &[bool], event: &Event) -> Arc<[View]> {
        match &event.body {
            Body::Typed(record) => {
                let kind = record.kind();
                let key = std::ptr::from_ref::<Kind>(kind).addr();
                let views = self
                    .typed
                    .entry(key)
                    .or_insert_with(|| views(program, active, &kind.logsource, Some(kind)));
                Arc::clone(views)
            }
            Body::Named(fields) => {
                if let Some((source, views)) = &self.last
                    && Arc::ptr_eq(source, &fields.logsource)
                {
                    return Arc::clone(views);
                }
                let views = self
                    .named
                    .entry((*fields.logsource).clone())
                    .or_insert_with(|| views(program, active, &fields.logsource, None));
                let views = Arc::clone(views);
                self.last = Some((Arc::clone(&fields.logsource), Arc::clone(&views)));
                views
            }
        }
    }
}

fn views(program: &Program, active: &[bool], source: &LogSource, kind: Option<&Kind>) -> Arc<[View]> {
    let aliases = program
        .aliases
        .iter()
        .enumerate()
        .filter(|(_, alias)| alias.event.serves(source));
    let seen = std::iter::once((None, source)).chain(aliases.map(|(index, alias)| (Some(index), &alias.serves)));
    seen.map(|(alias, serves)| view(program, active, alias, serves, kind))
        .filter(|view| !view.rules.is_empty())
        .collect()
}

fn view(program: &Program, active: &[bool], alias: Option<usize>, source: &LogSource, kind: Option<&Kind>) -> View {
    let rules: Vec<RuleId> = (0..program.rules.len())
        .filter(|index| active[*index] && program.rules[*index].serves(source))
        .map(|index| index as RuleId)
        .collect();
    let (mut columns, mut names) = (Vec::new(), HashMap::<Box<str>, Vec<FieldId>, _>::default());
    for (id, own) in program.fields.iter().enumerate() {
        let id = id as FieldId;
        let name = match alias.and_then(|index| program.aliases[index].fields.get(&id)) {
            Some(Source::Derived(..)) => continue,
            Some(Source::Name(name)) => name,
            None => own.as_str(),
        };
        match kind {
            Some(kind) => {
                let common = COMMON.iter().position(|n| *n == name).map(|at| Slot::Common(at as u16));
                let column = || {
                    kind.names
                        .iter()
                        .position(|n| *n == name)
                        .map(|at| Slot::Column(at as u16))
                };
                columns.extend(common.or_else(column).map(|slot| (id, slot)));
            }
            None => names.entry(name.into()).or_default().push(id),
        }
    }
    let set = RuleSet::new(&rules);
    View {
        alias,
        rules,
        set,
        columns,
        names,
    }
}

impl View {
    /// Places the fields of an event.
    pub fn place(&self, program: &Program, event: &Event, facts: &mut Facts) {
        facts.start();
        for (field, slot) in &self.columns {
            facts.place(*field, *slot);
        }
        if let Body::Named(fields) = &event.body {
            for (place, (name, _)) in fields.values.iter().enumerate() {
                if let Some(ids) = self.names.get(&**name) {
                    for id in ids {
                        facts.place(*id, Slot::Named(place as u32));
                    }
                }
                if let Some(hidden) = name.strip_prefix(HEADER)
                    && let Some(ids) = self.names.get(hidden)
                {
                    for id in ids {
                        facts.place_header(*id, place as u32);
                    }
                }
            }
        }
        if let Some(alias) = self.alias {
            facts.derive(event, &program.aliases[alias]);
        }
    }
}
