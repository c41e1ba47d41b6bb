//! The engine: an event in, the hits of all rules out.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::class::{Classes, Making, View};
use super::evidence;
use super::facts::Facts;
use super::gates::Gates;
use super::hit::{Hit, HitKind};
use super::identity::{Identity, Ordinals, event_id};
use super::index::{Index, Scope};
use super::lists::Lists;
use super::network::Network;
use super::pack::Pack;
use super::plain::Plain;
use super::plan::Step;
use super::program::{NodeId, Program, RuleId};
use super::value::whole_text;
use crate::event::{Event, LogSource};
use crate::json;
use crate::jsonl::Wanted;
use crate::stats::{Report, Tally};

/// What a sensor adds to a pack.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The sensor's id; part of every event id.
    pub sensor: String,
    /// Values of the declared lists.
    pub lists: BTreeMap<String, Vec<String>>,
    /// The local networks, for alias guards.
    pub local_networks: Vec<Network>,
}

/// Counters of the engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events seen.
    pub events: u64,
    /// Events that no rule's log source contains.
    pub unclassed: u64,
    /// Conditions evaluated.
    pub candidates: u64,
    /// Hits, those without an alert of their own too.
    pub hits: u64,
    /// Bytes of folded text that were scanned.
    pub scanned: u64,
}

/// Matches events against a pack. One per thread; the pack is shared.
#[derive(Debug)]
pub struct Engine {
    pack: Arc<Pack>,
    settings: Settings,
    lists: Lists,
    active: Vec<bool>,
    classes: Classes,
    index: Index,
    gates: Gates,
    facts: Facts,
    wanted: Arc<Wanted>,
    /// Answers of condition nodes, stamped by the view of the event they are of.
    memo: Vec<u32>,
    stamp: u32,
    candidates: Vec<RuleId>,
    matched: Vec<RuleId>,
    ordinals: Ordinals,
    ids: Vec<Arc<str>>,
    sources: HashMap<LogSource, Arc<LogSource>>,
    per_rule: Vec<u64>,
    counts: Counts,
    text: Vec<u8>,
}

impl Engine {
    /// Makes an engine; value lists are resolved here.
    pub fn new(pack: Arc<Pack>, settings: Settings) -> Self {
        let program = &pack.program;
        let lists = program.lists.filled(&settings.lists);
        let active: Vec<bool> = (program.rules.iter())
            .map(|r| r.lists.iter().all(|l| lists.is_filled(l)))
            .collect();
        let wanted = Arc::new(Wanted::new(program.names()));
        Self {
            index: Index::new(program, &active),
            gates: Gates::default(),
            facts: Facts::new(program.fields.len(), Arc::clone(&wanted), Arc::clone(&program.networks)),
            wanted,
            memo: vec![0; program.nodes.len()],
            stamp: 0,
            candidates: Vec::new(),
            matched: Vec::new(),
            ordinals: Ordinals::default(),
            ids: program.rules.iter().map(|r| r.metadata.id.as_str().into()).collect(),
            sources: HashMap::new(),
            per_rule: vec![0; program.rules.len()],
            counts: Counts::default(),
            text: Vec::new(),
            classes: Classes::default(),
            active,
            lists,
            settings,
            pack,
        }
    }

    /// The pack.
    pub fn pack(&self) -> &Arc<Pack> {
        &self.pack
    }

    /// The names that rules can ask an event for: what a lazy reader needs to keep.
    pub fn wanted(&self) -> &Arc<Wanted> {
        &self.wanted
    }

    /// The filled value lists.
    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    /// Rules that cannot fire because a declared list has no values: (rule id, list).
    pub fn inactive(&self) -> Vec<(&str, &str)> {
        let lists = &self.lists;
        let rules = self.pack.program.rules.iter();
        rules
            .flat_map(|rule| {
                let empty = rule.lists.iter().filter(|list| !lists.is_filled(list));
                empty.map(|list| (rule.metadata.id.as_str(), list.as_str()))
            })
            .collect()
    }

