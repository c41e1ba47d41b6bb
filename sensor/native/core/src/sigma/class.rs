//! Event classes: which rules an event can meet at all, by its log source and aliases, found once per kind of event.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::alias::Source;
use super::facts::{Facts, Slot};
use super::index::{Index, Scope};
use super::predicate::FieldId;
use super::program::{NodeId, Program, RuleId};
use crate::event::{Body, COMMON, Event, Fields, Kind, LogSource};
use crate::jsonl::{HEADER, Line, Wanted};

/// Rules of one class as seen through one alias, or none.
#[derive(Debug)]
pub struct View {
    /// Index of the alias.
    pub alias: Option<usize>,
    /// The rules by what a header must say for them: the gates of a rule's own, and those that make an event one of its log
    /// source where it is not by name. A few dozen for thousands of rules.
    pub gated: Vec<Gated>,
    /// All of them, before gates.
    pub scope: Arc<Scope>,
    /// Fields that gates read, `None` for every value; empty where no rule has gates.
    pub gate_fields: Vec<Option<FieldId>>,
    /// Number of this view.
    pub id: u32,
    /// Columns of a typed record: where fields stand.
    columns: Vec<(FieldId, Slot)>,
    /// Named values: which fields read a name.
    names: HashMap<Box<str>, Vec<FieldId>, foldhash::fast::RandomState>,
    /// The same by wanted id, for lines read lazily.
    wanted: Vec<Vec<FieldId>>,
}

/// Rules that have the same gates.
#[derive(Debug)]
pub struct Gated {
    /// All must hold.
    pub gates: Vec<NodeId>,
    /// The rules, in the order of the pack.
    pub rules: Vec<RuleId>,
}

/// Views by kind of event.
#[derive(Debug, Default)]
pub struct Classes {
    typed: HashMap<usize, Arc<[View]>>,
    named: HashMap<LogSource, Arc<[View]>>,
    /// Log sources are few and come from definitions; the last one is nearly always the next.
    last: Option<(Arc<LogSource>, Arc<[View]>)>,
    made: u32,
}

impl Classes {
    /// The views of an event.
    pub fn of(&mut self, make: &Making<'_>, event: &Event) -> Arc<[View]> {
        let Self {
            typed,
            named,
            last,
            made,
        } = self;
        let logsource = match &event.body {
            Body::Typed(record) => {
                let kind = record.kind();
                let key = std::ptr::from_ref::<Kind>(kind).addr();
                let views = typed.entry(key);
                return Arc::clone(views.or_insert_with(|| make.views(&kind.logsource, Some(kind), made)));
            }
            Body::Named(fields) => &fields.logsource,
            Body::Line(line) => line.logsource(),
        };
        if let Some((source, views)) = &*last
            && Arc::ptr_eq(source, logsource)
        {
            return Arc::clone(views);
        }
        let known = named.get(&**logsource).map(Arc::clone);
        let views = known.unwrap_or_else(|| {
            let views = make.views(logsource, None, made);
            named.insert((**logsource).clone(), Arc::clone(&views));
            views
        });
        *last = Some((Arc::clone(logsource), Arc::clone(&views)));
        views
    }
}

/// What views are made of.
#[derive(Debug, Clone, Copy)]
pub struct Making<'a> {
    /// The rules.
    pub program: &'a Program,
    /// Their witnesses.
    pub index: &'a Index,
    /// Which of them can fire.
    pub active: &'a [bool],
    /// The names that lazy readers keep.
    pub wanted: &'a Wanted,
}

impl Making<'_> {
    fn views(&self, source: &LogSource, kind: Option<&Kind>, made: &mut u32) -> Arc<[View]> {
        let aliases = self
            .program
            .aliases
            .iter()
            .enumerate()
            .filter(|(_, alias)| alias.event.serves(source));
        let seen = std::iter::once((None, source)).chain(aliases.map(|(index, alias)| (Some(index), &alias.serves)));
        seen.filter_map(|(alias, serves)| {
            *made += 1;
            self.view(alias, serves, kind, *made)
        })
        .collect()
    }

    fn view(&self, alias: Option<usize>, source: &LogSource, kind: Option<&Kind>, id: u32) -> Option<View> {
        let program = self.program;
        let (mut rules, mut gated) = (Vec::new(), HashMap::<Vec<NodeId>, Vec<RuleId>>::new());
        for (index, rule) in program
            .rules
            .iter()
            .enumerate()
            .filter(|(index, _)| self.active[*index])
        {
            if let Some(mut gates) = program.classes.admits(&rule.logsource, source) {
                gates.extend(&rule.gates);
                gates.sort_unstable();
                gates.dedup();
                rules.push(index as RuleId);
                gated.entry(gates).or_default().push(index as RuleId);
            }
        }
        if rules.is_empty() {
            return None;
        }
        let (mut columns, mut names) = (Vec::new(), HashMap::<Box<str>, Vec<FieldId>, _>::default());
        for (field, own) in program.fields.iter().enumerate() {
            let field = field as FieldId;
            let name = match alias.and_then(|index| program.aliases[index].fields.get(&field)) {
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
                    columns.extend(common.or_else(column).map(|slot| (field, slot)));
                }
                None => names.entry(name.into()).or_default().push(field),
            }
        }
        let mut gate_fields = Vec::new();
        let all: HashSet<NodeId> = gated.keys().flatten().copied().collect();
        for gate in all {
            program.fields_of(gate, &mut gate_fields);
        }
        gate_fields.sort_unstable();
        gate_fields.dedup();
        let scope = self.index.scope(&rules);
        let wanted = (self.wanted.names().iter())
            .map(|name| names.get(name).cloned().unwrap_or_default())
            .collect();
        Some(View {
            alias,
            gated: (gated.into_iter())
                .map(|(gates, rules)| Gated { gates, rules })
                .collect(),
            scope,
            gate_fields,
            id,
            columns,
            names,
            wanted,
        })
    }
}

impl View {
    /// Places the fields of an event.
    pub fn place(&self, program: &Program, event: &Event, facts: &mut Facts) {
        facts.start();
        for (field, slot) in &self.columns {
            facts.place(*field, *slot);
        }
        match &event.body {
            Body::Typed(_) => {}
            Body::Named(fields) => self.place_fields(fields, facts),
            Body::Line(line) if facts.reads(line) => self.place_leaves(line, facts),
            // Read for an engine that was replaced meanwhile.
            Body::Line(line) => self.place_fields(line.whole(), facts),
        }
        if let Some(alias) = self.alias {
            facts.derive(event, &program.aliases[alias]);
        }
    }

    fn place_leaves(&self, line: &Line, facts: &mut Facts) {
        for (place, leaf) in line.leaves().iter().enumerate() {
            if let Some(id) = leaf.wanted() {
                for field in &self.wanted[id as usize] {
                    facts.place(*field, Slot::Leaf(place as u32));
                }
            }
        }
    }

    fn place_fields(&self, fields: &Fields, facts: &mut Facts) {
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
}
