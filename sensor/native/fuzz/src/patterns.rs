//! Expressions, wildcards and networks against texts.

use serde_json::{Value, json};
use vigla_core::sigma::Pack;

use super::{packs, ruleset};

/// First byte: which operator and flags; then the pattern, a NUL, and texts with NULs between.
pub fn run(data: &[u8]) {
    let Some((&which, rest)) = data.split_first() else {
        return;
    };
    let mut texts = rest.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let Some(pattern) = texts.next() else { return };
    let cased = which & 0x80 != 0;
    let predicate = match which % 8 {
        0 => json!({"op": "re", "field": 0, "pattern": pattern, "flags": ""}),
        1 => json!({"op": "re", "field": 0, "pattern": pattern, "flags": "i"}),
        2 => json!({"op": "re", "field": null, "pattern": pattern, "flags": "ms"}),
        3 => json!({"op": "cidr", "field": 0, "value": pattern}),
        4 => json!({"op": "wildcard", "field": null, "parts": parts(&pattern), "cased": cased}),
        5 => json!({"op": "lt", "field": 0, "value": pattern}),
        6 => json!({"op": "endswith", "field": 0, "value": pattern, "cased": cased}),
        _ => json!({"op": "wildcard", "field": 0, "parts": parts(&pattern), "cased": cased}),
    };
    let rules = packs::single(&predicate);
    let Ok(pack) = Pack::load(&packs::zip(&packs::members(&rules, &["l"]))) else {
        return;
    };
    let events: Vec<Vec<u8>> = texts.map(|text| json!({"a": text}).to_string().into_bytes()).collect();
    let events: Vec<&[u8]> = events.iter().map(Vec::as_slice).collect();
    ruleset::agree(&pack.into(), &events);
}

/// A pattern in Sigma's own spelling, without escapes.
fn parts(pattern: &str) -> Vec<Value> {
    let mut parts = vec![];
    for piece in pattern.split_inclusive(['*', '?']) {
        let text = piece.trim_end_matches(['*', '?']);
        if !text.is_empty() {
            parts.push(text.into());
        }
        if piece.len() > text.len() {
            parts.push(json!({"any": &piece[text.len()..]}));
        }
    }
    parts
}