    /// Counters.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Matches an event; `out` takes each hit, in the order of the pack. `offset` is the event's place in its input.
    pub fn event(&mut self, event: &Event, input: &Arc<str>, offset: u64, out: &mut dyn FnMut(Hit)) {
        let mut shared: Option<Shared> = None;
        self.each_view(event, &mut |engine, view, rules| {
            for rule in rules {
                let common = shared.get_or_insert_with(|| engine.share(event, input));
                let hit = engine.hit(event, view, *rule, input, offset, common);
                out(hit);
            }
        });
    }

    /// The rules that match an event, without making hits: for benches and tests.
    pub fn matches(&mut self, event: &Event, rules: &mut Vec<RuleId>) {
        rules.clear();
        self.each_view(event, &mut |_, _, matched| rules.extend_from_slice(matched));
    }

    fn each_view(&mut self, event: &Event, each: &mut dyn FnMut(&mut Self, &View, &[RuleId])) {
        self.counts.events += 1;
        let pack = Arc::clone(&self.pack);
        let program = &pack.program;
        let make = Making {
            program,
            index: &self.index,
            active: &self.active,
            wanted: &self.wanted,
        };
        let views = self.classes.of(&make, event);
        if views.is_empty() {
            self.counts.unclassed += 1;
            return;
        }
        self.facts.take(event);
        let mut before: Vec<RuleId> = Vec::new(); // one rule, one alert, whatever number of aliases it is seen through
        for view in &*views {
            let alias = view.alias.map(|index| &program.aliases[index]);
            if alias.is_some_and(|a| !a.guard.holds(event, &self.settings.local_networks)) {
                continue;
            }
            view.place(program, event, &mut self.facts);
            self.next_stamp();
            let scope = self.scope(program, view, event);
            if scope.len == 0 {
                continue;
            }
            let mut candidates = std::mem::take(&mut self.candidates);
            self.counts.scanned += self.index.candidates(&scope, event, &mut self.facts, &mut candidates);
            candidates.sort_unstable();
            let mut matched = std::mem::take(&mut self.matched);
            matched.clear();
            self.counts.candidates += candidates.len() as u64;
            for rule in candidates.drain(..) {
                let condition = program.rules[rule as usize].condition;
                if !before.contains(&rule) && self.conditions(program, event).node(condition) {
                    matched.push(rule);
                }
            }
            for rule in &matched {
                self.per_rule[*rule as usize] += 1;
            }
            self.counts.hits += matched.len() as u64;
            each(self, view, &matched);
            before.extend_from_slice(&matched);
            (self.candidates, self.matched) = (candidates, matched);
        }
    }

    fn next_stamp(&mut self) {
        self.stamp += 2;
        if self.stamp >= u32::MAX - 2 {
            self.memo.fill(0);
            self.stamp = 2;
        }
    }

    /// The rules of a view whose gates hold.
    fn scope(&mut self, program: &Program, view: &View, event: &Event) -> Arc<Scope> {
        if view.gate_fields.is_empty() {
            return Arc::clone(&view.scope);
        }
        self.gates.start(view.id);
        for field in &view.gate_fields {
            match field {
                Some(field) => self.gates.add(self.facts.header_value(event, *field)),
                None => event.visit(&mut |_, value| self.gates.add(Some(value))),
            }
        }
        if let Some(known) = self.gates.get() {
            return known;
        }
        let alias = view.alias.map(|index| &program.aliases[index]);
        let plain = Plain {
            program,
            lists: &self.lists,
            event,
            alias,
            header: true,
        };
        let mut answers: HashMap<NodeId, bool> = HashMap::new();
        let mut holds = |gate: &NodeId| *answers.entry(*gate).or_insert_with(|| plain.gate(*gate));
        let mut open: Vec<RuleId> = (view.gated.iter())
            .filter(|gated| gated.gates.iter().all(&mut holds))
            .flat_map(|gated| gated.rules.iter().copied())
            .collect();
        open.sort_unstable();
        let scope = self.index.scope(&open);
        self.gates.set(&scope);
        scope
    }

