//! Which events a rule is for: those of its log source, and those whose header says that they are (Windows' channel and
//! event id stand for a category and a service).

use hashbrown::HashMap;

use super::error::PackError;
use super::model::{Class, ClassPart};
use super::program::NodeId;
use crate::event::LogSource;

/// The classes of a pack.
#[derive(Debug, Clone, Default)]
pub struct Classing {
    rows: HashMap<(ClassPart, String), Vec<(LogSource, NodeId)>>,
}

impl Classing {
    /// Checks and takes the rows of a pack of `nodes` nodes.
    ///
    /// # Errors
    /// A node that is not there, or a part and value given twice for one log source.
    pub fn new(written: &[Class], nodes: usize) -> Result<Self, PackError> {
        let mut classing = Self::default();
        for (index, class) in written.iter().enumerate() {
            let fault = |what: &str| Err(PackError::rules(format!("class {index} ({}): {what}", class.value)));
            if class.gate as usize >= nodes {
                return fault("there is no such node");
            }
            let event = LogSource::from(&class.event);
            let rows = classing.rows.entry((class.part, class.value.clone())).or_default();
            if rows.iter().any(|(known, _)| *known == event) {
                return fault("it stands there twice");
            }
            rows.push((event, class.gate));
        }
        Ok(classing)
    }

    /// What an event of log source `event` must meet beside a rule's own gates to be one of log source `rule`, read from the
    /// header; `None` where it never is.
    pub fn admits(&self, rule: &LogSource, event: &LogSource) -> Option<Vec<NodeId>> {
        if rule.product.is_some() && rule.product != event.product {
            return None;
        }
        let parts = [
            (ClassPart::Category, &rule.category, &event.category),
            (ClassPart::Service, &rule.service, &event.service),
        ];
        let mut gates = Vec::new();
        for (part, wanted, given) in parts {
            match (wanted, given) {
                (None, _) => {}
                (Some(wanted), Some(given)) if wanted == given => {}
                // An event that names its category has no other.
                (Some(_), Some(_)) => return None,
                (Some(wanted), None) => {
                    let rows = self.rows.get(&(part, wanted.to_string()))?;
                    let (_, gate) = rows.iter().find(|(of, _)| of.serves(event))?;
                    gates.push(*gate);
                }
            }
        }
        Some(gates)
    }
}
