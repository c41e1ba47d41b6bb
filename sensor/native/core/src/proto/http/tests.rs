use super::wire::{RequestLine, chunk_size, filename, request_line, status_line, unescape};
use super::*;

#[test]
fn request_lines_are_read_leniently() {
    let read = |line: &'static [u8]| {
        request_line(line).map(
            |RequestLine {
                 method,
                 target,
                 version,
             }| { (text(method), text(target), version.map(text)) },
        )
    };
    let made = |method: &str, target: &str, version: Option<&str>| {
        Some((method.to_owned(), target.to_owned(), version.map(str::to_owned)))
    };
    assert_eq!(read(b"GET / HTTP/1.1"), made("GET", "/", Some("1.1")));
    assert_eq!(read(b"GET   /a b c   HTTP/1.0"), made("GET", "/a b c", Some("1.0")));
    assert_eq!(read(b"GET /old"), made("GET", "/old", None));
    assert_eq!(read(b"GET HTTP/1.1"), made("GET", "", Some("1.1")));
    assert_eq!(
        read(b"X-ODD\thttp://h.example/ HTTP/1.1 junk"),
        made("X-ODD", "http://h.example/", Some("1.1"))
    );
    assert_eq!(read(b"GET"), None);
    assert_eq!(read(b" / HTTP/1.1"), None);
    let line = b"GET /index HTTP/1.1";
    assert!(
        (0..line.len()).all(|cut| request_line(&line[..cut]).is_none_or(|request| request.version != Some(b"1.1")))
    );
}

#[test]
fn status_lines_are_read_leniently() {
    let status = status_line(b"HTTP/1.1 404  Not Found ").expect("a status line");
    assert_eq!(
        (status.version, status.code, status.reason),
        (&b"1.1"[..], 404, &b"Not Found"[..])
    );
    assert_eq!(status_line(b"HTTP/1.0 200").map(|status| status.reason), Some(&b""[..]));
    assert_eq!(status_line(b"ICY 200 OK"), None);
    assert_eq!(status_line(b"HTTP/1.1 OK"), None);
}

#[test]
fn escapes_are_resolved_once() {
    assert_eq!(unescape(b"/a%20b%2e%2E%252e"), b"/a b..%2e");
    assert_eq!(unescape(b"%u002e%u1234%zz%5%"), b".\x12\x34%zz%5%");
    assert_eq!(unescape(b"100%%41"), b"100%A");
}

#[test]
fn chunk_sizes_and_file_names() {
    assert_eq!(chunk_size(b"1aF ; name=value"), Some(0x1af));
    assert_eq!(chunk_size(b"-5"), None);
    assert_eq!(chunk_size(b"ffffffffffffffffff"), None);
    assert_eq!(filename(b"attachment; filename=\"a b.exe\"; x"), Some(&b"a b.exe"[..]));
    assert_eq!(filename(b"inline; FileName=plain.txt ; x"), Some(&b"plain.txt"[..]));
    assert_eq!(filename(b"inline"), None);
}

#[test]
fn bodies_are_decompressed_within_limits() {
    use std::io::Write;
    let decoders = std::sync::Arc::default();
    let length = |encoding, bytes: &[u8]| {
        let mut body = body::Body::new(Some(encoding));
        for piece in bytes.chunks(7) {
            body.take(piece, &decoders);
        }
        body.finish()
    };
    let page = b"<html>".repeat(1_000);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&page).expect("compress");
    assert_eq!(
        length(Encoding::Gzip, &gzip.finish().expect("compress")),
        (6_000, Some("text/html"))
    );
    let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    raw.write_all(&page).expect("compress");
    assert_eq!(
        length(Encoding::Deflate, &raw.finish().expect("compress")),
        (6_000, Some("text/html"))
    );
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(&page).expect("compress");
    assert_eq!(
        length(Encoding::Deflate, &zlib.finish().expect("compress")),
        (6_000, Some("text/html"))
    );
    // A bomb stops at its limit; what lies about its encoding does no harm.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 64 << 20]).expect("compress");
    assert!(length(Encoding::Gzip, &bomb.finish().expect("compress")).0 < 5 << 20);
    assert_eq!(length(Encoding::Gzip, b"not compressed at all").0, 0);
    assert_eq!(decoders.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn probes_tell_http_from_what_looks_like_it() {
    assert_eq!(probe(b"GET / HTTP/1.1\r\n", Dir::Orig, false), Verdict::Yes);
    assert_eq!(probe(b"\r\nPROPFIND /x HTTP/1.1\r\n", Dir::Orig, false), Verdict::Yes);
    assert_eq!(probe(b"GET /old\r\n", Dir::Orig, false), Verdict::Yes);
    assert_eq!(probe(b"HELO town.example\r\n", Dir::Orig, false), Verdict::No);
    assert_eq!(probe(b"SSH-2.0-x\r\n", Dir::Orig, false), Verdict::No);
    assert_eq!(probe(b"\x16\x03\x01", Dir::Orig, true), Verdict::No);
    assert_eq!(probe(b"HTTP/1.1 200 OK\r\n", Dir::Resp, false), Verdict::Yes);
    assert_eq!(probe(b"220 ftp ready\r\n", Dir::Resp, false), Verdict::No);
    let line = b"GET /a HTTP/1.1\r\n";
    assert!((0..14).all(|cut| probe(&line[..cut], Dir::Orig, false) == Verdict::More));
}
