//! Events as text: one JSON object, `_path` first, in the shape of Zeek's JSON streaming. Printing and hashing read the same
//! bytes, so the text of an event never depends on who asks for it.

use std::io::Write as _;
use std::net::IpAddr;

use crate::event::{Body, Event, OwnedValue, Time, Value};

/// Writes `event` to `out` as one JSON object, without a line end.
pub fn event(out: &mut Vec<u8>, event: &Event) {
    out.extend_from_slice(b"{\"_path\":");
    text(out, event.path());
    match &event.body {
        Body::Typed(_) => event.visit(&mut |name, value| member(out, name, value)),
        Body::Named(_) | Body::Line(_) => {
            member(out, "ts", Value::Time(event.ts));
            if let Some(uid) = &event.uid {
                member(out, "uid", Value::Str(uid.as_str()));
            }
            event.visit(&mut |name, value| {
                // Ours win over a line's own fields of these names; rules still read the line's.
                if !matches!(name, "_path" | "ts" | "uid") {
                    member(out, name, value);
                }
            });
        }
    }
    out.push(b'}');
}

fn member(out: &mut Vec<u8>, name: &str, of: Value<'_>) {
    out.push(b',');
    text(out, name);
    out.push(b':');
    value(out, of);
}

/// Writes one value: times and spans in seconds with six decimals, addresses as RFC 5952 text.
pub fn value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(i) => out.extend_from_slice(itoa::Buffer::new().format(i).as_bytes()),
        Value::Uint(u) => out.extend_from_slice(itoa::Buffer::new().format(u).as_bytes()),
        Value::Float(f) => float(out, f),
        Value::Number(number) => self::number(out, number),
        Value::Str(s) => text(out, s),
        Value::Addr(address) => self::address(out, address),
        Value::Time(Time(ns)) | Value::Interval(ns) => seconds(out, ns),
        Value::Strs(list) => array(out, list, |out, s| text(out, s)),
        Value::Floats(list) => array(out, list, |out, f| float(out, *f)),
        Value::List(list) => array(out, list, |out, item| self::value(out, OwnedValue::as_value(item))),
    }
}

/// IPv4 by hand, as it stands in each event twice; IPv6 in RFC 5952 as the standard library writes it.
fn address(out: &mut Vec<u8>, address: IpAddr) {
    out.push(b'"');
    match address {
        IpAddr::V4(v4) => {
            for (index, octet) in v4.octets().into_iter().enumerate() {
                if index > 0 {
                    out.push(b'.');
                }
                out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
            }
        }
        // Writing to a vector cannot fail.
        IpAddr::V6(v6) => drop(write!(out, "{v6}")),
    }
    out.push(b'"');
}

fn array<T>(out: &mut Vec<u8>, items: &[T], mut each: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}

/// As it was written; as text where a reader's double could not hold it.
fn number(out: &mut Vec<u8>, number: &str) {
    if number.parse().is_ok_and(f64::is_finite) {
        out.extend_from_slice(number.as_bytes());
    } else {
        text(out, number);
    }
}

fn float(out: &mut Vec<u8>, f: f64) {
    if f.is_finite() {
        out.extend_from_slice(ryu::Buffer::new().format_finite(f).as_bytes());
    } else {
        out.extend_from_slice(b"null"); // JSON has no word for it
    }
}

/// Nanoseconds as seconds with six decimals, cut and not rounded: two events a nanosecond apart never change places.
fn seconds(out: &mut Vec<u8>, ns: i64) {
    if ns < 0 {
        out.push(b'-');
    }
    let micros = ns.unsigned_abs() / 1000;
    out.extend_from_slice(itoa::Buffer::new().format(micros / 1_000_000).as_bytes());
    out.push(b'.');
    let mut digits = [b'0'; 6];
    let mut rest = micros % 1_000_000;
    for digit in digits.iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&digits);
}

const fn is_escaped(byte: u8) -> bool {
    matches!(byte, 0..0x20 | b'"' | b'\\' | 0x7f)
}

/// Writes a JSON string: `"`, `\` and control characters escaped, everything else as it is.
pub fn text(out: &mut Vec<u8>, s: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = s.as_bytes();
    // Nearly every text needs no escape: one pass without a way out of it, which the compiler makes wide.
    if !bytes.iter().fold(false, |odd, byte| odd | is_escaped(*byte)) {
        out.extend_from_slice(bytes);
        out.push(b'"');
        return;
    }
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if !is_escaped(byte) {
            continue;
        }
        out.extend_from_slice(&bytes[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]),
        }
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{Fields, LogSource, Uid};

    fn printed(of: Value<'_>) -> String {
        let mut out = Vec::new();
        value(&mut out, of);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_have_zeeks_spelling() {
        assert_eq!(
            printed(Value::Time(Time(1_767_225_600_123_456_789))),
            "1767225600.123456"
        );
        assert_eq!(printed(Value::Interval(-1_500_000_000)), "-1.500000");
        assert_eq!(printed(Value::Interval(0)), "0.000000");
        assert_eq!(printed(Value::Float(0.5)), "0.5");
        assert_eq!(printed(Value::Float(f64::NAN)), "null");
        assert_eq!(
            printed(Value::Addr("2001:DB8::0:1".parse().unwrap())),
            "\"2001:db8::1\""
        );
        assert_eq!(printed(Value::Addr("192.0.2.10".parse().unwrap())), "\"192.0.2.10\"");
        assert_eq!(
            printed(Value::Str("a\"b\\c\u{1}\n\u{7f}Ά")),
            r#""a\"b\\c\u0001\n\u007fΆ""#
        );
        assert_eq!(printed(Value::Strs(&["a".into(), "b".into()])), r#"["a","b"]"#);
    }

    #[test]
    fn a_lines_own_ts_does_not_appear_twice() {
        let event = Event {
            ts: Time(1_000_000_000),
            uid: Some(Uid::from_hash(1)),
            conn: None,
            body: Body::Named(Box::new(Fields {
                path: Arc::from("zeek_json"),
                logsource: Arc::new(LogSource::default()),
                values: vec![
                    (Arc::from("ts"), OwnedValue::Float(1.0)),
                    (Arc::from("query"), OwnedValue::Null),
                ],
            })),
        };
        let mut out = Vec::new();
        super::event(&mut out, &event);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"_path":"zeek_json","ts":1.000000,"uid":"C00000000000000001","query":null}"#
        );
    }
}
