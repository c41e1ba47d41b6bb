//! A search's filter as text (RFC 4515), out of its elements (RFC 4511, 4.5.1.7).

use crate::proto::der::{Element, Malformed, OCTETS, SEQUENCE};

/// Filters within filters that are looked into; bytes of the text.
const MAX_DEPTH: u32 = 32;
const MAX_TEXT: usize = 4096;

/// The text of a filter; what lies too deep or runs too long is left out and marked by dots.
pub(super) fn text(filter: &Element<'_>) -> Result<String, Malformed> {
    let mut out = String::new();
    write(filter, 0, &mut out)?;
    Ok(out)
}

fn write(filter: &Element<'_>, depth: u32, out: &mut String) -> Result<(), Malformed> {
    if depth >= MAX_DEPTH || out.len() >= MAX_TEXT {
        out.push_str("(...)");
        return Ok(());
    }
    out.push('(');
    match filter.tag {
        0xa0..=0xa2 => {
            out.push(['&', '|', '!'][usize::from(filter.tag - 0xa0)]);
            for inner in filter.elements() {
                write(&inner?, depth + 1, out)?;
                if out.len() >= MAX_TEXT {
                    break;
                }
            }
        }
        0xa3 => compared(filter, "=", out)?,
        0xa4 => substrings(filter, out)?,
        0xa5 => compared(filter, ">=", out)?,
        0xa6 => compared(filter, "<=", out)?,
        0x87 => {
            value(filter.whole()?, out);
            out.push_str("=*");
        }
        0xa8 => compared(filter, "~=", out)?,
        0xa9 => extensible(filter, out)?,
        _ => return Err(Malformed),
    }
    out.push(')');
    Ok(())
}

fn compared(filter: &Element<'_>, sign: &str, out: &mut String) -> Result<(), Malformed> {
    let mut parts = filter.elements();
    value(parts.value(OCTETS)?, out);
    out.push_str(sign);
    value(parts.value(OCTETS)?, out);
    Ok(())
}

fn substrings(filter: &Element<'_>, out: &mut String) -> Result<(), Malformed> {
    let mut parts = filter.elements();
    value(parts.value(OCTETS)?, out);
    out.push('=');
    let mut ends = false;
    for (at, piece) in parts.expect(SEQUENCE)?.elements().enumerate() {
        let piece = piece?;
        if at > 0 || piece.tag != 0x80 {
            out.push('*');
        }
        value(piece.whole()?, out);
        ends = piece.tag == 0x82;
    }
    if !ends {
        out.push('*');
    }
    Ok(())
}

fn extensible(filter: &Element<'_>, out: &mut String) -> Result<(), Malformed> {
    let (mut rule, mut kind, mut wanted, mut of_dn) = (None, None, None, false);
    for part in filter.elements() {
        let part = part?;
        let content = part.whole()?;
        match part.tag {
            0x81 => rule = Some(content),
            0x82 => kind = Some(content),
            0x83 => wanted = Some(content),
            0x84 => of_dn = content != [0],
            _ => return Err(Malformed),
        }
    }
    value(kind.unwrap_or(&[]), out);
    if of_dn {
        out.push_str(":dn");
    }
    if let Some(rule) = rule {
        out.push(':');
        value(rule, out);
    }
    out.push_str(":=");
    value(wanted.ok_or(Malformed)?, out);
    Ok(())
}

/// A value with what a filter's text may not hold written by its number (RFC 4515, 3).
fn value(bytes: &[u8], out: &mut String) {
    use std::fmt::Write;
    let bytes = &bytes[..bytes.len().min(MAX_TEXT)];
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '(' | ')' | '*' | '\\' | '\0'..='\x1f' => {
                    let _ = write!(out, "\\{:02x}", u32::from(letter));
                }
                letter => out.push(letter),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\{byte:02x}");
        }
    }
}
