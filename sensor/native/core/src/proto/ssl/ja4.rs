//! JA4, the fingerprint of a TLS client hello (github.com/FoxIO-LLC/ja4, the client part, BSD 3-clause description).

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::wire::ClientHello;

const NOTHING: &str = "000000000000";

/// The fingerprint; `transport` is `t` for TCP, `q` for QUIC, `d` for DTLS.
pub(super) fn fingerprint(hello: &ClientHello, transport: char) -> String {
    let version = match hello.versions.iter().copied().max().unwrap_or(hello.version) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    };
    let name = if hello.extensions.contains(&0) { 'd' } else { 'i' };
    let (ciphers, extensions) = (hello.ciphers.len().min(99), hello.extensions.len().min(99));
    let mut out = format!(
        "{transport}{version}{name}{ciphers:02}{extensions:02}{}_",
        alpn(hello.alpn.as_deref())
    );
    let mut sorted = hello.ciphers.clone();
    sorted.sort_unstable();
    out.push_str(&hash(&list(&sorted)));
    out.push('_');
    // Server name and ALPN are left out: they vary with the destination.
    let mut sorted: Vec<u16> = hello
        .extensions
        .iter()
        .copied()
        .filter(|kind| *kind != 0 && *kind != 16)
        .collect();
    sorted.sort_unstable();
    let mut text = list(&sorted);
    if !text.is_empty() && !hello.signature_algorithms.is_empty() {
        text.push('_');
        text.push_str(&list(&hello.signature_algorithms));
    }
    out.push_str(&hash(&text));
    out
}

/// First and last character of the first protocol offered; of its hexadecimal form where they are not alphanumeric.
fn alpn(protocol: Option<&[u8]>) -> String {
    let Some([first, .., last] | [first @ last]) = protocol else {
        return "00".to_owned();
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        [char::from(*first), char::from(*last)].iter().collect()
    } else {
        format!("{:x}{:x}", first >> 4, last & 0xf)
    }
}

fn list(numbers: &[u16]) -> String {
    let mut out = String::with_capacity(numbers.len() * 5);
    for (index, number) in numbers.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(out, "{}{number:04x}", if index == 0 { "" } else { "," });
    }
    out
}

fn hash(text: &str) -> String {
    if text.is_empty() {
        return NOTHING.to_owned();
    }
    let mut out = super::hex(&Sha256::digest(text.as_bytes()));
    out.truncate(NOTHING.len());
    out
}
