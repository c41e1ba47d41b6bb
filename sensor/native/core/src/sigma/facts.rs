//! What rules ask of one event: each field is found once, each text folded once, in buffers that are reused.

use std::sync::Arc;

use super::alias::{Alias, Source};
use super::folding::fold_into;
use super::lists::Lists;
use super::network;
use super::networks::{NetworkId, Networks};
use super::predicate::{FieldId, Predicate, Scalar, Test};
use super::value;
use super::verdict::Verdict;
use crate::event::{Body, Event, OwnedValue, Value};
use crate::jsonl::{Leaf, Line, Wanted};

/// Where a field of the rules stands in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// A column that every traffic event has.
    Common(u16),
    /// A column of the typed record.
    Column(u16),
    /// A named value by its place.
    Named(u32),
    /// A leaf of a line read lazily, by its place.
    Leaf(u32),
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

/// The named value at `place` of a body that has them.
fn named(body: &Body, place: u32) -> Option<Value<'_>> {
    let fields = match body {
        Body::Named(fields) => fields,
        Body::Line(line) => line.whole(),
        Body::Typed(_) => return None,
    };
    fields.values.get(place as usize).map(|(_, value)| value.as_value())
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
            (Slot::Named(place), body) => named(body, place),
            (Slot::Leaf(place), Body::Line(line)) => line.value(place as usize),
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
                // A number as it was written may hold a letter: 1E5.
                Value::Str(text) | Value::Number(text) => {
                    fold_into(text, &mut self.arena);
                    true
                }
                // Texts of other numbers, addresses and words are lower-case ASCII already.
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
            Value::Str(text) | Value::Number(text) => Some(text),
            _ => folded,
        };
        Scalar { value, text, folded }
    }
}

/// Folded texts of a line read lazily: all values at once.
#[derive(Debug, Default)]
struct Folded {
    text: String,
    /// By leaf, where folding changed places; empty where the text is ASCII and none moved.
    spans: Vec<(u32, u32)>,
}

impl Folded {
    fn fill(&mut self, line: &Line) {
        self.text.clear();
        self.spans.clear();
        let texts = line.texts();
        if texts.is_ascii() {
            self.text.push_str(texts);
            self.text.make_ascii_lowercase();
            return;
        }
        let mut end = 0;
        for leaf in line.leaves() {
            let span = leaf.span();
            // Texts of a list's elements stand between those of leaves.
            let from = span.as_ref().map_or(end, |span| span.start);
            fold_into(&texts[end..from], &mut self.text);
            let start = self.text.len() as u32;
            if let Some(span) = &span {
                fold_into(&texts[span.clone()], &mut self.text);
                end = span.end;
            }
            self.spans.push((start, self.text.len() as u32));
        }
        fold_into(&texts[end..], &mut self.text);
    }

    fn of(&self, leaf: &Leaf, place: u32) -> Option<&str> {
        let span = leaf.span()?;
        Some(match self.spans.get(place as usize) {
            Some((start, end)) => &self.text[*start as usize..*end as usize],
            None => &self.text[span],
        })
    }
}

/// The networks that hold an address of a field, found once for each field that is asked.
#[derive(Debug)]
struct Held {
    networks: Arc<Networks>,
    generation: u32,
    /// By field, with the generation they are of.
    fields: Vec<(u32, Vec<NetworkId>)>,
}

impl Held {
    fn field(&mut self, field: FieldId, value: Value<'_>) -> &[NetworkId] {
        let (generation, held) = &mut self.fields[field as usize];
        if *generation != self.generation {
            *generation = self.generation;
            held.clear();
            value::any(value, &mut |scalar| {
                if let Some(address) = network::address(scalar) {
                    self.networks.holding(address, &mut |id| held.push(id));
                }
                false
            });
        }
        held
    }
}

/// Whether the leaf at `place` of a line, which has a text, meets a test.
fn test_leaf(line: &Line, place: u32, folded: &str, test: &Test, lists: &Lists) -> bool {
    // The commonest question by far needs the folded text only.
    let asks_folded = matches!(test, Test::Literal { cased: false, .. });
    let span = line.leaves()[place as usize].span().filter(|_| !asks_folded);
    let value = if asks_folded { None } else { line.value(place as usize) };
    let scalar = Scalar {
        value: value.unwrap_or(Value::Null),
        text: span.map(|span| &line.texts()[span]),
        folded: Some(folded),
    };
    test.holds(&scalar, lists)
}

/// One event as rules see it.
#[derive(Debug)]
pub struct Facts {
    /// Where fields are found.
    pub fields: Fields,
    texts: Texts,
    folded: Folded,
    held: Held,
    wanted: Arc<Wanted>,
}

