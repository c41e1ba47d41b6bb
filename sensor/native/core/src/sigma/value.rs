//! What a value is to a rule: its elements one by one, and the text of each (sigma.md 1.2).

use crate::event::Value;
use crate::json;

/// Calls `each` with every scalar of a value, lists opened at any depth, until it returns true. Whether one did.
pub fn any<'a>(value: Value<'a>, each: &mut dyn FnMut(Value<'a>) -> bool) -> bool {
    match value {
        Value::Strs(list) => list.iter().any(|s| each(Value::Str(s))),
        Value::Floats(list) => list.iter().any(|f| each(Value::Float(*f))),
        Value::List(list) => list.iter().any(|item| any(item.as_value(), each)),
        scalar => each(scalar),
    }
}

/// Appends the text of a scalar: of a number its decimal form, of a boolean its word. Null has none: `false`.
pub fn text_into(value: Value<'_>, out: &mut String) -> bool {
    match value {
        Value::Null => return false,
        Value::Str(s) | Value::Number(s) => out.push_str(s),
        Value::Addr(address) => {
            use std::fmt::Write as _;
            let _ = write!(out, "{address}"); // writing to a string cannot fail
        }
        scalar => {
            let mut bytes = Vec::with_capacity(24);
            json::value(&mut bytes, scalar);
            out.push_str(std::str::from_utf8(&bytes).unwrap_or_default());
        }
    }
    true
}

/// The whole text of a value: a list's elements joined by commas.
pub fn whole_text(value: Value<'_>) -> Option<String> {
    let (mut out, mut first, mut some) = (String::new(), true, false);
    any(value, &mut |scalar| {
        if !first {
            out.push(',');
        }
        first = false;
        some |= text_into(scalar, &mut out);
        false
    });
    some.then_some(out)
}
