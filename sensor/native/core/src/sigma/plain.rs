//! The obvious evaluator: no index, no classes, no memory between questions. Kept for tests, `explain` and evidence, and
//! for the rare gate that must read a header which the body hides.

use serde_json::Value as Json;

use super::alias::{Alias, Source};
use super::evidence::cut;
use super::folding::fold;
use super::lists::Lists;
use super::model::Node;
use super::network::Network;
use super::predicate::{FieldId, Predicate, Test};
use super::program::{NodeId, Program, RuleId};
use super::value;
use super::verdict::Verdict;
use crate::event::{Event, OwnedValue, Value};
use crate::jsonl::HEADER;

/// One event seen through one alias, or none.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'a> {
    /// The rules.
    pub program: &'a Program,
    /// The filled value lists.
    pub lists: &'a Lists,
    /// The event.
    pub event: &'a Event,
    /// The alias, if any.
    pub alias: Option<&'a Alias>,
    /// Whether the header wins over the body.
    pub header: bool,
}

/// A field's value, borrowed or made.
enum Read<'a> {
    Here(Value<'a>),
    Made(OwnedValue),
}

impl Read<'_> {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Here(value) => *value,
            Self::Made(value) => value.as_value(),
        }
    }
}

impl<'a> Plain<'a> {
    fn read(&self, field: FieldId) -> Option<Read<'a>> {
        let name = &self.program.fields[field as usize];
        if self.header
            && let Some(value) = self.event.get(&format!("{HEADER}{name}"))
        {
            return Some(Read::Here(value));
        }
        match self.alias.and_then(|alias| alias.fields.get(&field)) {
            Some(Source::Derived(derive, from)) => derive.of(self.event, from).map(Read::Made),
            Some(Source::Name(other)) => self.event.get(other).map(Read::Here),
            None => self.event.get(name).map(Read::Here),
        }
    }

    /// The answer of a predicate.
    pub fn predicate(&self, index: u32) -> Verdict {
        let predicate = &self.program.predicates[index as usize];
        let test = &predicate.test;
        let Some(field) = predicate.field else {
            let mut holds = false;
            self.event
                .visit(&mut |_, value| holds = holds || test.holds_any(value, self.lists));
            return holds.into();
        };
        let Some(first) = self.read(field) else {
            return Verdict::absent(test);
        };
        match test {
            Test::Exists(wanted) => (*wanted).into(),
            Test::FieldRef { other, how, cased } => {
                let Some(second) = self.read(*other) else {
                    return Verdict::Missing;
                };
                let compared = |value: Value<'_>| {
                    let mut original = String::new();
                    let some = value::text_into(value, &mut original);
                    some.then(|| if *cased { original } else { fold(&original) })
                };
                value::any(first.value(), &mut |left| {
                    value::any(second.value(), &mut |right| {
                        compared(left)
                            .zip(compared(right))
                            .is_some_and(|(left, right)| how.holds(&left, &right))
                    })
                })
                .into()
            }
            _ => test.holds_any(first.value(), self.lists).into(),
        }
    }

    /// The field that a predicate read, and the element of it that met the test.
    pub fn actual(&self, predicate: &Predicate) -> (String, Json) {
        let mut found = None;
        let mut look = |name: &str, value: Value<'_>| {
            if found.is_none() {
                let element = |scalar: Value<'_>| {
                    let holds =
                        matches!(predicate.test, Test::FieldRef { .. }) || predicate.test.holds_any(scalar, self.lists);
                    if holds {
                        found = Some((name.to_owned(), shown(scalar)));
                    }
                    holds
                };
                value::any(value, &mut { element });
            }
        };
        match predicate.field {
            None => self.event.visit(&mut |name, value| look(name, value)),
            Some(field) => {
                let name = &self.program.fields[field as usize];
                if let Some(read) = self.read(field) {
                    look(name, read.value());
                }
                return found.unwrap_or_else(|| (name.clone(), Json::Null));
            }
        }
        found.unwrap_or_default()
    }

    /// The whole value of the field that a predicate reads, for reading; null where it is absent or a keyword's.
    pub fn found(&self, predicate: &Predicate) -> Json {
        let read = predicate.field.and_then(|field| self.read(field));
        read.map_or(Json::Null, |read| match read.value() {
            list @ (Value::Strs(_) | Value::Floats(_) | Value::List(_)) => {
                let mut items = Vec::new();
                value::any(list, &mut |scalar| {
                    items.push(shown(scalar));
                    items.len() >= 32 // enough to see what it is
                });
                items.into()
            }
            scalar => shown(scalar),
        })
    }

    /// The answer of a condition node.
    pub fn node(&self, node: NodeId) -> bool {
        match &self.program.nodes[node as usize] {
            Node::Predicate(predicate) => self.predicate(*predicate).holds(),
            Node::And(children) => children.iter().all(|child| self.node(*child)),
            Node::Or(children) => children.iter().any(|child| self.node(*child)),
            Node::Not(child) => !self.node(*child),
        }
    }

    /// Whether the event is one of a rule's log source, by name or by its header.
    pub fn admits(&self, rule: RuleId) -> bool {
        let source = self.alias.map_or(self.event.logsource(), |alias| &alias.serves);
        let admission = self
            .program
            .classes
            .admits(&self.program.rules[rule as usize].logsource, source);
        admission.is_some_and(|gates| gates.iter().all(|gate| self.gate(*gate)))
    }

    /// Whether a rule's gates hold.
    pub fn gates(&self, rule: RuleId) -> bool {
        let gates = &self.program.rules[rule as usize].gates;
        gates.iter().all(|gate| self.gate(*gate))
    }

    /// The answer of one gate, read from the header.
    pub fn gate(&self, gate: NodeId) -> bool {
        Self { header: true, ..*self }.node(gate)
    }
}

fn shown(value: Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => b.into(),
        Value::Int(i) => i.into(),
        Value::Uint(u) => u.into(),
        Value::Float(f) => f.into(),
        Value::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        other => {
            let mut text = String::new();
            value::text_into(other, &mut text);
            cut(&text)
        }
    }
}

/// Every active rule that matches an event, in the order of the pack.
pub fn full_scan(program: &Program, lists: &Lists, local: &[Network], event: &Event) -> Vec<RuleId> {
    let aliases = program
        .aliases
        .iter()
        .filter(|a| a.event.serves(event.logsource()) && a.guard.holds(event, local));
    let views: Vec<Option<&Alias>> = std::iter::once(None).chain(aliases.map(Some)).collect();
    let matches = |index: RuleId| {
        let rule = &program.rules[index as usize];
        rule.lists.iter().all(|list| lists.is_filled(list))
            && views.iter().any(|alias| {
                let plain = Plain {
                    program,
                    lists,
                    event,
                    alias: *alias,
                    header: false,
                };
                plain.admits(index) && plain.gates(index) && plain.node(rule.condition)
            })
    };
    (0..program.rules.len() as RuleId)
        .filter(|rule| matches(*rule))
        .collect()
}
