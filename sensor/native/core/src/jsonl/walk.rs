//! The shapes of JSON events: which values of a line are fields, and under which names.

use std::borrow::Cow;
use std::ops::Range;

use super::cursor::{Broken, Cursor, Quoted, unescaped};
use crate::event::{OwnedValue, Time, Value};

/// Deeper objects are refused.
pub const MAX_DEPTH: usize = 64;

/// A longer path is refused: every leaf has its own, so that one long name would be held as often as there are leaves.
pub const MAX_PATH: usize = 4_096;

/// Where in a line the walk is, and so what a value there means.
#[derive(Debug, Clone, Copy)]
enum At<'n> {
    /// The whole line of a Windows event.
    Root,
    /// `Event`.
    Event,
    /// `Event.System`.
    System,
    /// A member of `System`.
    Header(&'n str),
    /// Attributes of a member of `System`.
    HeaderAttributes(&'n str),
    /// A section beside `System`.
    Section(&'n str),
    /// A value of a section, by its own name.
    Body(&'n str),
    /// A value of any other object, by its path.
    Path(&'n str),
}

/// A value of a line, not yet read.
#[derive(Debug)]
pub enum Found {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number as it stands in the line.
    Number(Range<usize>),
    /// A string as it stands in the line.
    Text(Quoted),
    /// A list, or a scalar of one, read.
    Read(OwnedValue),
}

impl Found {
    /// The value, read.
    pub fn read(self, line: &str) -> OwnedValue {
        match self {
            Self::Null => OwnedValue::Null,
            Self::Bool(b) => OwnedValue::Bool(b),
            Self::Number(span) => match number(&line[span.clone()]) {
                Value::Int(whole) => OwnedValue::Int(whole),
                Value::Uint(whole) => OwnedValue::Uint(whole),
                _ => OwnedValue::Number(line[span].into()),
            },
            Self::Text(Quoted { span, escaped: false }) => OwnedValue::Str(line[span].to_owned()),
            Self::Text(Quoted { span, .. }) => OwnedValue::Str(unescaped(&line[span])),
            Self::Read(value) => value,
        }
    }
}

/// A number of JSON: whole ones of up to 64 bits by value, all others by the text they came as.
pub fn number(text: &str) -> Value<'_> {
    match text.parse() {
        _ if text == "-0" => Value::Number(text),
        Ok(whole) => Value::Int(whole),
        Err(_) => text.parse().map_or(Value::Number(text), Value::Uint),
    }
}

/// Why a walk ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// No JSON.
    Broken,
    /// Deeper or wider than any event is.
    TooLarge,
    /// The one who takes the leaves wants no more of them.
    Enough,
}

impl From<Broken> for Stop {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

/// Takes the leaves of a line in the order they came.
pub trait Sink {
    /// A walk begins; what was taken before is forgotten.
    fn begin(&mut self);

    /// One field; `header` is one of `Event.System`. Blanks still stand in its name.
    ///
    /// # Errors
    /// [`Stop`] ends the walk.
    fn leaf(&mut self, line: &str, name: &str, value: Found, header: bool) -> Result<(), Stop>;
}

/// What a walk tells of a line beside its fields.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// `System.TimeCreated`.
    pub time: Option<Time>,
    /// Half of a surrogate pair was replaced.
    pub halves: bool,
    /// The line is of the Windows shape.
    pub windows: bool,
}

/// Walks a line: in the Windows shape where it may be one and is, else flattened.
///
/// # Errors
/// [`Stop`]
pub fn walk<S: Sink>(line: &str, windows: bool, sink: &mut S) -> Result<Head, Stop> {
    if windows {
        let mut walk = Walk::new(line, sink);
        walk.run(At::Root)?;
        if walk.has_system {
            return Ok(walk.head());
        }
    }
    let mut walk = Walk::new(line, sink);
    walk.run(At::Path(""))?;
    Ok(walk.head())
}

/// One walk over a line.
struct Walk<'t, 's, S> {
    cursor: Cursor<'t>,
    sink: &'s mut S,
    depth: usize,
    stamp: Option<Time>,
    /// `Event.System` is an object.
    has_system: bool,
}

impl<'t, 's, S: Sink> Walk<'t, 's, S> {
    fn new(line: &'t str, sink: &'s mut S) -> Self {
        sink.begin();
        Self {
            cursor: Cursor::new(line),
            sink,
            depth: 0,
            stamp: None,
            has_system: false,
        }
    }

    fn head(&self) -> Head {
        Head {
            time: self.stamp,
            halves: self.cursor.halves,
            windows: self.has_system,
        }
    }

    fn run(&mut self, at: At<'_>) -> Result<(), Stop> {
        self.value(at)?;
        Ok(self.cursor.end()?)
    }

    #[inline]
    fn value(&mut self, at: At<'_>) -> Result<(), Stop> {
        match self.cursor.peek() {
            Some(b'{') => self.object(at),
            Some(b'[') => self.list(at),
            _ => {
                let scalar = self.scalar()?;
                self.leaf(at, scalar)
            }
        }
    }

    #[inline]
    fn scalar(&mut self) -> Result<Found, Broken> {
        Ok(match self.cursor.peek().ok_or(Broken)? {
            b'"' => Found::Text(self.cursor.string()?),
            b't' => {
                self.cursor.word("true")?;
                Found::Bool(true)
            }
            b'f' => {
                self.cursor.word("false")?;
                Found::Bool(false)
            }
            b'n' => {
                self.cursor.word("null")?;
                Found::Null
            }
            _ => Found::Number(self.cursor.number()?),
        })
    }

    #[inline]
    fn leaf(&mut self, at: At<'_>, value: Found) -> Result<(), Stop> {
        let line = self.cursor.text();
        match at {
            At::Header(name) => self.sink.leaf(line, name, value, true),
            At::Body(name) | At::Path(name) => self.sink.leaf(line, name, value, false),
            // An empty section, or something where the shape has an object.
            At::Root | At::Event | At::System | At::Section(_) | At::HeaderAttributes(_) => Ok(()),
        }
    }

    fn deeper(&mut self) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            Err(Stop::TooLarge)
        } else {
            Ok(())
        }
    }

    fn object(&mut self, at: At<'_>) -> Result<(), Stop> {
        self.deeper()?;
        self.has_system |= matches!(at, At::System);
        self.cursor.expect(b'{')?;
        if !self.cursor.take(b'}') {
            loop {
                let key = self.key()?;
                self.cursor.expect(b':')?;
                self.member(at, &key)?;
                if !self.cursor.take(b',') {
                    break;
                }
            }
            self.cursor.expect(b'}')?;
        }
        self.depth -= 1;
        Ok(())
    }

    #[inline]
    fn key(&mut self) -> Result<Cow<'t, str>, Stop> {
        if self.cursor.peek() != Some(b'"') {
            return Err(Stop::Broken);
        }
        let Quoted { span, escaped } = self.cursor.string()?;
        let raw = &self.cursor.text()[span];
        Ok(if escaped { unescaped(raw).into() } else { raw.into() })
    }

    fn member(&mut self, at: At<'_>, key: &str) -> Result<(), Stop> {
        let path;
        let at = match (at, key) {
            (At::Root, "Event") => At::Event,
            (At::Event, "System") => At::System,
            (At::HeaderAttributes("Provider"), "Name") => At::Header("Provider_Name"),
            (At::HeaderAttributes("TimeCreated"), "SystemTime") => return self.time(),
            (At::Header(name), "#attributes") => At::HeaderAttributes(name),
            (At::Header(name), "#text") => At::Header(name),
            (At::Event | At::Section(_) | At::Body(_), "#attributes")
            | (At::Root | At::Header(_) | At::HeaderAttributes(_), _) => return self.skip(),
            (At::Section(name) | At::Body(name), "#text") => At::Body(name),
            (At::Event, key) => At::Section(key),
            (At::System, key) => At::Header(key),
            (At::Section(_) | At::Body(_), key) => At::Body(key),
            (At::Path(""), key) => At::Path(key),
            (At::Path(above), key) => {
                if above.len() + key.len() >= MAX_PATH {
                    return Err(Stop::TooLarge);
                }
                path = format!("{above}.{key}");
                At::Path(&path)
            }
        };
        self.value(at)
    }

    fn time(&mut self) -> Result<(), Stop> {
        if self.cursor.peek() != Some(b'"') {
            return self.skip();
        }
        let Quoted { span, .. } = self.cursor.string()?;
        self.stamp = super::parse_time(&self.cursor.text()[span]);
        Ok(())
    }

    /// Passes over a value of any kind.
    fn skip(&mut self) -> Result<(), Stop> {
        let (open, close) = match self.cursor.peek() {
            Some(b'{') => (b'{', b'}'),
            Some(b'[') => (b'[', b']'),
            _ => return Ok(self.scalar().map(drop)?),
        };
        self.deeper()?;
        self.cursor.expect(open)?;
        if !self.cursor.take(close) {
            loop {
                if open == b'{' {
                    self.key()?;
                    self.cursor.expect(b':')?;
                }
                self.skip()?;
                if !self.cursor.take(b',') {
                    break;
                }
            }
            self.cursor.expect(close)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// A list of scalars is one value. A list of objects gives a list per name; scalars among them stand under the list's own.
    fn list(&mut self, at: At<'_>) -> Result<(), Stop> {
        let mut objects = false;
        let items = self.items(at, &mut objects)?;
        if !objects {
            return self.leaf(at, Found::Read(OwnedValue::List(items)));
        }
        items.into_iter().try_for_each(|item| self.leaf(at, Found::Read(item)))
    }

    /// The scalars and inner lists of a list; the leaves of objects in it are taken.
    fn items(&mut self, at: At<'_>, objects: &mut bool) -> Result<Vec<OwnedValue>, Stop> {
        self.deeper()?;
        self.cursor.expect(b'[')?;
        let mut items = Vec::new();
        if !self.cursor.take(b']') {
            loop {
                match self.cursor.peek() {
                    Some(b'{') => {
                        *objects = true;
                        self.object(at)?;
                    }
                    Some(b'[') => items.push(OwnedValue::List(self.items(at, objects)?)),
                    _ => {
                        let scalar = self.scalar()?;
                        items.push(scalar.read(self.cursor.text()));
                    }
                }
                if !self.cursor.take(b',') {
                    break;
                }
            }
            self.cursor.expect(b']')?;
        }
        self.depth -= 1;
        Ok(items)
    }
}
