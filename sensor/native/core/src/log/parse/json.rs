//! One JSON object a line, flattened with dots. A list of objects gives a list for each path.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::event::OwnedValue;
use crate::log::record::Record;

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 16;

/// Reads the object; false when the message is none. What lies deeper than the limit is left out.
pub fn parse(message: &str, record: &mut Record<'_, '_>) -> bool {
    let Ok(object) = serde_json::from_str::<Map<String, Value>>(message) else {
        return false;
    };
    object_into("", object, 0, record);
    true
}

fn object_into(prefix: &str, object: Map<String, Value>, depth: usize, record: &mut Record<'_, '_>) {
    for (key, value) in object {
        let name = if prefix.is_empty() {
            Cow::Owned(key)
        } else {
            Cow::Owned(format!("{prefix}.{key}"))
        };
        value_into(&name, value, depth, record);
    }
}

fn value_into(name: &str, value: Value, depth: usize, record: &mut Record<'_, '_>) {
    match value {
        Value::Object(inner) => {
            if depth < MAX_DEPTH {
                object_into(name, inner, depth + 1, record);
            } else {
                record.damage.too_many += 1;
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            if depth < MAX_DEPTH {
                objects_into(name, items, depth + 1, record);
            } else {
                record.damage.too_many += 1;
            }
        }
        other => record.put_value(name, scalar(other)),
    }
}

/// A list of objects: the values at each path, in order.
fn objects_into(name: &str, items: Vec<Value>, depth: usize, record: &mut Record<'_, '_>) {
    let mut columns: Vec<(String, Vec<Value>)> = Vec::new();
    for item in items {
        let Value::Object(object) = item else { continue };
        for (key, value) in object {
            match columns.iter_mut().find(|(known, _)| *known == key) {
                Some((_, values)) => values.push(value),
                None => columns.push((key, vec![value])),
            }
        }
    }
    for (key, values) in columns {
        value_into(&format!("{name}.{key}"), Value::Array(values), depth, record);
    }
}

fn scalar(value: Value) -> OwnedValue {
    match value {
        Value::Bool(b) => OwnedValue::Bool(b),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(i), _) => OwnedValue::Int(i),
            (None, Some(u)) => OwnedValue::Uint(u),
            (None, None) => OwnedValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => OwnedValue::Str(text),
        Value::Array(items) => OwnedValue::List(items.into_iter().map(scalar).collect()),
        Value::Null | Value::Object(_) => OwnedValue::Null,
    }
}

#[cfg(test)]
mod tests {
    use crate::log::parse::Parser;
    use crate::log::parse::tests::{fields, pairs};

    #[test]
    fn objects_flatten_and_lists_of_objects_give_a_list_for_each_path() {
        let line = r#"{"a": {"b": "x", "n": 5}, "t": true, "z": null, "l": [1, "y"], "o": [{"p": 1}, {"p": 2, "q": {"r": "s"}}], "big": 18446744073709551615}"#;
        assert_eq!(
            fields(&Parser::Json, line),
            pairs(&[
                ("a.b", "x"),
                ("a.n", "Int(5)"),
                ("t", "Bool(true)"),
                ("z", "Null"),
                ("l", "List([Int(1), Str(\"y\")])"),
                ("o.p", "List([Int(1), Int(2)])"),
                ("o.q.r", "List([Str(\"s\")])"),
                ("big", "Uint(18446744073709551615)"),
            ])
        );
    }

    #[test]
    fn what_is_no_object_is_refused_and_depth_is_bounded() {
        for line in ["", "[1]", "{\"a\": ", "{} x", "5"] {
            assert_eq!(fields(&Parser::Json, line), None, "{line}");
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
        assert_eq!(fields(&Parser::Json, &deep), pairs(&[]));
        let hostile = "{\"a\":".repeat(100_000);
        assert_eq!(fields(&Parser::Json, &hostile), None);
    }
}
