use super::wire::{Message, Operation, Version};
use super::*;
use crate::proto::asn1::element;
use crate::proto::asn1::snmp::{DESCRIPTION, binding, message, secured, ticks, unit};

#[test]
fn the_units_of_the_first_versions_are_read() {
    for (version, tag, wanted) in [
        (0, 0xa0, Operation::Get),
        (1, 0xa1, Operation::Get),
        (1, 0xa2, Operation::Response),
        (0, 0xa3, Operation::Set),
        (1, 0xa5, Operation::GetBulk),
        (0, 0xa4, Operation::Other),
        (1, 0xa7, Operation::Other),
    ] {
        let bindings = [binding(&[0x2b, 6], &[5, 0]), binding(&[0x2b, 7], &[5, 0])];
        let bytes = message(version, b"town", &unit(tag, &bindings));
        let read = Message::parse(&bytes).expect("a message");
        assert_eq!(
            (read.operation, read.community, read.damaged),
            (Some(wanted), &b"town"[..], false)
        );
        assert_eq!(read.bindings, if wanted == Operation::Other { 0 } else { 2 });
        assert_eq!(read.version, if version == 0 { Version::V1 } else { Version::V2c });
        assert_eq!(probe(&bytes, Dir::Orig, false), Verdict::Yes);
    }
}

#[test]
fn only_a_response_describes_its_device() {
    let bindings = [
        binding(DESCRIPTION, &element(4, b"A switch")),
        binding(&[0x2b, 6, 1, 2, 1, 1, 3, 0], &ticks(&[0, 0xff, 0xff, 0xff, 0xff])),
    ];
    let bytes = message(1, b"public", &unit(0xa2, &bindings));
    let read = Message::parse(&bytes).expect("a message");
    assert_eq!(
        (read.description, read.up_time),
        (Some(&b"A switch"[..]), Some(0xffff_ffff))
    );
    let bytes = message(1, b"public", &unit(0xa3, &bindings));
    let read = Message::parse(&bytes).expect("a message");
    assert_eq!((read.description, read.up_time, read.bindings), (None, None, 2));
}

#[test]
fn version_three_says_its_user_and_hides_what_it_encrypts() {
    let scoped = element(
        0x30,
        &[element(4, b"engine"), element(4, b""), unit(0xa0, &[])].concat(),
    );
    let bytes = secured(3, b"maria", &scoped);
    let read = Message::parse(&bytes).expect("a message");
    assert_eq!((read.version, read.community), (Version::V3, &b"maria"[..]));
    assert_eq!((read.operation, read.damaged), (Some(Operation::Get), false));
    let bytes = secured(3, b"maria", &element(4, &[7; 40]));
    let read = Message::parse(&bytes).expect("a message");
    assert_eq!(
        (read.operation, read.community, read.damaged),
        (None, &b"maria"[..], false)
    );
    // Another security model has parameters that we do not know.
    let bytes = secured(9, b"maria", &scoped);
    let read = Message::parse(&bytes).expect("a message");
    assert_eq!((read.operation, read.community), (Some(Operation::Get), &b""[..]));
}

#[test]
fn what_is_cut_says_what_came_and_what_is_foreign_is_none() {
    let whole = message(1, b"public", &unit(0xa0, &[binding(&[0x2b, 6], &[5, 0])]));
    for cut in 0..whole.len() {
        match Message::parse(&whole[..cut]) {
            None => assert!(cut < 13, "cut at {cut}"),
            Some(read) => assert!(
                read.is_cut && !read.damaged && read.community == b"public",
                "cut at {cut}"
            ),
        }
        assert_eq!(probe(&whole[..cut], Dir::Orig, false), Verdict::No);
    }
    // LDAP over UDP, an unknown version, indefinite length.
    for other in [
        &b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"[..],
        b"\x30\x08\x02\x01\x02\x04\x01a\xa0\x00",
        b"\x30\x80\x02\x01\x01\x04\x01a\xa0\x00\x00\x00",
    ] {
        assert!(Message::parse(other).is_none());
    }
}

#[test]
fn over_long_lengths_are_read() {
    let unit = unit(0xa0, &[]);
    let content = [&[2, 1, 1, 4, 0x82, 0, 6][..], b"public", &unit].concat();
    let bytes = [&[0x30, 0x84, 0, 0, 0, content.len() as u8][..], &content].concat();
    let read = Message::parse(&bytes).expect("a message");
    assert_eq!((read.community, read.damaged), (&b"public"[..], false));
}
