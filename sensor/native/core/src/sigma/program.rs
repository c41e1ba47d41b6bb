//! The program of a pack: what `rules.json` means, checked once so that the engine needs to check nothing.

use std::sync::Arc;

use hashbrown::HashMap;

use super::admission::Classing;
use super::alias::{Alias, Source};
use super::error::PackError;
use super::lists::Lists;
use super::model::{self, Manifest, Metadata, Node, Rules};
use super::networks::Networks;
use super::plan::Plan;
use super::predicate::{self, FieldId, Predicate, Test};
use crate::correlate::definition::{self, Definition};
use crate::event::LogSource;

/// Index of a rule in a program.
pub type RuleId = u32;
/// Index of a condition node in a program.
pub type NodeId = u32;

/// One rule, ready to run.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Log source that an event's must contain.
    pub logsource: LogSource,
    /// Conditions of the event's class, read from the header.
    pub gates: Vec<NodeId>,
    /// The condition.
    pub condition: NodeId,
    /// Named selections.
    pub selections: Vec<(String, NodeId)>,
    /// Whether it raises alerts of its own.
    pub alert: bool,
    /// Value lists it needs.
    pub lists: Vec<String>,
    /// Fields that correlations read from its hits.
    pub correlate: Vec<FieldId>,
    /// Id, title and the rest.
    pub metadata: Metadata,
}

impl Rule {
    /// The place of a field in the keys of this rule's hits; it is added where it has none.
    pub fn correlated(&mut self, field: FieldId) -> usize {
        self.correlate.iter().position(|f| *f == field).unwrap_or_else(|| {
            self.correlate.push(field);
            self.correlate.len() - 1
        })
    }
}

/// All rules, correlations and aliases of a pack.
#[derive(Debug, Clone)]
pub struct Program {
    /// Field names by id.
    pub fields: Vec<String>,
    /// Predicates.
    pub predicates: Vec<Predicate>,
    /// Conditions; a child stands before its parent.
    pub nodes: Vec<Node>,
    /// The same for asking.
    pub plan: Plan,
    /// Rules.
    pub rules: Vec<Rule>,
    /// Correlations in an order in which each stands after those it reads.
    pub correlations: Vec<Definition>,
    /// Log-source aliases.
    pub aliases: Vec<Alias>,
    /// Parts of log sources that a header tells.
    pub classes: Classing,
    /// The declared value lists, without values.
    pub lists: Lists,
    /// All networks that predicates name.
    pub networks: Arc<Networks>,
}

impl Program {
    /// Checks and compiles `rules.json`.
    ///
    /// # Errors
    /// Any index that points nowhere, unknown operator, undeclared list, unknown guard, correlation over an unknown rule.
    pub fn new(written: Rules, manifest: &Manifest) -> Result<Self, PackError> {
        let (mut lists, mut networks) = (Lists::new(manifest), Networks::default());
        let width = written.fields.len();
        let mut predicates = Vec::with_capacity(written.predicates.len());
        for (index, one) in written.predicates.into_iter().enumerate() {
            predicates.push(predicate::compile(index, &one, width, &mut lists, &mut networks)?);
        }
        check_nodes(&written.nodes, predicates.len())?;
        let fields = written.fields;
        let ids: HashMap<&str, FieldId> = fields
            .iter()
            .enumerate()
            .map(|(id, name)| (name.as_str(), id as FieldId))
            .collect();
        let aliases = (written.aliases.iter().enumerate())
            .map(|(index, alias)| Alias::new(index, alias, &ids))
            .collect::<Result<Vec<_>, _>>()?;
        let nodes = written.nodes.len();
        let classes = Classing::new(&written.classes, nodes)?;
        let mut rules = written
            .rules
            .into_iter()
            .map(|rule| compile_rule(rule, nodes, &mut lists))
            .collect::<Result<Vec<_>, _>>()?;
        let correlations = definition::compile(written.correlations, &mut rules, &ids)?;
        drop(ids);
        Ok(Self {
            plan: Plan::new(&written.nodes, &predicates),
            fields,
            predicates,
            nodes: written.nodes,
            rules,
            correlations,
            aliases,
            classes,
            lists,
            networks: Arc::new(networks),
        })
    }

    /// Adds the fields that a condition reads; `None` stands for every value of the event.
    pub fn fields_of(&self, node: NodeId, out: &mut Vec<Option<FieldId>>) {
        match &self.nodes[node as usize] {
            Node::Predicate(index) => {
                let predicate = &self.predicates[*index as usize];
                out.push(predicate.field);
                if let Test::FieldRef { other, .. } = &predicate.test {
                    out.push(Some(*other));
                }
            }
            Node::And(children) | Node::Or(children) => {
                for child in children {
                    self.fields_of(*child, out);
                }
            }
            Node::Not(child) => self.fields_of(*child, out),
        }
    }

    /// Every name that an event can be asked for: fields of rules, what aliases read in their place, and what their guards and
    /// derivations read.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let aliased = self
            .aliases
            .iter()
            .flat_map(|alias| alias.fields.values())
            .map(|source| match source {
                Source::Name(name) | Source::Derived(_, name) => &**name,
            });
        self.fields
            .iter()
            .map(String::as_str)
            .chain(aliased)
            .chain(["id.orig_h", "id.resp_h", "host"])
    }

    /// The index of the rule whose id, name or title is `wanted`.
    pub fn find(&self, wanted: &str) -> Option<RuleId> {
        let named = |m: &Metadata| m.id == wanted || m.name.as_deref() == Some(wanted) || m.title == wanted;
        self.rules
            .iter()
            .position(|rule| named(&rule.metadata))
            .map(|index| index as RuleId)
    }
}

fn check_nodes(nodes: &[Node], predicates: usize) -> Result<(), PackError> {
    for (index, node) in nodes.iter().enumerate() {
        let children = match node {
            Node::Predicate(p) if (*p as usize) < predicates => &[][..],
            Node::Predicate(p) => {
                return Err(PackError::rules(format!("node {index}: there is no predicate {p}")));
            }
            Node::And(children) | Node::Or(children) => children,
            Node::Not(child) => std::slice::from_ref(child),
        };
        if let Some(child) = children.iter().find(|c| **c as usize >= index) {
            return Err(PackError::rules(format!(
                "node {index}: its child {child} does not stand before it"
            )));
        }
    }
    Ok(())
}

fn compile_rule(rule: model::Rule, nodes: usize, lists: &mut Lists) -> Result<Rule, PackError> {
    let lost = |n: &&NodeId| **n as usize >= nodes;
    if let Some(lost) = rule
        .gates
        .iter()
        .chain([&rule.condition])
        .chain(rule.selections.values())
        .find(lost)
    {
        return Err(PackError::rules(format!(
            "rule {}: there is no node {lost}",
            rule.metadata.id
        )));
    }
    for list in &rule.lists {
        lists.declared(list)?;
    }
    Ok(Rule {
        logsource: (&rule.logsource).into(),
        gates: rule.gates,
        condition: rule.condition,
        selections: rule.selections.into_iter().collect(),
        alert: rule.alert,
        lists: rule.lists,
        correlate: Vec::new(),
        metadata: rule.metadata,
    })
}
