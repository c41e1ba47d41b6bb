//! Evidence: which field met which condition, for the alert.

use serde_json::Value as Json;

use super::hit::Matched;
use super::model::Node;
use super::plain::Plain;
use super::program::{NodeId, Rule};

/// More than this says nothing more to a reader.
const MAX_MATCHED: usize = 32;

/// What made `rule` match, selection by selection. Negated conditions are no evidence.
pub fn of(plain: &Plain<'_>, rule: &Rule) -> Vec<Matched> {
    let mut out = Vec::new();
    for (name, node) in &rule.selections {
        if plain.node(*node) {
            collect(plain, name, *node, &mut out);
        }
    }
    out
}

fn collect(plain: &Plain<'_>, selection: &str, node: NodeId, out: &mut Vec<Matched>) {
    if out.len() >= MAX_MATCHED {
        return;
    }
    match &plain.program.nodes[node as usize] {
        Node::Predicate(index) if plain.predicate(*index).holds() => {
            let predicate = &plain.program.predicates[*index as usize];
            let (field, actual) = plain.actual(predicate);
            let value = predicate.test.shown(&plain.program.fields, plain.lists);
            out.push(Matched {
                selection: selection.to_owned(),
                field,
                op: predicate.op.into(),
                value,
                actual,
            });
        }
        Node::And(children) | Node::Or(children) => {
            for child in children {
                collect(plain, selection, *child, out);
            }
        }
        Node::Predicate(_) | Node::Not(_) => {}
    }
}

/// Text cut to what fits on a page.
pub(super) fn cut(text: &str) -> Json {
    const MAX_CHARS: usize = 1024;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => Json::from(format!("{}…", &text[..end])),
        None => Json::from(text),
    }
}
