//! Value lists that a municipality fills: declared by the pack, resolved at load into sets, folded and as written.

use std::collections::BTreeMap;

use hashbrown::HashSet;

use super::error::PackError;
use super::folding::fold;
use super::model::Manifest;
use super::predicate::How;

/// Index of a declared list that some rule names.
pub type ListId = u16;

/// The lists of a pack. Those that nobody filled make their rules inactive; one filled with nothing is a statement.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    declared: Vec<String>,
    named: Vec<String>,
    values: Vec<Values>,
}

#[derive(Debug, Clone, Default)]
struct Values {
    given: bool,
    folded: Texts,
    written: Texts,
}

#[derive(Debug, Clone, Default)]
struct Texts {
    set: HashSet<Box<str>, foldhash::fast::RandomState>,
    all: Vec<Box<str>>,
}

impl Texts {
    fn new(all: Vec<Box<str>>) -> Self {
        Self {
            set: all.iter().cloned().collect(),
            all,
        }
    }
}

impl Lists {
    /// The lists that a manifest declares, all empty.
    pub fn new(manifest: &Manifest) -> Self {
        Self {
            declared: manifest.declared_lists(),
            ..Self::default()
        }
    }

    /// The id of list `name`.
    ///
    /// # Errors
    /// The manifest does not declare it.
    pub fn declared(&mut self, name: &str) -> Result<ListId, PackError> {
        if let Some(known) = self.named.iter().position(|n| n == name) {
            return Ok(known as ListId);
        }
        if !self.declared.iter().any(|n| n == name) {
            return Err(PackError::rules(format!(
                "the value list {name:?} is named by a rule and not declared"
            )));
        }
        let id = ListId::try_from(self.named.len()).map_err(|_| PackError::rules("more than 65,536 value lists"))?;
        self.named.push(name.to_owned());
        self.values.push(Values::default());
        Ok(id)
    }

    /// The same lists with the values given; lists that no rule names are passed over.
    #[must_use]
    pub fn filled(&self, given: &BTreeMap<String, Vec<String>>) -> Self {
        let values = self.named.iter().map(|name| {
            let all = || given.get(name).into_iter().flatten();
            Values {
                given: given.contains_key(name),
                folded: Texts::new(all().map(|v| fold(v).into()).collect()),
                written: Texts::new(all().map(|v| v.as_str().into()).collect()),
            }
        });
        Self {
            declared: self.declared.clone(),
            named: self.named.clone(),
            values: values.collect(),
        }
    }

    /// Whether list `name` was filled, be it with nothing ("nobody teleworks").
    pub fn is_filled(&self, name: &str) -> bool {
        self.named
            .iter()
            .position(|n| n == name)
            .is_some_and(|id| self.values[id].given)
    }

    /// The name of a list.
    pub fn name(&self, list: ListId) -> &str {
        &self.named[usize::from(list)]
    }

    /// Whether `text`, folded unless `cased`, compares with any value of the list.
    pub fn holds(&self, list: ListId, how: How, cased: bool, text: &str) -> bool {
        let values = &self.values[usize::from(list)];
        let values = if cased { &values.written } else { &values.folded };
        match how {
            How::Eq => values.set.contains(text),
            _ => values.all.iter().any(|value| how.holds(text, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_filled_with_nothing_is_filled() {
        let mut lists = Lists {
            declared: vec!["telework_users".into()],
            ..Lists::default()
        };
        lists.declared("telework_users").unwrap();
        assert!(!lists.filled(&BTreeMap::new()).is_filled("telework_users"));
        let nobody = BTreeMap::from([("telework_users".to_owned(), Vec::new())]);
        assert!(lists.filled(&nobody).is_filled("telework_users"));
    }
}
