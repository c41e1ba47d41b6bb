//! Certificates by which clients and centers prove who they are (RFC 4556): the subject of the first one shown, as RFC 2253
//! writes it, with text as it is.

use crate::proto::der::{self, Element, Elements, Malformed};

/// Types of pre-authentication data: a client's signed request, a center's signed reply.
const PK_AS_REQ: i64 = 16;
const PK_AS_REP: i64 = 17;
/// 1.2.840.113549.1.7.2 (RFC 5652, 5.1).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// Attributes of a name, and bytes of its text, that are read.
const MAX_ATTRIBUTES: usize = 64;
const MAX_TEXT: usize = 512;

/// Attribute types with a name of their own (RFC 2253, 2.3, and those that OpenSSL adds).
const ATTRIBUTES: [(&[u8], &str); 13] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "street"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 42], "GN"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
];

/// The subject of the first certificate in pre-authentication data, where there is one and it is sound.
pub(super) fn subject(padata: Element<'_>) -> Option<String> {
    padata.elements().find_map(|entry| of_entry(entry.ok()?).ok().flatten())
}

fn of_entry(entry: Element<'_>) -> Result<Option<String>, Malformed> {
    let mut fields = entry.elements();
    let kind = der::integer(fields.expect(0xa1)?.value(der::INTEGER)?);
    let value = Elements::of(fields.expect(0xa2)?.value(der::OCTETS)?)
        .next()
        .ok_or(Malformed)??;
    match (kind, value.tag) {
        (Some(PK_AS_REQ), der::SEQUENCE) => of_signed(value.value(0x80)?),
        (Some(PK_AS_REP), 0xa0) => of_signed(value.inside(der::SEQUENCE)?.value(0x80)?),
        _ => Ok(None),
    }
}

/// `ContentInfo` with `SignedData`, then its first certificate.
fn of_signed(bytes: &[u8]) -> Result<Option<String>, Malformed> {
    let mut info = Elements::of(bytes).expect(der::SEQUENCE)?.elements();
    if info.value(der::OID)? != SIGNED_DATA {
        return Ok(None);
    }
    let mut signed = info.expect(0xa0)?.inside(der::SEQUENCE)?.elements();
    signed.expect(der::INTEGER)?;
    signed.expect(der::SET)?;
    signed.expect(der::SEQUENCE)?;
    let Some(Ok(certificates)) = signed.next().filter(|next| next.is_ok_and(|next| next.tag == 0xa0)) else {
        return Ok(None);
    };
    let mut fields = certificates.inside(der::SEQUENCE)?.inside(der::SEQUENCE)?.elements();
    if fields.next().ok_or(Malformed)??.tag == 0xa0 {
        fields.expect(der::INTEGER)?; // the number, behind the version
    }
    fields.expect(der::SEQUENCE)?; // the signature's algorithm
    fields.expect(der::SEQUENCE)?; // the issuer
    fields.expect(der::SEQUENCE)?; // the times
    Ok(Some(name(fields.expect(der::SEQUENCE)?)))
}

/// A `Name`, the last part first.
fn name(whole: Element<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for set in whole.elements().take(MAX_ATTRIBUTES) {
        let Ok(set) = set else { break };
        let values: Vec<String> = set
            .elements()
            .take(MAX_ATTRIBUTES)
            .map_while(|attribute| part(attribute.ok()?).ok())
            .collect();
        parts.push(values.join("+"));
    }
    parts.reverse();
    let mut joined = parts.join(",");
    crate::proto::shorten(&mut joined, MAX_TEXT);
    joined
}

fn part(attribute: Element<'_>) -> Result<String, Malformed> {
    let mut fields = attribute.elements();
    let kind = fields.value(der::OID)?;
    let value = fields.next().ok_or(Malformed)??;
    let kind = ATTRIBUTES
        .iter()
        .find(|(oid, _)| *oid == kind)
        .map_or_else(|| der::dotted(kind), |(_, name)| (*name).to_owned());
    Ok(format!("{kind}={}", escaped(&words(value.tag, value.whole()?))))
}

