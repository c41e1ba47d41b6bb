use super::*;

#[test]
fn lines_are_told_by_their_first_words() {
    assert_eq!(probe_lines(b"CAPA\r\n", Dir::Orig, false), Verdict::Yes);
    assert_eq!(probe_lines(b"a1 LOGIN x y\r\n", Dir::Orig, true), Verdict::Yes);
    assert_eq!(probe_lines(b"* OK IMAP4rev1\r\n", Dir::Resp, false), Verdict::Yes);
    assert_eq!(probe_lines(b"+OK ready\r\n", Dir::Resp, false), Verdict::Yes);
    assert_eq!(probe_lines(b"220 ready\r\n", Dir::Resp, false), Verdict::No);
    assert_eq!(probe_lines(b"CAPA", Dir::Orig, false), Verdict::More);
    assert_eq!(probe_lines(b"GET / HTTP/1.1\r\n", Dir::Orig, false), Verdict::No);
}

#[test]
fn rdp_is_told_by_its_request() {
    let mut request = vec![3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0];
    request.extend([1, 0, 8, 0, 3, 0, 0, 0]);
    assert_eq!(probe_rdp(&request, Dir::Orig, false), Verdict::Yes);
    assert!((1..request.len()).all(|cut| probe_rdp(&request[..cut], Dir::Orig, false) == Verdict::More));
    assert_eq!(probe_rdp(b"\x03\x00\x00\x10\x02\xf0\x80", Dir::Orig, true), Verdict::No);
}

#[test]
fn xmpp_is_told_by_its_namespace() {
    let start = b"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams'>";
    assert_eq!(probe_xmpp(start, Dir::Orig, false), Verdict::Yes);
    assert_eq!(probe_xmpp(&start[..30], Dir::Orig, false), Verdict::More);
    assert_eq!(probe_xmpp(b"<html>", Dir::Orig, false), Verdict::No);
}
