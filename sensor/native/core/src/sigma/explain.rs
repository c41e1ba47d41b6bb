//! Why a rule did or did not match an event: its condition as a tree, with true, false or missing at each node.

use serde_json::{Value as Json, json};

use super::lists::Lists;
use super::model::Node;
use super::network::Network;
use super::plain::Plain;
use super::program::{NodeId, Program, RuleId};
use crate::event::Event;

/// Explains `rule` (see [`Program::find`]) over an event.
///
/// The tree: `{"rule", "title", "matches", "active", "views": [{"alias", "serves", "guard", "gates", "condition"}]}`, a view
/// for the event itself and one for each alias; nodes are `{"and" | "or" | "not": [...], "verdict"}` or
/// `{"field", "op", "value", "actual", "verdict"}`, named selections carry `"selection"`.
pub fn explain(program: &Program, lists: &Lists, local: &[Network], rule: RuleId, event: &Event) -> Json {
    let code = &program.rules[rule as usize];
    let empty: Vec<&str> = code
        .lists
        .iter()
        .filter(|l| !lists.is_filled(l))
        .map(String::as_str)
        .collect();
    let aliases = program.aliases.iter().filter(|a| a.event.serves(event.logsource()));
    let mut matches = false;
    let views: Vec<Json> = std::iter::once(None)
        .chain(aliases.map(Some))
        .map(|alias| {
            let source = alias.map_or(event.logsource(), |a| &a.serves);
            let plain = Plain {
                program,
                lists,
                event,
                alias,
                header: false,
            };
            let header = Plain { header: true, ..plain };
            let admission = program.classes.admits(&code.logsource, source);
            let serves = plain.admits(rule);
            let guard = alias.is_none_or(|a| a.guard.holds(event, local));
            let gates = plain.gates(rule);
            let condition = plain.node(code.condition);
            matches |= empty.is_empty() && serves && guard && gates && condition;
            json!({
                "logsource": {"product": source.product, "category": source.category, "service": source.service},
                "alias": alias.is_some(),
                "serves": serves,
                "guard": guard,
                "gates": code.gates.iter().chain(admission.iter().flatten()).map(|gate| tree(&header, &[], *gate)).collect::<Vec<_>>(),
                "condition": tree(&plain, &code.selections, code.condition),
            })
        })
        .collect();
    json!({
        "rule": code.metadata.id,
        "title": code.metadata.title,
        "matches": matches,
        "inactive_lists": empty,
        "views": views,
    })
}

fn tree(plain: &Plain<'_>, selections: &[(String, NodeId)], node: NodeId) -> Json {
    let below = |children: &[NodeId]| children.iter().map(|c| tree(plain, selections, *c)).collect::<Vec<_>>();
    let verdict = if plain.node(node) { "true" } else { "false" };
    let mut out = match &plain.program.nodes[node as usize] {
        Node::And(children) => json!({"and": below(children), "verdict": verdict}),
        Node::Or(children) => json!({"or": below(children), "verdict": verdict}),
        Node::Not(child) => json!({"not": below(&[*child]), "verdict": verdict}),
        Node::Predicate(index) => {
            let predicate = &plain.program.predicates[*index as usize];
            let field = predicate.field.map(|f| plain.program.fields[f as usize].as_str());
            json!({
                "field": field,
                "op": predicate.op,
                "value": predicate.test.shown(&plain.program.fields, plain.lists),
                "actual": plain.found(predicate),
                "verdict": plain.predicate(*index).word(),
            })
        }
    };
    if let (Some((name, _)), Json::Object(map)) = (selections.iter().find(|(_, n)| *n == node), &mut out) {
        map.insert("selection".to_owned(), name.as_str().into());
    }
    out
}