/// `BMPString` (RFC 5280, 4.1.2.4) is UTF-16; all others are read as UTF-8.
fn words(tag: u8, content: &[u8]) -> String {
    if tag == der::BMP {
        let units: Vec<u16> = content
            .chunks_exact(2)
            .map(|two| u16::from_be_bytes([two[0], two[1]]))
            .collect();
        return String::from_utf16_lossy(&units);
    }
    super::text(content)
}

/// RFC 2253, 2.4.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (at, letter) in text.chars().enumerate() {
        let is_edge = letter == ' ' && (at == 0 || at == last) || letter == '#' && at == 0;
        if is_edge || matches!(letter, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::asn1::element;

    fn attribute(oid: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        let pair = [element(der::OID, oid), element(tag, value)].concat();
        element(der::SET, &element(der::SEQUENCE, &pair))
    }

    fn shown(kind: u8, versioned: bool) -> Vec<u8> {
        let empty = element(der::SEQUENCE, &[]);
        let subject = [
            attribute(&[0x55, 4, 6], 0x13, b"GR"),
            attribute(&[0x55, 4, 10], 0x0c, "Δήμος, Τεστ".as_bytes()),
            attribute(&[0x55, 4, 3], der::BMP, &[3, 0x91, 0, b' ']),
            attribute(&[0x2a, 3, 4], 0x0c, b"x"),
        ]
        .concat();
        let mut tbs = if versioned {
            element(0xa0, &element(der::INTEGER, &[2]))
        } else {
            Vec::new()
        };
        tbs.extend(element(der::INTEGER, &[9]));
        tbs.extend([&empty[..], &empty, &empty].concat());
        tbs.extend(element(der::SEQUENCE, &subject));
        let certificate = element(der::SEQUENCE, &element(der::SEQUENCE, &tbs));
        let signed = [
            element(der::INTEGER, &[3]),
            element(der::SET, &[]),
            empty.clone(),
            element(0xa0, &certificate),
        ]
        .concat();
        let info = [
            element(der::OID, SIGNED_DATA),
            element(0xa0, &element(der::SEQUENCE, &signed)),
        ]
        .concat();
        let signed = element(der::SEQUENCE, &element(0x80, &element(der::SEQUENCE, &info)));
        let value = if kind == 17 { element(0xa0, &signed) } else { signed };
        let entry = [
            element(0xa1, &element(der::INTEGER, &[kind])),
            element(0xa2, &element(der::OCTETS, &value)),
        ]
        .concat();
        let other = [
            element(0xa1, &element(der::INTEGER, &[2])),
            element(0xa2, &element(der::OCTETS, b"??")),
        ]
        .concat();
        [element(der::SEQUENCE, &other), element(der::SEQUENCE, &entry)].concat()
    }

    /// The subject in a list of this content.
    fn subject(padata: &[u8]) -> Option<String> {
        let whole = element(der::SEQUENCE, padata);
        super::subject(Elements::of(&whole).next()?.ok()?)
    }

    #[test]
    fn the_subject_is_found_in_requests_and_replies() {
        for (kind, versioned) in [(16, true), (17, true), (16, false)] {
            assert_eq!(
                subject(&shown(kind, versioned)).as_deref(),
                Some("1.2.3.4=x,CN=Α\\ ,O=Δήμος\\, Τεστ,C=GR"),
                "{kind}"
            );
        }
        assert_eq!(subject(&shown(18, true)), None);
        assert_eq!(subject(&[]), None);
    }

    #[test]
    fn no_cut_or_change_panics_or_grows_without_bound() {
        let whole = shown(16, true);
        assert!((0..whole.len()).all(|cut| subject(&whole[..cut]).is_none()));
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0x80, 0x84, 0xff] {
                let mut changed = whole.clone();
                changed[at] = value;
                assert!(subject(&changed).is_none_or(|text| text.len() <= MAX_TEXT));
            }
        }
    }
}
