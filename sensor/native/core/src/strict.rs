//! Strict JSON: an unknown key is refused with its place and the nearest key that exists.

use serde::de::DeserializeOwned;

/// Reads `bytes` as `T`.
///
/// # Errors
/// What is wrong, at which key, and for an unknown key the nearest known one.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    // serde would read a list as the values of a struct in their order: `[]` for all defaults.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err("the document: must be a JSON object, {...}".to_owned());
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let place = error.path().to_string();
        explained(&place, &error.into_inner().to_string())
    })?;
    reader
        .end()
        .map_err(|error| format!("text after the document: {error}"))?;
    Ok(value)
}

fn explained(place: &str, message: &str) -> String {
    let place = if place == "." { "the document" } else { place };
    let Some(rest) = message
        .strip_prefix("unknown field `")
        .or_else(|| message.strip_prefix("unknown variant `"))
    else {
        return format!("{place}: {message}");
    };
    let kind = if message.starts_with("unknown field") {
        "key"
    } else {
        "value"
    };
    let mut quoted = rest.split('`');
    let unknown = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.skip(1).step_by(2).collect();
    refusal(place, kind, unknown, &known)
}

/// The refusal of `unknown` at `place`, naming the nearest of `known`.
pub fn refusal(place: &str, kind: &str, unknown: &str, known: &[&str]) -> String {
    match nearest(unknown, known) {
        Some(name) => format!("{place}: unknown {kind} '{unknown}'; did you mean '{name}'?"),
        None => format!("{place}: unknown {kind} '{unknown}'; known: {}", known.join(", ")),
    }
}

/// The one of `known` that `word` is most likely a slip of the pen for.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), *name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Outer {
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Inner {
        path: String,
        device: Option<String>,
    }

    #[test]
    fn an_unknown_key_is_answered_with_its_place_and_the_nearest_one() {
        let error = super::from_slice::<Outer>(br#"{"inner": [{"path": "x", "devcie": "y"}]}"#).unwrap_err();
        assert_eq!(error, "inner[0].devcie: unknown key 'devcie'; did you mean 'device'?");
        let error = super::from_slice::<Outer>(br#"{"inner": [{"path": "x", "zzzzzzzzz": "y"}]}"#).unwrap_err();
        assert_eq!(
            error,
            "inner[0].zzzzzzzzz: unknown key 'zzzzzzzzz'; known: path, device"
        );
    }

    #[test]
    fn a_wrong_type_and_trailing_text_are_refused() {
        assert!(
            super::from_slice::<Outer>(br#"{"inner": 1}"#)
                .unwrap_err()
                .starts_with("inner: invalid type")
        );
        assert!(
            super::from_slice::<Outer>(br#"{"inner": []} x"#)
                .unwrap_err()
                .starts_with("text after")
        );
    }
}
