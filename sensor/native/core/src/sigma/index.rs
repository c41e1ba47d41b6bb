//! The witness index.

use super::class::View;
use super::facts::Facts;
use super::program::{Program, RuleId};
use crate::event::Event;

#[derive(Debug, Default)]
pub struct Index {}

impl Index {
    pub fn new(_program: &Program, _active: &[bool]) -> Self {
        Self {}
    }

    pub fn candidates(&mut self, view: &View, _event: &Event, _facts: &mut Facts, out: &mut Vec<RuleId>) -> u64 {
        out.clear();
        out.extend_from_slice(&view.rules);
        0
    }
}
