//! What a body is, by its first bytes; types are named as Zeek names them.

/// Bytes of a body that are looked at.
pub(super) const HEAD: usize = 1024;

/// First bytes that tell a type.
const MAGIC: [(&[u8], &str); 34] = [
    (b"GIF8", "image/gif"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"BM", "image/x-ms-bmp"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1a\x07", "application/x-rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b", "application/x-gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"MZ", "application/x-dosexec"),
    (b"\x7fELF", "application/x-executable"),
    (b"\xca\xfe\xba\xbe", "application/x-java-applet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
    (b"MSCF", "application/vnd.ms-cab-compressed"),
    (b"FWS", "application/x-shockwave-flash"),
    (b"CWS", "application/x-shockwave-flash"),
    (b"ZWS", "application/x-shockwave-flash"),
    (b"FLV\x01", "video/x-flv"),
    (b"OggS", "application/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"{\\rtf", "text/rtf"),
    (b"%!PS", "application/postscript"),
    (b"#!/bin/sh", "text/x-shellscript"),
    (b"#!/bin/bash", "text/x-shellscript"),
    (b"#!/usr/bin/perl", "text/x-perl"),
    (b"#!/usr/bin/env python", "text/x-python"),
    (b"wOFF", "application/font-woff"),
    (b"wOF2", "application/font-woff"),
    (b"\x30\x82", "application/x-x509-ca-cert"),
];

/// Words near the start of text that tell a type, in lower case.
const WORDS: [(&[u8], &str); 11] = [
    (b"<!doctype html", "text/html"),
    (b"<html", "text/html"),
    (b"<head", "text/html"),
    (b"<body", "text/html"),
    (b"<title", "text/html"),
    (b"<script", "text/html"),
    (b"<h1", "text/html"),
    (b"<!--", "text/html"),
    (b"<svg", "image/svg+xml"),
    (b"<rss", "text/rss"),
    (b"<?xml", "application/xml"),
];

/// The type of a body that starts with `head`; `None` where it cannot be told.
pub(super) fn sniff(head: &[u8]) -> Option<&'static str> {
    if head.is_empty() {
        return None;
    }
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(name);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let start = text.trim_ascii_start();
    let lower = start[..start.len().min(HEAD)].to_ascii_lowercase();
    if let Some((_, name)) = WORDS.iter().find(|(word, _)| lower.starts_with(word)) {
        // XHTML says what it is behind its XML declaration.
        let is_page = *name == "application/xml" && memchr::memmem::find(&lower, b"<html").is_some();
        return Some(if is_page { "text/html" } else { name });
    }
    if !text
        .iter()
        .all(|byte| matches!(byte, 0x20..=0x7e | b'\t' | b'\n' | b'\r' | 0x0c | 0x80..))
    {
        return None;
    }
    match start {
        [b'{' | b'[', rest @ ..] if looks_like_json(rest) => Some("text/json"),
        _ if std::str::from_utf8(text).map_or_else(|error| error.error_len().is_none(), |_| true) => Some("text/plain"),
        _ => None,
    }
}

/// What follows an opening bracket: a name, a value or the closing one.
fn looks_like_json(rest: &[u8]) -> bool {
    matches!(
        rest.trim_ascii_start().first(),
        Some(b'"' | b'{' | b'[' | b'}' | b']' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n')
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_by_first_bytes() {
        assert_eq!(sniff(b"  <!DOCTYPE html><p>"), Some("text/html"));
        assert_eq!(sniff(b"{\"a\": 1}"), Some("text/json"));
        assert_eq!(sniff(b"MZ\x90\x00"), Some("application/x-dosexec"));
        assert_eq!(sniff(b"just words"), Some("text/plain"));
        assert_eq!(sniff(b"\x00\x01\x02"), None);
        assert_eq!(sniff(b""), None);
    }
}
