//! Source definitions as the pack holds them (`sources.json`): a strict schema, compiled once. What is wrong is refused with its
//! place and the nearest key.

use std::collections::BTreeMap;
use std::sync::Arc;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::event::{LogSource, OwnedValue};
use crate::strict;

use super::derive::{Many, One};
use super::identify::Signature;
use super::map::{As, Branch, Take, Test};
use super::parse::{Csv, Kv, Parser, Pattern, Template, Variant};
use super::record::{Name, Names};
use super::source::{Source, Sources, TimeRule};
use super::time::Format;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    sources: Vec<Definition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // `title` and `samples` are for people and tests
struct Definition {
    id: String,
    title: BTreeMap<String, String>,
    #[serde(rename = "match")]
    signatures: Vec<SignatureKeys>,
    parse: Parse,
    #[serde(default)]
    time: Vec<TimeKeys>,
    events: Vec<BranchKeys>,
    #[serde(default)]
    samples: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn texts(this: Option<Self>) -> Vec<String> {
        match this {
            None => Vec::new(),
            Some(Self::One(text)) => vec![text],
            Some(Self::Many(texts)) => texts,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureKeys {
    tag: Option<OneOrMany>,
    startswith: Option<OneOrMany>,
    contains: Option<OneOrMany>,
    json_has: Option<OneOrMany>,
    file_name: Option<OneOrMany>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Parse {
    Kv {
        pair: Option<String>,
        assign: Option<String>,
        quote: Option<String>,
        escape: Option<String>,
    },
    Csv {
        separator: Option<String>,
        quote: Option<String>,
        columns: Vec<String>,
        #[serde(default)]
        variants: Vec<Map<String, Value>>,
    },
    Combined {},
    Json {},
    Pattern {
        templates: Map<String, Value>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeKeys {
    field: Option<String>,
    fields: Option<Vec<String>>,
    format: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BranchKeys {
    #[serde(default)]
    when: Map<String, Value>,
    logsource: LogSourceKeys,
    #[serde(default)]
    fields: Map<String, Value>,
    #[serde(default)]
    table: Map<String, Value>,
    #[serde(default)]
    derive: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogSourceKeys {
    product: Option<String>,
    category: Option<String>,
    service: Option<String>,
}

/// Reads `sources.json`.
///
/// # Errors
/// What is wrong, and in which definition.
pub fn read(bytes: &[u8]) -> Result<Sources, String> {
    let document: Document = strict::from_slice(bytes)?;
    let mut sources: Vec<Source> = Vec::with_capacity(document.sources.len());
    for definition in document.sources {
        let id = definition.id.clone();
        if sources.iter().any(|known| *known.id == *id) {
            return Err(format!("source '{id}' is defined twice"));
        }
        sources.push(compile(definition).map_err(|what| format!("source '{id}': {what}"))?);
    }
    Ok(Sources::new(sources))
}

fn compile(definition: Definition) -> Result<Source, String> {
    let mut names = Names::default();
    let signatures = definition
        .signatures
        .into_iter()
        .enumerate()
        .map(|(index, keys)| signature(keys).map_err(|what| format!("match[{index}]: {what}")))
        .collect::<Result<Vec<_>, _>>()?;
    let parser = parser(definition.parse).map_err(|what| format!("parse: {what}"))?;
    let times = definition
        .time
        .into_iter()
        .enumerate()
        .map(|(index, keys)| time(keys, &mut names).map_err(|what| format!("time[{index}]: {what}")))
        .collect::<Result<Vec<_>, _>>()?;
    if definition.events.is_empty() {
        return Err("events: no branch; the source would make nothing".to_owned());
    }
    let branches = definition
        .events
        .into_iter()
        .enumerate()
        .map(|(index, keys)| branch(keys, &mut names).map_err(|what| format!("events[{index}]: {what}")))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Source {
        id: Arc::from(definition.id),
        signatures,
        parser,
        times,
        branches,
        names,
    })
}

fn signature(keys: SignatureKeys) -> Result<Signature, String> {
    let finders = |texts: Vec<String>| {
        texts
            .iter()
            .map(|text| Finder::new(text.as_bytes()).into_owned())
            .collect()
    };
    let json_keys = OneOrMany::texts(keys.json_has)
        .iter()
        .map(|key| format!("\"{key}\""))
        .collect();
    let contains = OneOrMany::texts(keys.contains);
    let (tags, starts) = (OneOrMany::texts(keys.tag), OneOrMany::texts(keys.startswith));
    let files = OneOrMany::texts(keys.file_name);
    if [&tags, &starts, &contains, &json_keys, &files]
        .iter()
        .all(|list| list.is_empty())
    {
        return Err(
            "no key: it would claim every line; known: tag, startswith, contains, json_has, file_name".to_owned(),
        );
    }
    if [&tags, &starts, &contains, &files]
        .iter()
        .any(|list| list.iter().any(String::is_empty))
    {
        return Err("an empty text would claim every line".to_owned());
    }
    Ok(Signature {
        tags,
        starts,
        contains: finders(contains),
        keys: finders(json_keys),
        files,
    })
}

/// One ASCII character.
fn mark(key: &str, text: Option<&String>, default: Option<u8>) -> Result<Option<u8>, String> {
    match text.map(String::as_bytes) {
        None => Ok(default),
        Some(b"") => Ok(None),
        Some([byte]) if byte.is_ascii() => Ok(Some(*byte)),
        Some(_) => Err(format!("{key}: must be one ASCII character")),
    }
}

fn parser(parse: Parse) -> Result<Parser, String> {
    Ok(match parse {
        Parse::Kv {
            pair,
            assign,
            quote,
            escape,
        } => Parser::Kv(Kv {
            pair: mark("pair", pair.as_ref(), Some(b' '))?.ok_or("pair: must not be empty")?,
            assign: mark("assign", assign.as_ref(), Some(b'='))?.ok_or("assign: must not be empty")?,
            quote: mark("quote", quote.as_ref(), Some(b'"'))?,
            escape: mark("escape", escape.as_ref(), None)?,
        }),
        Parse::Csv {
            separator,
            quote,
            columns,
            variants,
        } => Parser::Csv(Csv {
            separator: mark("separator", separator.as_ref(), Some(b','))?.ok_or("separator: must not be empty")?,
            quote: mark("quote", quote.as_ref(), Some(b'"'))?,
            columns,
            variants: variants.into_iter().map(variant).collect::<Result<_, _>>()?,
        }),
        Parse::Combined {} => Parser::Combined,
        Parse::Json {} => Parser::Json,
        Parse::Pattern { templates } => {
            let mut compiled = Vec::with_capacity(templates.len());
            for (name, text) in templates {
                let Value::String(text) = text else {
                    return Err(format!("templates.{name}: must be a text"));
                };
                compiled.push((name, Template::compile(&text)?));
            }
            if compiled.is_empty() {
                return Err("templates: none given".to_owned());
            }
            Parser::Pattern(Pattern(compiled))
        }
    })
}

/// `{by: version, '4': [columns], '6': [columns]}`.
fn variant(mut keys: Map<String, Value>) -> Result<Variant, String> {
    let Some(Value::String(by)) = keys.remove("by") else {
        return Err("variants: 'by' must name an earlier column".to_owned());
    };
    let columns = keys
        .into_iter()
        .map(
            |(value, columns)| match serde_json::from_value::<Vec<String>>(columns) {
                Ok(columns) => Ok((value, columns)),
                Err(_) => Err(format!("variants.{value}: must be a list of column names")),
            },
        )
        .collect::<Result<_, _>>()?;
    Ok(Variant { by, columns })
}

fn time(keys: TimeKeys, names: &mut Names) -> Result<TimeRule, String> {
    let fields = match (keys.field, keys.fields) {
        (Some(_), Some(_)) => return Err("'field' and 'fields' exclude each other".to_owned()),
        (Some(field), None) => vec![field],
        (None, Some(fields)) if !fields.is_empty() => fields,
        _ if keys.format.as_deref() == Some("header") => return Ok(TimeRule::Header),
        _ => return Err("names no field; write field, fields, or format: header".to_owned()),
    };
    let format = keys
        .format
        .ok_or("no 'format'; write for instance '%Y-%m-%d %H:%M:%S', epoch_auto or iso8601")?;
    let fields = fields
        .iter()
        .map(|field| intern(names, field))
        .collect::<Result<_, _>>()?;
    Ok(TimeRule::Fields(fields, Format::compile(&format)?))
}

fn intern(names: &mut Names, text: &str) -> Result<Name, String> {
    names.intern(text).ok_or_else(|| "too many field names".to_owned())
}

fn branch(keys: BranchKeys, names: &mut Names) -> Result<Branch, String> {
    let LogSourceKeys {
        product,
        category,
        service,
    } = keys.logsource;
    if product.is_none() && category.is_none() && service.is_none() {
        return Err("logsource: names nothing".to_owned());
    }
    let owned = |part: Option<String>| part.map(std::borrow::Cow::Owned);
    let logsource = Arc::new(LogSource {
        product: owned(product),
        category: owned(category),
        service: owned(service),
    });
    let mut when = Vec::with_capacity(keys.when.len());
    for (field, value) in keys.when {
        let test = test(value).map_err(|what| format!("when.{field}: {what}"))?;
        when.push((intern(names, &field)?, test));
    }
    let mut takes = Vec::with_capacity(keys.fields.len() + keys.table.len());
    for (ours, value) in keys.fields {
        let take = field(value, names).map_err(|what| format!("fields.{ours}: {what}"))?;
        takes.push((intern(names, &ours)?, take));
    }
    for (ours, value) in keys.table {
        let take = table(value, names).map_err(|what| format!("table.{ours}: {what}"))?;
        takes.push((intern(names, &ours)?, take));
    }
    let derive = keys
        .derive
        .iter()
        .map(|call| Many::compile(call, names))
        .collect::<Result<_, _>>()?;
    Ok(Branch {
        when,
        logsource,
        takes,
        derive,
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

fn words(value: &Value) -> Result<Vec<String>, String> {
    let all = match value {
        Value::Array(items) => items.iter().map(scalar).collect::<Option<Vec<_>>>(),
        other => scalar(other).map(|text| vec![text]),
    };
    all.filter(|words| !words.is_empty())
        .ok_or_else(|| "must be a value or a list of values".to_owned())
}

fn test(value: Value) -> Result<Test, String> {
    let Value::Object(object) = value else {
        return words(&value).map(Test::Equal);
    };
    let mut entries = object.into_iter();
    let (Some((key, value)), None) = (entries.next(), entries.next()) else {
        return Err("must have one of startswith, contains, present".to_owned());
    };
    match key.as_str() {
        "startswith" => words(&value).map(Test::StartsWith),
        "contains" => words(&value).map(Test::Contains),
        "present" => value
            .as_bool()
            .map(Test::Present)
            .ok_or_else(|| "present: must be true or false".to_owned()),
        other => Err(strict::refusal(
            "test",
            "key",
            other,
            &["startswith", "contains", "present"],
        )),
    }
}

/// `theirs`, `{from: theirs, type: int}` or `{derive: 'sum(a, b)'}`.
fn field(value: Value, names: &mut Names) -> Result<Take, String> {
    match value {
        Value::String(theirs) => Ok(Take::Field(intern(names, &theirs)?, As::Same)),
        Value::Object(mut object) => {
            if let Some(call) = object.remove("derive") {
                let (Value::String(call), true) = (call, object.is_empty()) else {
                    return Err("'derive' must be a text and stand alone".to_owned());
                };
                return One::compile(&call, names).map(Take::Derived);
            }
            let Some(Value::String(from)) = object.remove("from") else {
                let known = ["from", "type", "derive"];
                return Err(match object.keys().find(|key| !known.contains(&key.as_str())) {
                    Some(key) => strict::refusal("field", "key", key, &known),
                    None => "'from' must name a field".to_owned(),
                });
            };
            let kind = match object.remove("type") {
                None => As::Same,
                Some(Value::String(kind)) => match kind.as_str() {
                    "int" => As::Int,
                    "float" => As::Float,
                    "bool" => As::Bool,
                    other => return Err(strict::refusal("type", "value", other, &["int", "float", "bool"])),
                },
                Some(_) => return Err("'type' must be one of int, float, bool".to_owned()),
            };
            match object.keys().next() {
                Some(key) => Err(strict::refusal("field", "key", key, &["from", "type", "derive"])),
                None => Ok(Take::Field(intern(names, &from)?, kind)),
            }
        }
        _ => Err("must be a field name, {from, type} or {derive}".to_owned()),
    }
}

/// `{from: theirs, <their value>: <our word>, ...}`.
fn table(value: Value, names: &mut Names) -> Result<Take, String> {
    let Value::Object(mut object) = value else {
        return Err("must be a map of 'from' and values".to_owned());
    };
    let Some(Value::String(from)) = object.remove("from") else {
        return Err("'from' must name a field".to_owned());
    };
    let mut entries = Vec::with_capacity(object.len());
    for (theirs, ours) in object {
        let word = match ours {
            Value::String(text) => OwnedValue::Str(text),
            Value::Bool(b) => OwnedValue::Bool(b),
            Value::Number(number) => OwnedValue::Int(
                number
                    .as_i64()
                    .ok_or_else(|| format!("{theirs}: must be a whole number"))?,
            ),
            _ => return Err(format!("{theirs}: must be a word, a number, true or false")),
        };
        entries.push((theirs, word));
    }
    if entries.is_empty() {
        return Err("lists no value".to_owned());
    }
    Ok(Take::Word(intern(names, &from)?, entries))
}

#[cfg(test)]
mod tests {
    use super::read;

    fn refused(change: &str, to: &str) -> String {
        let good = r#"{"sources": [{"id": "fw", "title": {"en": "fw"}, "match": [{"contains": ["devid="]}],
            "parse": {"kind": "kv", "escape": "\\"}, "time": [{"field": "eventtime", "format": "epoch_auto"}],
            "events": [{"when": {"type": "event", "action": {"startswith": "x"}}, "logsource": {"product": "fw"},
                "fields": {"src_ip": "srcip", "n": {"from": "n", "type": "int"}, "b": {"derive": "sum(a, c)"}},
                "table": {"outcome": {"from": "action", "ok": "success"}}, "derive": ["uri(u)"]}]}]}"#;
        assert!(read(good.as_bytes()).is_ok());
        let bad = good.replace(change, to);
        assert_ne!(bad, good, "{change}");
        read(bad.as_bytes()).err().unwrap_or_else(|| panic!("accepted: {to}"))
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_place() {
        for (change, to, why) in [
            (
                "\"contains\"",
                "\"contians\"",
                "sources[0].match[0].contians: unknown key 'contians'; did you mean 'contains'?",
            ),
            ("\"kv\"", "\"xml\"", "unknown value 'xml'"),
            ("\"escape\"", "\"escpae\"", "did you mean 'escape'"),
            (
                "epoch_auto",
                "%Q",
                "source 'fw': time[0]: time format '%Q': unknown conversion '%Q'",
            ),
            (
                "startswith",
                "startwith",
                "events[0]: when.action: test: unknown key 'startwith'; did you mean 'startswith'?",
            ),
            ("\"int\"", "\"itn\"", "did you mean 'int'"),
            ("\"type\": \"int\"", "\"tpye\": \"int\"", "did you mean 'type'"),
            ("sum(", "smu(", "did you mean 'sum'"),
            ("uri(", "urri(", "did you mean 'uri'"),
            (
                "\"from\": \"action\", \"ok\"",
                "\"ok\"",
                "table.outcome: 'from' must name a field",
            ),
            ("{\"contains\": [\"devid=\"]}", "{}", "would claim every line"),
            ("{\"product\": \"fw\"}", "{}", "logsource: names nothing"),
            ("\"devid=\"", "\"\"", "would claim every line"),
            ("\"logsource\"", "\"also\": [], \"logsource\"", "unknown key 'also'"),
        ] {
            let error = refused(change, to);
            assert!(error.contains(why), "{error}\nwanted: {why}");
        }
    }

    #[test]
    fn one_id_twice_is_refused() {
        let one = r#"{"id": "a", "title": {}, "match": [{"tag": "a"}], "parse": {"kind": "json"}, "events": [{"logsource": {"product": "a"}}]}"#;
        let error = read(format!("{{\"sources\": [{one}, {one}]}}").as_bytes())
            .err()
            .unwrap();
        assert_eq!(error, "source 'a' is defined twice");
    }
}
