use super::wire::{Chunk, addresses, came_from, chunk, hosts, is_webmail, path};
use super::words::decoded;
use super::*;
use crate::proto::text;

#[test]
fn a_connection_is_told_by_its_first_words() {
    assert_eq!(probe(b"EHLO town.example\r\n", Dir::Orig, false), Verdict::Yes);
    assert_eq!(probe(b"helo [192.0.2.1]\r\n", Dir::Orig, false), Verdict::Yes);
    assert_eq!(probe(b"220 town ESMTP\r\n", Dir::Resp, false), Verdict::Yes);
    assert_eq!(probe(b"220 ready\r\n", Dir::Resp, true), Verdict::Yes);
    assert_eq!(probe(b"220 ready\r\n", Dir::Resp, false), Verdict::No);
    assert_eq!(probe(b"220 FTP ready\r\n", Dir::Resp, true), Verdict::No);
    // From the middle, on its own port only.
    assert_eq!(probe(b"MAIL FROM:<a@town.example>\r\n", Dir::Orig, true), Verdict::Yes);
    assert_eq!(probe(b"MAIL FROM:<a@town.example>\r\n", Dir::Orig, false), Verdict::No);
    assert_eq!(probe(b"250 ok\r\n", Dir::Resp, true), Verdict::Yes);
    assert_eq!(probe(b"GET / HTTP/1.1\r\n", Dir::Orig, true), Verdict::No);
    let line = b"EHLO a\r\n";
    assert!((0..line.len() - 1).all(|cut| probe(&line[..cut], Dir::Orig, true) == Verdict::More));
    assert_eq!(probe(&[b'a'; MAX_FIRST], Dir::Orig, true), Verdict::No);
}

#[test]
fn paths_and_chunks_are_read_or_refused() {
    let read = |argument: &'static [u8]| path(argument, b"FROM:").map(text);
    assert_eq!(read(b"FROM:<a@town.example> SIZE=3").as_deref(), Some("a@town.example"));
    assert_eq!(
        read(b"from: a@town.example BODY=8BITMIME").as_deref(),
        Some("a@town.example")
    );
    assert_eq!(read(b"FROM:<>").as_deref(), Some(""));
    assert_eq!(read(b"FROM:<a@town.example").as_deref(), Some("a@town.example"));
    assert_eq!(read(b"TO:<a>"), None);
    assert_eq!(chunk(b"86 LAST"), Chunk::Bytes(86, true));
    assert_eq!(chunk(b" 0  last "), Chunk::Bytes(0, true));
    assert_eq!(chunk(b"7"), Chunk::Bytes(7, false));
    assert_eq!(
        chunk(b"15555555557777777777 LAST"),
        Chunk::Huge(b"15555555557777777777")
    );
    assert!(matches!(chunk(b""), Chunk::Invalid(_)) && matches!(chunk(b"-1"), Chunk::Invalid(_)));
    assert!(matches!(chunk(b"7 8"), Chunk::Invalid(_)) && matches!(chunk(b"7x LAST"), Chunk::Invalid(_)));
}

#[test]
fn lists_and_hosts_are_taken_apart() {
    let list = r#""Office, Town" <a@town.example>, b@town.example ,, <c,d@x> "e \" , f" <g@x>"#;
    let parts: Vec<_> = addresses(list).collect();
    assert_eq!(
        parts,
        [
            r#""Office, Town" <a@town.example>"#,
            "b@town.example",
            r#"<c,d@x> "e \" , f" <g@x>"#
        ]
    );
    let header =
        "from mail.town.example (x [192.0.2.7]) by [IPv6:2001:db8::1] with ESMTP; Mon, 2 Mar 2026 09:14:07 +0200";
    let found: Vec<_> = hosts(header).map(|host| host.to_string()).collect();
    assert_eq!(found, ["192.0.2.7", "2001:db8::1"]);
    let said_and_seen = "from [10.0.0.1] ([192.0.2.7]) by mail.town.example";
    assert_eq!(
        came_from(said_and_seen).map(|host| host.to_string()).as_deref(),
        Some("192.0.2.7")
    );
    assert_eq!(came_from("from here by there with version 1.2.3"), None);
    assert!(is_webmail("Roundcube Webmail/1.6") && !is_webmail("Thunderbird"));
}

#[test]
fn encoded_words_are_read() {
    let town = "Δήμος Καλαμάτας";
    assert_eq!(decoded("=?utf-8?B?zpTOrs68zr/PgiDOms6xzrvOsc68zqzPhM6xz4I=?="), town);
    assert_eq!(
        decoded("=?ISO-8859-7?Q?=C4=DE=EC=EF=F2_=CA=E1=EB=E1=EC=DC=F4=E1=F2?="),
        town
    );
    assert_eq!(
        decoded("=?windows-1253*el?q?=C4=DE=EC=EF=F2?= <a@town.example>"),
        "Δήμος <a@town.example>"
    );
    // Blanks between two words are none; a character cut in two is mended.
    assert_eq!(decoded("Re: =?utf-8?Q?=CE?=\t =?utf-8?B?lM6u?= end"), "Re: Δή end");
    assert_eq!(decoded("=?utf-8?Q?a?= =?iso-8859-7?Q?b?= c"), "ab c");
    // What is none stays.
    for raw in [
        "=?",
        "a =?b?= c",
        "=?utf-8?X?a?=",
        "=?none-such?Q?a?=",
        "=?utf-8?Q?a",
        "=?utf-8?Q",
        "=?=?=?",
        "1=?2",
    ] {
        assert_eq!(decoded(raw), raw);
    }
    assert_eq!(decoded("=?x =?utf-8?Q?a?="), "=?x a");
    assert_eq!(decoded("=?utf-8?Q?=zz=4?="), "=zz=4");
}
