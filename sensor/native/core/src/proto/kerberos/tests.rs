use super::wire::{Exchange, Message, start};
use super::*;
use crate::proto::asn1::element;
use crate::proto::asn1::kerberos::{name, number, reply, request, sequence, time};

#[test]
fn a_request_is_read() {
    let bytes = request(10, 0x0102_0304, "maria", "krbtgt");
    let read = Message::parse(&bytes).expect("a message");
    assert_eq!((read.kind, read.damaged), (Kind::Request(Exchange::As), false));
    assert_eq!(read.client_name.as_deref(), Some("maria"));
    assert_eq!(read.realm.as_deref(), Some("TOWN.EXAMPLE"));
    assert_eq!(read.service.as_deref(), Some("krbtgt/dc1.town.example"));
    assert_eq!(
        (read.from, read.till),
        (Some(Time(1_000_000_000)), Some(Time(2_136_422_885_000_000_000)))
    );
    assert_eq!((read.nonce, read.options), (Some(0x0102_0304), Some([true, true])));
}

#[test]
fn a_reply_says_how_its_ticket_is_encrypted() {
    let bytes = reply(13, 23, "cifs");
    let read = Message::parse(&bytes).expect("a message");
    assert_eq!((read.kind, read.damaged), (Kind::Reply(Exchange::Tgs), false));
    assert_eq!(
        (read.cipher, read.service.as_deref()),
        (Some(23), Some("cifs/dc1.town.example"))
    );
    assert_eq!(read.client_name.as_deref(), Some("maria"));
}

#[test]
fn what_is_cut_says_what_came() {
    let whole = request(10, 1, "maria", "krbtgt");
    for cut in 0..whole.len() {
        match Message::parse(&whole[..cut]) {
            None => assert!(cut < HEAD && start(&whole[..cut]).is_none(), "cut at {cut}"),
            Some(read) => assert!(!read.damaged && read.nonce.is_none(), "cut at {cut}"),
        }
    }
    let place = whole.windows(6).position(|six| six == b"203709").expect("the time");
    let read = Message::parse(&whole[..place]).expect("a message");
    assert_eq!((read.till, read.from), (None, Some(Time(1_000_000_000))));
    assert_eq!(read.service.as_deref(), Some("krbtgt/dc1.town.example"));
    // Of a name that is cut nothing is said.
    let place = whole.windows(6).position(|six| six == b"krbtgt").expect("the name");
    let read = Message::parse(&whole[..place + 3]).expect("a message");
    assert_eq!((read.service, read.client_name.as_deref()), (None, Some("maria")));
}

#[test]
fn what_is_malformed_says_what_came_before_it() {
    let mut bytes = request(10, 1, "maria", "krbtgt");
    let place = bytes.windows(6).position(|six| six == b"203709").expect("the time");
    bytes[place - 1] = 0x7f;
    let read = Message::parse(&bytes).expect("a message");
    assert!(read.damaged && read.till.is_none() && read.service.is_some());
}

#[test]
fn times_that_are_none_are_nothing_and_not_damage() {
    for text in [
        "20261332000000Z",
        "2037091302480Z",
        "+0370913024805Z",
        "20370913024805",
        "99991231235959Z",
        "",
    ] {
        let body = sequence(&[time(0xa5, text)]);
        let bytes = element(
            0x6a,
            &sequence(&[number(0xa1, 5), number(0xa2, 10), element(0xa4, &body)]),
        );
        let read = Message::parse(&bytes).expect("a message");
        assert_eq!((read.till, read.damaged), (None, false), "{text}");
    }
}

#[test]
fn names_are_bounded() {
    let long = "x".repeat(100);
    let parts: Vec<&str> = vec![&long; 20];
    let body = sequence(&[name(0xa3, &parts)]);
    let bytes = element(
        0x6a,
        &sequence(&[number(0xa1, 5), number(0xa2, 10), element(0xa4, &body)]),
    );
    let read = Message::parse(&bytes).expect("a message");
    assert_eq!(read.service.map(|service| service.len()), Some(512));
}

#[test]
fn a_probe_wants_the_whole_length_on_a_port_of_nobody() {
    let whole = request(12, 1, "maria", "cifs");
    assert_eq!(probe_datagram(&whole, Dir::Orig, false), Verdict::Yes);
    assert_eq!(probe_datagram(&whole[..100], Dir::Orig, false), Verdict::No);
    assert_eq!(probe_datagram(&whole[..100], Dir::Orig, true), Verdict::Yes);
    for other in [
        &b"\x30\x0c\x02\x01\x01\x60\x07"[..],
        b"\x6a\x80",
        b"",
        b"\x7e\x10 nothing of the kind",
    ] {
        assert_eq!(probe_datagram(other, Dir::Orig, true), Verdict::No);
    }
}

#[test]
fn a_stream_is_told_by_mark_and_message() {
    let whole = request(10, 0x0102_0304, "maria", "krbtgt");
    let marked = [&(whole.len() as u32).to_be_bytes()[..], &whole].concat();
    for cut in 0..marked.len() {
        let wanted = if cut < 4 + HEAD { Verdict::More } else { Verdict::Yes };
        let found = probe_stream(&marked[..cut], Dir::Orig, false);
        // A head with a short length is told sooner.
        assert!(
            found == wanted || cut >= 4 + 11 && found == Verdict::Yes,
            "cut at {cut}"
        );
    }
    let other = [&(whole.len() as u32 + 1).to_be_bytes()[..], &whole].concat();
    assert_eq!(probe_stream(&other, Dir::Orig, false), Verdict::No);
    assert_eq!(probe_stream(&other, Dir::Orig, true), Verdict::Yes);
    assert_eq!(
        probe_stream(b"\x00\x00\x00\x7f\xffSMBr\0\0\0\0\0\0\0\0\0\0\0\0\0", Dir::Orig, true),
        Verdict::No
    );
    assert_eq!(probe_stream(b"GET / HTTP/1.1\r\n", Dir::Orig, true), Verdict::No);
}
