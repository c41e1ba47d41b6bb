use std::net::{IpAddr, Ipv4Addr};

use super::wire::{
    address, announced_size, extended, in_parentheses, is_secret, is_tls, joined, number, quoted, six_numbers,
    without_telnet,
};
use super::*;
use crate::proto::text;

#[test]
fn a_connection_is_told_by_its_first_words() {
    assert_eq!(probe(b"USER anonymous\r\n", Dir::Orig, false), Verdict::Yes);
    assert_eq!(probe(b"auth tls\r\n", Dir::Orig, false), Verdict::Yes);
    assert_eq!(probe(b"220 town FTP ready\r\n", Dir::Resp, false), Verdict::Yes);
    assert_eq!(probe(b"220 ready\r\n", Dir::Resp, true), Verdict::Yes);
    // From the middle, on its own port only.
    assert_eq!(probe(b"RETR a\r\n", Dir::Orig, true), Verdict::Yes);
    assert_eq!(probe(b"RETR 1\r\n", Dir::Orig, false), Verdict::No);
    assert_eq!(probe(b"226 done\r\n", Dir::Resp, true), Verdict::Yes);
    // Mail's greeting, IRC's and POP3's log-in, AUTH of mail.
    assert_eq!(probe(b"220 ready\r\n", Dir::Resp, false), Verdict::No);
    assert_eq!(probe(b"220 mail ESMTP\r\n", Dir::Resp, true), Verdict::No);
    assert_eq!(probe(b"USER a b c :d\r\n", Dir::Orig, false), Verdict::No);
    assert_eq!(probe(b"AUTH LOGIN\r\n", Dir::Orig, false), Verdict::No);
    assert_eq!(probe(b"+OK\r\n", Dir::Resp, true), Verdict::No);
    let line = b"USER town\r\n";
    assert!((0..line.len() - 1).all(|cut| probe(&line[..cut], Dir::Orig, true) == Verdict::More));
    assert_eq!(probe(&[b'a'; MAX_FIRST], Dir::Orig, true), Verdict::No);
}

#[test]
fn addresses_are_read_or_refused() {
    let expected = Some((IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), 0x0102));
    assert_eq!(six_numbers(b"192,0,2,7,1,2"), expected);
    assert_eq!(six_numbers(b"Entering Passive Mode (192,0,2,7,1,2)."), expected);
    assert_eq!(six_numbers(b"=192,0,2,7,1,2"), expected);
    for wrong in [
        &b"192,0,2,7,1"[..],
        b"192,0,2,7,1,256",
        b"1,2,3,4,5,6,7",
        b"114,115",
        b"",
    ] {
        assert_eq!(six_numbers(wrong), None, "{}", text(wrong));
    }
    let six = "2001:db8::7".parse().ok();
    assert_eq!(extended(b"|2|2001:db8::7|5282|"), Some((six, 5282)));
    assert_eq!(extended(b"!1!192.0.2.7!21!").map(|(_, port)| port), Some(21));
    assert_eq!(
        in_parentheses(b"Entering (|||5282|)").and_then(extended),
        Some((None, 5282))
    );
    for wrong in [
        &b"|2|town.example|5282|"[..],
        b"|2|2001:db8::7|70000|",
        b"||5282|",
        b"|",
        "ά|||1|".as_bytes(),
    ] {
        assert_eq!(extended(wrong), None, "{}", text(wrong));
    }
}

#[test]
fn sizes_and_paths_are_read() {
    assert_eq!(announced_size(b"Opening for robots.txt (77 bytes)."), Some(77));
    assert_eq!(announced_size(b"Opening bytes"), None);
    assert_eq!(announced_size(b"(99999999999999999999999 bytes)"), None);
    assert_eq!((number(b" 12 "), number(b"12 a")), (Some(12), None));
    assert_eq!(quoted(b"\"/home/a b\" is it"), Some(&b"/home/a b"[..]));
    assert_eq!(joined(".", "a"), "./a");
    assert_eq!(joined("/home", "../x/./y//z"), "/x/y/z");
    assert_eq!(joined("/home", "/etc/passwd"), "/etc/passwd");
    assert_eq!(joined("/", "../../.."), "/");
    assert_eq!(joined(".", "../../a"), "./../../a");
    let host = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    assert_eq!(address(host, "./a"), "ftp://192.0.2.7/./a");
    assert_eq!(
        address("2001:db8::7".parse().expect("an address"), "/a"),
        "ftp://[2001:db8::7]/a"
    );
}

#[test]
fn telnet_is_passed_over_and_secrets_are_known() {
    assert_eq!(without_telnet(b"\xff\xf4\xff\xf2ABOR"), b"ABOR");
    assert_eq!(without_telnet(b"\xff"), b"\xff");
    assert!(is_tls(b" TLS-C ") && !is_tls(b"GSSAPI"));
    assert!(is_secret("SITE", b"pswd old new") && is_secret("SITE", b"GPASS x") && is_secret("ACCT", b"x"));
    assert!(!is_secret("SITE", b"CHMOD 644 a") && !is_secret("RETR", b"passwords.txt"));
}
