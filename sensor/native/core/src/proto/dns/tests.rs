use super::wire::{Message, is_sound};
use super::*;

/// A reply with an alias and an address behind it, names compressed.
fn reply() -> Vec<u8> {
    let mut bytes = vec![0xbe, 0xef, 0x85, 0x90, 0, 1, 0, 3, 0, 0, 0, 0]; // number, flags, counts
    bytes.extend(b"\x03WwW\x04town\x07example\x00\x00\x01\x00\x01"); // question at 12
    bytes.extend(b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x01\x2c\x00\x06\x03web\xc0\x10"); // alias: web.town.example
    bytes.extend(b"\xc0\x2e\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07");
    bytes.extend(b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x00\x00\x07\x02hi\x03you"); // text in two strings
    bytes
}

#[test]
fn a_reply_is_read_as_zeek_prints_it() {
    let message = Message::parse(&reply()).expect("a message");
    assert_eq!(
        message.question.as_ref().map(|question| question.name.as_str()),
        Some("www.town.example")
    );
    assert_eq!(
        message.answers,
        vec![
            ("web.town.example".to_owned(), 300),
            ("192.0.2.7".to_owned(), 60),
            ("TXT 2 hi TXT 3 you".to_owned(), 0)
        ]
    );
    assert_eq!(message.damage, None);
    assert!(message.header.authoritative() && message.header.recursion_available());
    assert_eq!((message.header.z(), message.header.rcode()), (1, 0));
    assert!(is_sound(&reply()));
}

#[test]
fn no_cut_is_taken_for_whole() {
    let whole = reply();
    for cut in 0..whole.len() {
        match Message::parse(&whole[..cut]) {
            Ok(message) => assert!(cut >= 12 && message.damage.is_some(), "cut at {cut}"),
            Err(_) => assert!(cut < 12),
        }
        assert!(!is_sound(&whole[..cut]));
    }
}

#[test]
fn hostile_names_end_the_reading() {
    let head = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let damage = |name: &[u8]| {
        Message::parse(&[&head[..], name, &[0, 1, 0, 1]].concat())
            .expect("a header")
            .damage
            .map(str::to_owned)
    };
    let forward = Some("DNS_label_forward_compress_offset".to_owned());
    assert_eq!(damage(&[0xc0, 12]), forward); // at itself
    assert_eq!(damage(&[0xc0, 200]), forward); // ahead
    assert_eq!(damage(&[1, b'a', 0xc0, 14]), forward); // a loop of two
    assert_eq!(damage(&[0x40, 0]), Some("DNS_label_too_long".to_owned()));
    let long: Vec<u8> = [&[63][..], &[b'a'; 63]].concat().repeat(5);
    assert_eq!(
        damage(&[&long[..], &[0]].concat()),
        Some("DNS_NAME_too_long".to_owned())
    );
}

#[test]
fn netbios_names_are_decoded() {
    let mut query = vec![0, 9, 1, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 32];
    query.extend(b"FEEPFHEOCACACACACACACACACACACAAA"); // "TOWN", padded, workstation
    query.extend([0, 0, 32, 0, 1]);
    let message = Message::parse(&query).expect("a message");
    let mut transaction = Transaction::new("udp", 9, true);
    transaction.take(&message, 0);
    assert_eq!(
        crate::event::Record::value(&transaction, 3),
        Some(crate::event::Value::Str("TOWN"))
    );
}

#[test]
fn content_is_recognised_on_any_port_and_noise_is_not() {
    assert_eq!(probe_datagram(&reply(), Dir::Resp, false), Verdict::Yes);
    assert_eq!(probe_datagram(b"GET / HTTP/1.1\r\n\r\n", Dir::Orig, false), Verdict::No);
    assert_eq!(probe_datagram(&[0; 40], Dir::Orig, false), Verdict::No);
    let framed = [&(reply().len() as u16).to_be_bytes()[..], &reply()].concat();
    for cut in 0..framed.len() {
        assert_eq!(
            probe_stream(&framed[..cut], Dir::Resp, false),
            Verdict::More,
            "cut at {cut}"
        );
    }
    assert_eq!(probe_stream(&framed, Dir::Resp, false), Verdict::Yes);
}
