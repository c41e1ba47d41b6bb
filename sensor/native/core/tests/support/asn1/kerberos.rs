//! Messages of Kerberos (RFC 4120), of the fields that matter.
#![allow(dead_code)] // each test uses some

use super::element;

pub fn sequence(fields: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &fields.concat())
}

pub fn number(tag: u8, value: u8) -> Vec<u8> {
    element(tag, &element(2, &[value]))
}

pub fn string(tag: u8, text: &str) -> Vec<u8> {
    element(tag, &element(0x1b, text.as_bytes()))
}

pub fn name(tag: u8, parts: &[&str]) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = parts.iter().map(|part| element(0x1b, part.as_bytes())).collect();
    element(tag, &sequence(&[number(0xa0, 1), element(0xa1, &sequence(&parts))]))
}

pub fn time(tag: u8, text: &str) -> Vec<u8> {
    element(tag, &element(0x18, text.as_bytes()))
}

/// A request (10: AS, 12: TGS) with this number of `client` for `service`.
pub fn request(kind: u8, nonce: u32, client: &str, service: &str) -> Vec<u8> {
    let body = sequence(&[
        element(0xa0, &element(3, &[0, 0x40, 0x80, 0, 0])),
        name(0xa1, &[client]),
        string(0xa2, "TOWN.EXAMPLE"),
        name(0xa3, &[service, "dc1.town.example"]),
        time(0xa4, "19700101000001Z"),
        time(0xa5, "20370913024805Z"),
        element(0xa7, &element(2, &nonce.to_be_bytes())),
    ]);
    element(
        0x60 | kind,
        &sequence(&[number(0xa1, 5), number(0xa2, kind), element(0xa4, &body)]),
    )
}

/// A reply (11: AS, 13: TGS) to Maria whose ticket for `service` is encrypted with `cipher`.
pub fn reply(kind: u8, cipher: u8, service: &str) -> Vec<u8> {
    reply_of(kind, cipher, service, 150)
}

/// The same with so many encrypted bytes in the ticket.
pub fn reply_of(kind: u8, cipher: u8, service: &str, bytes: usize) -> Vec<u8> {
    let secret = sequence(&[number(0xa0, cipher), element(0xa2, &element(4, &vec![7; bytes]))]);
    let ticket = sequence(&[
        number(0xa0, 5),
        string(0xa1, "TOWN.EXAMPLE"),
        name(0xa2, &[service, "dc1.town.example"]),
        element(0xa3, &secret),
    ]);
    element(
        0x60 | kind,
        &sequence(&[
            number(0xa0, 5),
            number(0xa1, kind),
            string(0xa3, "TOWN.EXAMPLE"),
            name(0xa4, &["maria"]),
            element(0xa5, &element(0x61, &ticket)),
            element(0xa6, &secret),
        ]),
    )
}

/// An error about `service`, with words or without.
pub fn error(code: u8, text: Option<&str>, service: &str) -> Vec<u8> {
    element(
        0x7e,
        &sequence(&[
            number(0xa0, 5),
            number(0xa1, 30),
            time(0xa4, "20260301091407Z"),
            number(0xa6, code),
            string(0xa9, "TOWN.EXAMPLE"),
            name(0xaa, &[service, "dc1.town.example"]),
            text.map(|text| string(0xab, text)).unwrap_or_default(),
        ]),
    )
}

/// A message behind its length, as TCP carries it.
pub fn marked(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes()[..], message].concat()
}
