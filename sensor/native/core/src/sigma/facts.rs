//! What rules ask of one event: each field is found once, each text folded once, in buffers that are reused.

use super::alias::{Alias, Source};
use super::folding::fold_into;
use super::lists::Lists;
use super::predicate::{FieldId, Predicate, Scalar, Test};
use super::value;
use super::verdict::Verdict;
use crate::event::{Body, Event, OwnedValue, Value};

/// Where a field of the rules stands in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// A column that every traffic event has.
    Common(u16),
    /// A column of the typed record.
    Column(u16),
    /// A named value by its place.
    Named(u32),
    /// A derived value by its place.
    Made(u32),
}

/// Fields of the event at hand, through one alias or none.
#[derive(Debug, Default)]
pub struct Fields {
    generation: u32,
    slots: Vec<(u32, Option<Slot>)>,
    made: Vec<OwnedValue>,
    header: Vec<(FieldId, u32)>,
}

impl Fields {
    fn set(&mut self, field: FieldId, slot: Slot) {
        self.slots[field as usize] = (self.generation, Some(slot));
    }

    /// The value of a field; `None` is absent.
    pub fn value<'a>(&'a self, event: &'a Event, field: FieldId) -> Option<Value<'a>> {
        let (generation, slot) = self.slots[field as usize];
        if generation != self.generation {
            return None;
        }
        match (slot?, &event.body) {
            (Slot::Common(index), _) => event.common(index.into()),
            (Slot::Column(index), Body::Typed(record)) => record.value(index.into()),
            (Slot::Named(place), Body::Named(fields)) => fields.values.get(place as usize).map(|(_, v)| v.as_value()),
            (Slot::Made(place), _) => self.made.get(place as usize).map(OwnedValue::as_value),
            _ => None,
        }
    }
}

/// Texts of the fields that were asked for, in one arena.
#[derive(Debug, Default)]
struct Texts {
    generation: u32,
    arena: String,
    spans: Vec<Option<(u32, u32)>>,
    fields: Vec<(u32, u32)>,
    keywords: Option<u32>,
}

impl Texts {
    /// Makes the texts of every scalar of `value`; the place of the first.
    fn prepare(&mut self, value: Value<'_>) -> u32 {
        let first = self.spans.len() as u32;
        value::any(value, &mut |scalar| {
            let start = self.arena.len() as u32;
            let some = match scalar {
                Value::Str(text) => {
                    fold_into(text, &mut self.arena);
                    true
                }
                // Texts of numbers, addresses and words are lower-case ASCII already.
                other => value::text_into(other, &mut self.arena),
            };
            self.spans.push(some.then_some((start, self.arena.len() as u32)));
            false
        });
        first
    }

    fn field(&mut self, field: FieldId, value: Value<'_>) -> u32 {
        let (generation, first) = self.fields[field as usize];
        if generation == self.generation {
            return first;
        }
        let first = self.prepare(value);
        self.fields[field as usize] = (self.generation, first);
        first
    }

    fn scalar<'a>(&'a self, value: Value<'a>, place: u32) -> Scalar<'a> {
        let folded = self.spans[place as usize].map(|(start, end)| &self.arena[start as usize..end as usize]);
        let text = match value {
            Value::Str(text) => Some(text),
            _ => folded,
        };
        Scalar { value, text, folded }
    }
}

/// One event as rules see it.
#[derive(Debug, Default)]
pub struct Facts {
    /// Where fields are found.
    pub fields: Fields,
    texts: Texts,
}

impl Facts {
    /// Buffers for a program of `fields` field names.
    pub fn new(fields: usize) -> Self {
        Self {
            fields: Fields {
                slots: vec![(0, None); fields],
                ..Fields::default()
            },
            texts: Texts {
                fields: vec![(0, 0); fields],
                ..Texts::default()
            },
        }
    }

    /// Forgets the event before.
    pub fn start(&mut self) {
        for generation in [&mut self.fields.generation, &mut self.texts.generation] {
            *generation = generation.wrapping_add(1);
        }
        if self.fields.generation == 0 {
            // Once in four thousand million: no stamp of the round before may look like one of this.
            self.fields.slots.iter_mut().for_each(|slot| slot.0 = 0);
            self.texts.fields.iter_mut().for_each(|field| field.0 = 0);
            (self.fields.generation, self.texts.generation) = (1, 1);
        }
        self.fields.made.clear();
        self.fields.header.clear();
        self.texts.arena.clear();
        self.texts.spans.clear();
        self.texts.keywords = None;
    }

