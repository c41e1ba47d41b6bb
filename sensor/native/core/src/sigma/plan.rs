//! Conditions laid out for asking: one flat array, and of several children the cheap ones first. The answer is the same in
//! any order; a rule's own order is kept beside it for people.

use super::model::Node;
use super::predicate::{How, Predicate, Test};
use super::program::NodeId;

/// What a node asks.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// A predicate.
    Predicate(u32),
    /// Whether its child does not hold.
    Not(NodeId),
    /// Whether all of its children hold: a range of [`Plan::children`].
    All(u32, u32),
    /// Whether one of its children holds.
    Any(u32, u32),
}

/// All conditions of a pack.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    steps: Vec<Step>,
    children: Vec<NodeId>,
}

impl Plan {
    /// Lays out `nodes`; a child stands before its parent.
    pub fn new(nodes: &[Node], predicates: &[Predicate]) -> Self {
        let mut plan = Self::default();
        let mut costs: Vec<u32> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let (step, cost) = match node {
                Node::Predicate(index) => (Step::Predicate(*index), cost(&predicates[*index as usize])),
                Node::Not(child) => (Step::Not(*child), costs[*child as usize]),
                Node::And(children) => {
                    let (from, to, cost) = plan.take(children, &costs);
                    (Step::All(from, to), cost)
                }
                Node::Or(children) => {
                    let (from, to, cost) = plan.take(children, &costs);
                    (Step::Any(from, to), cost)
                }
            };
            plan.steps.push(step);
            costs.push(cost);
        }
        plan.children.shrink_to_fit();
        plan
    }

    fn take(&mut self, children: &[NodeId], costs: &[u32]) -> (u32, u32, u32) {
        let from = self.children.len();
        self.children.extend_from_slice(children);
        self.children[from..].sort_by_key(|child| costs[*child as usize]);
        let sum = children
            .iter()
            .map(|child| costs[*child as usize])
            .fold(0, u32::saturating_add);
        (from as u32, self.children.len() as u32, sum)
    }

    /// What `node` asks.
    #[inline]
    pub fn step(&self, node: NodeId) -> Step {
        self.steps[node as usize]
    }

    /// Children of a step.
    #[inline]
    pub fn children(&self, from: u32, to: u32) -> &[NodeId] {
        &self.children[from as usize..to as usize]
    }
}

/// About how long a predicate takes, in tens of nanoseconds over a text of usual length.
fn cost(predicate: &Predicate) -> u32 {
    let one = match &predicate.test {
        Test::Literal { how: How::Contains, .. } => 3,
        Test::Wildcard { .. } => 5,
        Test::Time { .. } => 6,
        Test::Regex(_) => 20,
        _ => 1,
    };
    // A keyword reads every value.
    if predicate.field.is_none() { one * 20 } else { one }
}