    fn conditions<'a>(&'a mut self, program: &'a Program, event: &'a Event) -> Conditions<'a> {
        let Self {
            facts,
            memo,
            lists,
            stamp,
            ..
        } = self;
        Conditions {
            program,
            lists,
            event,
            facts,
            memo,
            stamp: *stamp,
        }
    }

    fn share(&mut self, event: &Event, input: &str) -> Shared {
        self.text.clear();
        json::event(&mut self.text, event);
        let text: Arc<str> = String::from_utf8_lossy(&self.text).into();
        let identity = self.ordinals.next(input, event.ts, &text);
        let source = event.logsource();
        let source = match self.sources.get(source) {
            Some(known) => Arc::clone(known),
            None => Arc::clone(
                self.sources
                    .entry(source.clone())
                    .or_insert_with(|| Arc::new(source.clone())),
            ),
        };
        Shared { text, identity, source }
    }

    fn hit(&self, event: &Event, view: &View, rule: RuleId, input: &Arc<str>, offset: u64, shared: &Shared) -> Hit {
        let program = &self.pack.program;
        let code = &program.rules[rule as usize];
        let alias = view.alias.map(|index| &program.aliases[index]);
        let plain = Plain {
            program,
            lists: &self.lists,
            event,
            alias,
            header: false,
        };
        let key = |field: &u32| {
            self.facts
                .value(event, *field)
                .and_then(whole_text)
                .map(String::into_boxed_str)
        };
        let id = &self.ids[rule as usize];
        Hit {
            kind: HitKind::Match,
            id: event_id(&self.settings.sensor, id, &shared.text, shared.identity.ordinal),
            member: rule,
            rule: Arc::clone(id),
            alert: code.alert,
            ts: event.ts,
            input: Arc::clone(input),
            offset,
            source: shared.identity.id,
            logsource: Arc::clone(&shared.source),
            event: Arc::clone(&shared.text),
            matched: evidence::of(&plain, code),
            keys: code.correlate.iter().map(key).collect(),
            retimed: false,
        }
    }

    /// Ordinals of recent events as bytes, for a checkpoint.
    pub fn snapshot(&self) -> Vec<u8> {
        self.ordinals.snapshot()
    }

    /// Takes the ordinals of a checkpoint.
    pub fn restore(&mut self, bytes: &[u8]) {
        self.ordinals = Ordinals::restore(bytes);
    }
}

/// What all hits of one event have in common.
struct Shared {
    text: Arc<str>,
    identity: Identity,
    source: Arc<LogSource>,
}

/// Conditions of one event; each node is answered once.
struct Conditions<'a> {
    program: &'a Program,
    lists: &'a Lists,
    event: &'a Event,
    facts: &'a mut Facts,
    memo: &'a mut [u32],
    stamp: u32,
}

impl Conditions<'_> {
    fn node(&mut self, node: NodeId) -> bool {
        let known = self.memo[node as usize];
        if known & !1 == self.stamp {
            return known & 1 == 1;
        }
        let program = self.program;
        let plan = &program.plan;
        let holds = match plan.step(node) {
            Step::Predicate(index) => {
                let predicate = &program.predicates[index as usize];
                self.facts.test(self.event, predicate, self.lists).holds()
            }
            Step::All(from, to) => plan.children(from, to).iter().all(|child| self.node(*child)),
            Step::Any(from, to) => plan.children(from, to).iter().any(|child| self.node(*child)),
            Step::Not(child) => !self.node(child),
        };
        self.memo[node as usize] = self.stamp | u32::from(holds);
        holds
    }
}

impl Report for Engine {
    fn report(&self, tally: &mut Tally) {
        tally.add("sigma.events", self.counts.events);
        tally.add("sigma.unclassed", self.counts.unclassed);
        tally.add("sigma.candidates", self.counts.candidates);
        tally.add("sigma.hits", self.counts.hits);
        tally.add("sigma.scanned_bytes", self.counts.scanned);
        tally.add("sigma.rules", self.active.len() as u64);
        tally.add(
            "sigma.rules_inactive",
            self.active.iter().filter(|a| !**a).count() as u64,
        );
        tally.add("sigma.headers_forgotten", self.gates.forgotten);
        tally.add("sigma.ordinals_forgotten", self.ordinals.forgotten);
        for (rule, hits) in self.ids.iter().zip(&self.per_rule).filter(|(_, hits)| **hits > 0) {
            tally.add(&format!("sigma.rule_hits{{{rule}}}"), *hits);
        }
    }
}