impl Facts {
    /// Buffers for a program of `fields` field names and of `networks`, and for lines of which `wanted` are kept by name.
    pub fn new(fields: usize, wanted: Arc<Wanted>, networks: Arc<Networks>) -> Self {
        Self {
            fields: Fields {
                slots: vec![(0, None); fields],
                ..Fields::default()
            },
            texts: Texts {
                fields: vec![(0, 0); fields],
                ..Texts::default()
            },
            folded: Folded::default(),
            held: Held {
                networks,
                generation: 0,
                fields: vec![(0, Vec::new()); fields],
            },
            wanted,
        }
    }

    /// Whether a line's ids are of the names that these facts are asked for.
    pub fn reads(&self, line: &Line) -> bool {
        Arc::ptr_eq(line.wanted(), &self.wanted)
    }

    /// Takes the texts of a new event; [`Facts::start`] begins each view of it.
    pub fn take(&mut self, event: &Event) {
        if let Body::Line(line) = &event.body {
            self.folded.fill(line);
        }
    }

    /// Forgets the view before.
    pub fn start(&mut self) {
        let generations = [
            &mut self.fields.generation,
            &mut self.texts.generation,
            &mut self.held.generation,
        ];
        for generation in generations {
            *generation = generation.wrapping_add(1);
        }
        if self.fields.generation == 0 {
            // Once in four thousand million: no stamp of the round before may look like one of this.
            self.fields.slots.iter_mut().for_each(|slot| slot.0 = 0);
            self.texts.fields.iter_mut().for_each(|field| field.0 = 0);
            self.held.fields.iter_mut().for_each(|field| field.0 = 0);
            (self.fields.generation, self.texts.generation, self.held.generation) = (1, 1, 1);
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
        match self.fields.header.iter().find(|(hidden, _)| *hidden == field) {
            Some((_, place)) => named(&event.body, *place),
            None => self.fields.value(event, field),
        }
    }

    /// A field that is a leaf with a text: the leaf's line and place, and the folded text.
    fn leaf<'a>(&'a self, event: &'a Event, field: FieldId) -> Option<(&'a Line, u32, &'a str)> {
        let (generation, Some(Slot::Leaf(place))) = self.fields.slots[field as usize] else {
            return None;
        };
        let Body::Line(line) = &event.body else {
            return None;
        };
        let folded = self.folded.of(line.leaves().get(place as usize)?, place)?;
        (generation == self.fields.generation).then_some((line, place, folded))
    }

    /// Calls `each` with every folded text of a field.
    pub fn folded(&mut self, event: &Event, field: FieldId, each: &mut dyn FnMut(Value<'_>, &str)) {
        if let Some((line, place, folded)) = self.leaf(event, field) {
            each(line.value(place as usize).unwrap_or(Value::Null), folded);
            return;
        }
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

    /// The networks that hold an address which a field has; `None` where the field is absent.
    pub fn networks(&mut self, event: &Event, field: FieldId) -> Option<&[NetworkId]> {
        let value = self.fields.value(event, field)?;
        Some(self.held.field(field, value))
    }

    /// The folded texts of the whole event as one, separated, where they stand so.
    pub fn folded_at_once(&self, event: &Event) -> Option<&str> {
        match &event.body {
            Body::Line(line) if self.reads(line) => Some(&self.folded.text),
            _ => None,
        }
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
        let test = &predicate.test;
        let Some(field) = predicate.field else {
            return self.test_keyword(event, test, lists);
        };
        if let Test::Cidr { id, .. } = test {
            let held = self.networks(event, field);
            return held.map_or(Verdict::Missing, |held| held.contains(id).into());
        }
        if !matches!(test, Test::Exists(_) | Test::FieldRef { .. })
            && let Some((line, place, folded)) = self.leaf(event, field)
        {
            return test_leaf(line, place, folded, test, lists).into();
        }
        let Some(value) = self.fields.value(event, field) else {
            return Verdict::absent(test);
        };
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
        if let Body::Line(line) = &event.body
            && self.reads(line)
        {
            let leaves = (0_u32..).zip(line.leaves());
            return leaves
                .into_iter()
                .any(|(place, leaf)| self.keyword_leaf(line, place, leaf, test, lists))
                .into();
        }
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

    fn keyword_leaf(&self, line: &Line, place: u32, leaf: &Leaf, test: &Test, lists: &Lists) -> bool {
        if let Some(folded) = self.folded.of(leaf, place) {
            return test_leaf(line, place, folded, test, lists);
        }
        let value = line.value(place as usize);
        value.is_some_and(|value| test.holds_any(value, lists))
    }
}
