//! A line read lazily: every value found and none made into an owned one. Names are kept only of what rules can ask for;
//! who asks for another gets the whole line read.

use std::sync::{Arc, OnceLock};

use super::cursor::{Quoted, text, unescape};
use super::walk::{Found, Sink, Stop, number};
use super::wanted::{Neighbor, Wanted, WantedId};
use crate::event::{Fields, LogSource, OwnedValue, Value};

/// A line of more leaves is read whole instead.
const MAX_LEAVES: usize = 4_096;
/// The id of a name that no rule asks for.
const UNWANTED: WantedId = WantedId::MAX;
/// Between two values in the texts; no needle that crosses it survives the condition's own test.
const SEPARATOR: u8 = b'\n';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Bool,
    Number,
    Str,
    /// The place in `Line::lists` stands for the length; the texts of its elements are at its span.
    List(u32),
}

/// One value.
#[derive(Debug, Clone, Copy)]
pub struct Leaf {
    wanted: WantedId,
    start: u32,
    len: u32,
    kind: Kind,
}

impl Leaf {
    /// The name's id, where a rule can ask for it.
    pub fn wanted(&self) -> Option<WantedId> {
        (self.wanted != UNWANTED).then_some(self.wanted)
    }

    /// Where its text stands in [`Line::texts`]; `None` has no one text: null and lists.
    pub fn span(&self) -> Option<std::ops::Range<usize>> {
        let start = self.start as usize;
        (!matches!(self.kind, Kind::Null | Kind::List(_))).then(|| start..start + self.len as usize)
    }
}

/// A line.
#[derive(Debug)]
pub struct Line {
    pub(super) path: Arc<str>,
    pub(super) logsource: Arc<LogSource>,
    pub(super) wanted: Arc<Wanted>,
    pub(super) windows: bool,
    pub(super) text: String,
    pub(super) leaves: Leaves,
    whole: OnceLock<Box<Fields>>,
}

/// The leaves of a line; buffers that are used again.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    list: Vec<Leaf>,
    /// While the line is walked, the bytes of its texts.
    bytes: Vec<u8>,
    texts: String,
    lists: Vec<OwnedValue>,
}

impl Leaves {
    /// The walk is over: its bytes are texts.
    pub(super) fn end(&mut self) {
        self.texts = text(std::mem::take(&mut self.bytes));
    }
}

impl Line {
    pub(super) fn new(path: Arc<str>, logsource: Arc<LogSource>, wanted: Arc<Wanted>) -> Self {
        Self {
            path,
            logsource,
            wanted,
            windows: false,
            text: String::new(),
            leaves: Leaves::default(),
            whole: OnceLock::new(),
        }
    }

    /// Takes another line's text; its leaves are still to be found.
    pub(super) fn take(&mut self, text: &str) {
        self.text.clear();
        self.text.push_str(text);
        self.whole = OnceLock::new();
    }

    /// The log source that the line's input was given.
    pub fn logsource(&self) -> &Arc<LogSource> {
        &self.logsource
    }

    /// `_path` when printed.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The names that were wanted when the line was read; leaves' ids are of these.
    pub fn wanted(&self) -> &Arc<Wanted> {
        &self.wanted
    }

    /// Every value, in the order they came. A wanted name occurs once.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves.list
    }

    /// The texts of all values, one after the other.
    pub fn texts(&self) -> &str {
        &self.leaves.texts
    }

    /// The value of the leaf at `place`.
    pub fn value(&self, place: usize) -> Option<Value<'_>> {
        let leaf = self.leaves.list.get(place)?;
        let text = || &self.leaves.texts[leaf.start as usize..][..leaf.len as usize];
        Some(match leaf.kind {
            Kind::Null => Value::Null,
            Kind::Bool => Value::Bool(text() == "true"),
            Kind::Str => Value::Str(text()),
            Kind::List(place) => self.leaves.lists.get(place as usize)?.as_value(),
            Kind::Number => number(text()),
        })
    }

    /// The value of a wanted name.
    pub fn wanted_value(&self, id: WantedId) -> Option<Value<'_>> {
        let place = self.leaves.list.iter().position(|leaf| leaf.wanted == id)?;
        self.value(place)
    }

    /// All fields by name; made once, when someone asks.
    pub fn whole(&self) -> &Fields {
        self.whole.get_or_init(|| {
            // It was walked before and was no larger than it may be.
            let values = super::values(&self.text, self.windows).map_or_else(|_| Vec::new(), |(values, _)| values);
            Box::new(Fields {
                path: Arc::clone(&self.path),
                logsource: Arc::clone(&self.logsource),
                values,
            })
        })
    }
}

/// Takes leaves lazily. A wanted name that comes twice has no one value here: [`Stop::Enough`], and the line is read whole.
pub(super) struct Lazily<'l> {
    pub leaves: &'l mut Leaves,
    pub wanted: &'l Wanted,
    pub neighbor: &'l mut Neighbor,
    /// By wanted id: the walk in which it came last.
    pub seen: &'l mut [u32],
    pub walks: &'l mut u32,
}

impl Sink for Lazily<'_> {
    fn begin(&mut self) {
        self.leaves.list.clear();
        self.leaves.bytes = std::mem::take(&mut self.leaves.texts).into_bytes();
        self.leaves.bytes.clear();
        self.leaves.lists.clear();
        *self.walks = self.walks.checked_add(1).unwrap_or_else(|| {
            self.seen.fill(0);
            1
        });
    }

    fn leaf(&mut self, line: &str, name: &str, value: Found, _header: bool) -> Result<(), Stop> {
        let Leaves { list, bytes, lists, .. } = &mut *self.leaves;
        if list.len() >= MAX_LEAVES {
            return Err(Stop::Enough);
        }
        let id = self.neighbor.id(self.wanted, list.len(), name);
        if let Some(id) = id {
            let seen = &mut self.seen[id as usize];
            if seen == self.walks {
                return Err(Stop::Enough);
            }
            *seen = *self.walks;
        }
        let start = bytes.len() as u32;
        let kind = match value {
            Found::Null => Kind::Null,
            Found::Bool(b) => {
                bytes.extend_from_slice(if b { b"true" } else { b"false" });
                Kind::Bool
            }
            Found::Number(span) => {
                bytes.extend_from_slice(&line.as_bytes()[span]);
                Kind::Number
            }
            Found::Text(Quoted { span, escaped }) => {
                if escaped {
                    unescape(&line[span], bytes);
                } else {
                    bytes.extend_from_slice(&line.as_bytes()[span]);
                }
                Kind::Str
            }
            Found::Read(value) => {
                element_texts(&value, bytes);
                lists.push(value);
                Kind::List(lists.len() as u32 - 1)
            }
        };
        list.push(Leaf {
            wanted: id.unwrap_or(UNWANTED),
            start,
            len: bytes.len() as u32 - start,
            kind,
        });
        bytes.push(SEPARATOR);
        Ok(())
    }
}

fn element_texts(value: &OwnedValue, bytes: &mut Vec<u8>) {
    let mut text = String::new();
    crate::sigma::value::any(value.as_value(), &mut |scalar| {
        text.clear();
        crate::sigma::value::text_into(scalar, &mut text);
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(SEPARATOR);
        false
    });
}
