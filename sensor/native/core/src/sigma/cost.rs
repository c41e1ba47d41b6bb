//! What each rule costs an engine: whether it has a witness, how often that is expected, and what its condition asks.

use hashbrown::HashSet;
use serde_json::json;

use super::literal::witness;
use super::model::Node;
use super::pack::Pack;
use super::program::{NodeId, Program};

/// JSON `{"rules": [{"id", "always", "needles", "share", "predicates"}], "needles": n}`, rules in the order of the pack.
///
/// `always` is a rule without a witness: it is evaluated for every event of its log source, `predicates` questions at
/// most. `share` is the expected share of events for which a rule is a candidate, by the length of its literals alone.
pub fn report(pack: &Pack) -> Vec<u8> {
    let program = &pack.program;
    let mut needles = HashSet::new();
    let rules: Vec<_> = (program.rules.iter())
        .map(|rule| {
            let found = witness(program, rule.condition);
            let share = found.as_ref().map_or(1.0, |found| found.share.min(1.0));
            let count = found.as_ref().map_or(0, |found| found.needles.len());
            needles.extend(found.iter().flat_map(|found| &found.needles).cloned());
            json!({
                "id": rule.metadata.id,
                "always": found.is_none(),
                "needles": count,
                "share": share,
                "predicates": predicates(program, rule.condition),
            })
        })
        .collect();
    json!({"rules": rules, "needles": needles.len()})
        .to_string()
        .into_bytes()
}

/// How many different predicates a condition asks at most.
fn predicates(program: &Program, root: NodeId) -> usize {
    let (mut open, mut seen, mut count) = (vec![root], HashSet::new(), 0);
    while let Some(node) = open.pop() {
        if !seen.insert(node) {
            continue;
        }
        match &program.nodes[node as usize] {
            Node::Predicate(_) => count += 1,
            Node::And(children) | Node::Or(children) => open.extend(children),
            Node::Not(child) => open.push(*child),
        }
    }
    count
}
