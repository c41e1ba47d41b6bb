//! Events as text: Zeek's JSON-streaming shape, one object a line, `_path` first.

use std::io::Write;
use std::net::IpAddr;

use crate::event::{Event, OwnedValue, Value};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends one event as a JSON object and a line feed.
pub fn json_line(event: &Event, out: &mut Vec<u8>) {
    json(event, out);
    out.push(b'\n');
}

/// Appends one event as a JSON object.
pub fn json(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"_path\":");
    string(event.path(), out);
    event.visit(&mut |name, value| {
        out.push(b',');
        string(name, out);
        out.push(b':');
        json_value(&value, out);
    });
    out.push(b'}');
}

/// Appends one value as JSON: times and spans in seconds with six decimals, addresses as text.
pub fn json_value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(n) => {
            if *n < 0 {
                out.push(b'-');
            }
            number(n.unsigned_abs(), out);
        }
        Value::Uint(n) => number(*n, out),
        Value::Float(n) => float(*n, out),
        Value::Str(text) => string(text, out),
        Value::Addr(address) => {
            out.push(b'"');
            addr(*address, out);
            out.push(b'"');
        }
        Value::Time(time) => seconds(time.0, out),
        Value::Interval(nanos) => seconds(*nanos, out),
        Value::Strs(texts) => list(texts.iter(), out, |text, out| string(text, out)),
        Value::Floats(numbers) => list(numbers.iter(), out, |n, out| float(*n, out)),
        Value::List(values) => list(values.iter(), out, |value: &OwnedValue, out| {
            json_value(&value.as_value(), out);
        }),
    }
}

fn list<T>(items: impl Iterator<Item = T>, out: &mut Vec<u8>, mut each: impl FnMut(T, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(item, out);
    }
    out.push(b']');
}

fn float(n: f64, out: &mut Vec<u8>) {
    if n.is_finite() {
        out.extend_from_slice(ryu::Buffer::new().format_finite(n).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

fn number(mut n: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn seconds(nanos: i64, out: &mut Vec<u8>) {
    if nanos < 0 {
        out.push(b'-');
    }
    let micros = nanos.unsigned_abs() / 1000;
    number(micros / 1_000_000, out);
    let mut fraction = *b".000000";
    let mut rest = micros % 1_000_000;
    for digit in fraction[1..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&fraction);
}

fn addr(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(v4) => {
            for (index, octet) in v4.octets().into_iter().enumerate() {
                if index > 0 {
                    out.push(b'.');
                }
                number(octet.into(), out);
            }
        }
        // Writing to a vector does not fail.
        IpAddr::V6(v6) => {
            let _ = write!(out, "{v6}");
        }
    }
}

/// Appends a JSON string (RFC 8259): quotation mark, backslash and control characters escaped.
fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (index, byte) in bytes.iter().enumerate() {
        let escaped: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => &[
                b'\\',
                b'u',
                b'0',
                b'0',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ],
            _ => continue,
        };
        out.extend_from_slice(&bytes[from..index]);
        out.extend_from_slice(escaped);
        from = index + 1;
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}