    /// Places a field.
    pub fn place(&mut self, field: FieldId, slot: Slot) {
        self.fields.set(field, slot);
    }

    /// Places a field that stands in the header under a name which the body has too.
    pub fn place_header(&mut self, field: FieldId, place: u32) {
        self.fields.header.push((field, place));
    }

    /// Places the fields that an alias derives.
    pub fn derive(&mut self, event: &Event, alias: &Alias) {
        for (field, source) in &alias.fields {
            if let Source::Derived(derive, from) = source
                && let Some(value) = derive.of(event, from)
            {
                let place = self.fields.made.len() as u32;
                self.fields.made.push(value);
                self.fields.set(*field, Slot::Made(place));
            }
        }
    }

    /// The value of a field; `None` is absent.
    pub fn value<'a>(&'a self, event: &'a Event, field: FieldId) -> Option<Value<'a>> {
        self.fields.value(event, field)
    }

    /// The value of a field as the header has it.
    pub fn header_value<'a>(&'a self, event: &'a Event, field: FieldId) -> Option<Value<'a>> {
        let hidden = self.fields.header.iter().find(|(hidden, _)| *hidden == field);
        match (hidden, &event.body) {
            (Some((_, place)), Body::Named(fields)) => fields.values.get(*place as usize).map(|(_, v)| v.as_value()),
            _ => self.fields.value(event, field),
        }
    }

    /// Calls `each` with every folded text of a field.
    pub fn folded(&mut self, event: &Event, field: FieldId, each: &mut dyn FnMut(Value<'_>, &str)) {
        let Some(value) = self.fields.value(event, field) else {
            return;
        };
        let mut place = self.texts.field(field, value);
        value::any(value, &mut |scalar| {
            if let Some(folded) = self.texts.scalar(scalar, place).folded {
                each(scalar, folded);
            }
            place += 1;
            false
        });
    }

    /// Calls `each` with every folded text of the whole event.
    pub fn folded_all(&mut self, event: &Event, each: &mut dyn FnMut(Value<'_>, &str)) {
        let mut place = self.prepare_keywords(event);
        event.visit(&mut |_, value| {
            value::any(value, &mut |scalar| {
                if let Some(folded) = self.texts.scalar(scalar, place).folded {
                    each(scalar, folded);
                }
                place += 1;
                false
            });
        });
    }

    /// Tests a predicate, the field read as the body has it.
    pub fn test(&mut self, event: &Event, predicate: &Predicate, lists: &Lists) -> Verdict {
        let Some(field) = predicate.field else {
            return self.test_keyword(event, &predicate.test, lists);
        };
        let Some(value) = self.fields.value(event, field) else {
            return Verdict::absent(&predicate.test);
        };
        let test = &predicate.test;
        if let Test::Exists(wanted) = test {
            return (*wanted).into();
        }
        let mut place = self.texts.field(field, value);
        if let Test::FieldRef { other, how, cased } = test {
            let Some(second) = self.fields.value(event, *other) else {
                return Verdict::Missing;
            };
            let second_place = self.texts.field(*other, second);
            let texts = &self.texts;
            let holds = value::any(value, &mut |left| {
                let left = texts.scalar(left, place).compared(*cased);
                place += 1;
                let mut at = second_place;
                value::any(second, &mut |right| {
                    let right = texts.scalar(right, at).compared(*cased);
                    at += 1;
                    left.zip(right).is_some_and(|(left, right)| how.holds(left, right))
                })
            });
            return holds.into();
        }
        let texts = &self.texts;
        let holds = value::any(value, &mut |scalar| {
            let scalar = texts.scalar(scalar, place);
            place += 1;
            test.holds(&scalar, lists)
        });
        holds.into()
    }

    fn prepare_keywords(&mut self, event: &Event) -> u32 {
        if let Some(first) = self.texts.keywords {
            return first;
        }
        let first = self.texts.spans.len() as u32;
        event.visit(&mut |_, value| {
            self.texts.prepare(value);
        });
        self.texts.keywords = Some(first);
        first
    }

    fn test_keyword(&mut self, event: &Event, test: &Test, lists: &Lists) -> Verdict {
        let mut place = self.prepare_keywords(event);
        let (texts, mut holds) = (&self.texts, false);
        event.visit(&mut |_, value| {
            value::any(value, &mut |scalar| {
                let scalar = texts.scalar(scalar, place);
                place += 1;
                holds = holds || test.holds(&scalar, lists);
                false
            });
        });
        holds.into()
    }
}
