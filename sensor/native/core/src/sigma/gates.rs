//! Event classes by header: which rules' gates (channel and event id, say) hold, remembered by the texts that they read.

use std::sync::Arc;

use hashbrown::HashMap;

use super::index::Scope;
use crate::event::Value;

/// Different headers that are remembered; when there are more, all are forgotten and counted anew.
const MAX_HEADERS: usize = 4_096;
/// A header longer than this is not remembered.
const MAX_KEY: usize = 512;

/// Scopes by header.
#[derive(Debug, Default)]
pub struct Gates {
    scopes: HashMap<Box<[u8]>, Arc<Scope>, foldhash::fast::RandomState>,
    key: Vec<u8>,
    /// The header before: nearly every event has the one of its neighbor.
    last: Option<(Vec<u8>, Arc<Scope>)>,
    /// Times that all headers were forgotten.
    pub forgotten: u64,
}

impl Gates {
    /// Begins the key of an event's header in a view.
    pub fn start(&mut self, view: u32) {
        self.key.clear();
        self.key.extend_from_slice(&view.to_le_bytes());
    }

    /// Adds what the header has of a field.
    pub fn add(&mut self, value: Option<Value<'_>>) {
        match value {
            None => self.key.push(0),
            Some(value) => {
                // A number and its text may meet different gates.
                self.key.push(if matches!(value, Value::Str(_)) { 1 } else { 2 });
                let start = self.key.len();
                self.key.extend_from_slice(&[0; 4]);
                match value {
                    _ if self.key.len() > MAX_KEY => {}
                    Value::Str(text) => self.key.extend_from_slice(text.as_bytes()),
                    other => crate::json::value(&mut self.key, other),
                }
                let length = (self.key.len() - start) as u32;
                self.key[start..start + 4].copy_from_slice(&length.to_le_bytes());
            }
        }
    }

    /// The scope of the header, where it is known.
    pub fn get(&mut self) -> Option<Arc<Scope>> {
        if let Some((key, scope)) = &self.last
            && *key == self.key
        {
            return Some(Arc::clone(scope));
        }
        let known = Arc::clone(self.scopes.get(&*self.key)?);
        self.keep(&known);
        Some(known)
    }

    fn keep(&mut self, scope: &Arc<Scope>) {
        let (key, last) = self.last.get_or_insert_with(|| (Vec::new(), Arc::clone(scope)));
        key.clone_from(&self.key);
        *last = Arc::clone(scope);
    }

    /// Remembers the scope of the header.
    pub fn set(&mut self, scope: &Arc<Scope>) {
        if self.key.len() > MAX_KEY {
            return;
        }
        if self.scopes.len() >= MAX_HEADERS {
            self.scopes.clear();
            self.forgotten += 1;
        }
        self.scopes.insert(self.key.as_slice().into(), Arc::clone(scope));
        self.keep(scope);
    }
}
