//! JSON that a strict reader refuses, mended where its meaning is plain: an event must not go unseen because one of its texts
//! holds half a character.
//!
//! In texts: bytes that are no UTF-8 and escapes of half a surrogate pair become U+FFFD, control characters and unknown
//! escapes are escaped. Outside: numbers that no double holds, `NaN` and `Infinity` become texts, as they are written.

/// The mended line, `None` where there is nothing to mend.
pub fn mend(line: &[u8]) -> Option<Vec<u8>> {
    let utf8 = String::from_utf8_lossy(line);
    let mut changed = matches!(utf8, std::borrow::Cow::Owned(_));
    let bytes = utf8.as_bytes();
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = string(bytes, at, &mut out, &mut changed),
            b'-' | b'0'..=b'9' | b'I' | b'N' => at = word(bytes, at, &mut out, &mut changed),
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
    changed.then_some(out)
}

/// Copies a string, whose `"` stands at `at`; where it ends.
fn string(bytes: &[u8], mut at: usize, out: &mut Vec<u8>, changed: &mut bool) -> usize {
    out.push(b'"');
    at += 1;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => {
                out.push(b'"');
                break;
            }
            b'\\' => at = escape(bytes, at, out, changed),
            0..0x20 => {
                *changed = true;
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            }
            _ => out.push(byte),
        }
    }
    at
}

/// Copies an escape, whose character stands at `at`; where it ends.
fn escape(bytes: &[u8], at: usize, out: &mut Vec<u8>, changed: &mut bool) -> usize {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
            out.extend_from_slice(&[b'\\', bytes[at]]);
            at + 1
        }
        Some(b'u') if unit(bytes, at - 1).is_some() => {
            let next = |at| unit(bytes, at);
            let length = match unit(bytes, at - 1) {
                Some(0xd800..0xdc00) if matches!(next(at + 5), Some(0xdc00..0xe000)) => 12,
                Some(0xd800..0xe000) => {
                    *changed = true;
                    out.extend_from_slice("\u{fffd}".as_bytes());
                    return at + 5;
                }
                _ => 6,
            };
            out.extend_from_slice(&bytes[at - 1..at - 1 + length]);
            at - 1 + length
        }
        _ => {
            // The character behind it is looked at again: it may be a control character.
            *changed = true;
            out.extend_from_slice(b"\\\\");
            at
        }
    }
}

/// The code unit that `\uXXXX` at `at` names.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    // `from_str_radix` would take a sign.
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Copies a number or word; where it ends.
fn word(bytes: &[u8], at: usize, out: &mut Vec<u8>, changed: &mut bool) -> usize {
    let length = bytes[at..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        .count();
    let text = &bytes[at..at + length];
    let beyond = || {
        let text = std::str::from_utf8(text).ok();
        text.and_then(|text| text.parse::<f64>().ok())
            .is_some_and(f64::is_infinite)
    };
    if matches!(text, b"NaN" | b"Infinity" | b"-Infinity") || text[0] != b'I' && text[0] != b'N' && beyond() {
        *changed = true;
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    } else {
        out.extend_from_slice(text);
    }
    at + length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(line: &[u8]) -> Value {
        serde_json::from_slice(&mend(line).expect("there is something to mend")).unwrap()
    }

    #[test]
    fn texts_are_mended() {
        assert_eq!(read(b"{\"a\":\"x\xffy\"}"), json!({"a": "x\u{fffd}y"}));
        assert_eq!(read(br#"{"a":"x\ud800y"}"#), json!({"a": "x\u{fffd}y"}));
        assert_eq!(
            read(br#"{"a":"\udc00\ud83d\ude00\ud800\ud800"}"#),
            json!({"a": "\u{fffd}😀\u{fffd}\u{fffd}"})
        );
        assert_eq!(read(b"{\"a\":\"x\0y\tz\"}"), json!({"a": "x\0y\tz"}));
        assert_eq!(
            read(br#"{"a":"C:\Windows\x41\u12"}"#),
            json!({"a": "C:\\Windows\\x41\\u12"})
        );
        assert_eq!(read(b"{\"a\":\"\\\x01\"}"), json!({"a": "\\\u{1}"}));
    }

    #[test]
    fn numbers_that_nothing_holds_become_texts() {
        assert_eq!(
            read(b"{\"a\":1e400,\"b\":[-1E+999,NaN,-Infinity],\"c\":\"1e400\"}"),
            json!({"a": "1e400", "b": ["-1E+999", "NaN", "-Infinity"], "c": "1e400"})
        );
    }

    #[test]
    fn what_is_well_or_beyond_help_is_left() {
        for line in [
            r#"{"a":"\u00e9\n😀","b":1e10,"c":null}"#.as_bytes(),
            b"{\"a\":",
            b"{a:1}",
            b"",
            b"\"\\\"",
        ] {
            assert_eq!(mend(line), None, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_as_a_text_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut line = b"{\"a\":\"".to_vec();
            line.extend(bytes.iter().filter(|byte| !matches!(byte, b'"' | b'\\')));
            line.extend_from_slice(b"\"}");
            let mended = mend(&line).unwrap_or(line);
            let value: Result<Value, _> = serde_json::from_slice(&mended);
            prop_assert!(value.is_ok(), "{:?}", mended);
        }

        #[test]
        fn what_a_reader_takes_is_not_touched(text in ".{0,40}", number in any::<f64>()) {
            let line = json!({"a": text, "b": number}).to_string();
            prop_assert_eq!(mend(line.as_bytes()), None);
        }
    }
}
