use super::wire::{Message, fqdn};

/// A client's message: fixed fields, magic number, then `options`.
fn message(op: u8, options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![op, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef];
    bytes.resize(16, 0);
    bytes.extend([192, 0, 2, 77]); // yiaddr
    bytes.resize(28, 0);
    bytes.extend([2, 0, 0, 0, 0, 1]); // chaddr
    bytes.resize(236, 0);
    bytes.extend([99, 130, 83, 99]);
    bytes.extend(options);
    bytes
}

#[test]
fn options_are_read_and_unknown_ones_stepped_over() {
    let bytes = message(
        1,
        b"\x35\x01\x03\x00\xfe\x02zz\x0c\x03pc7\x32\x04\xc0\x00\x02\x4d\xff\x0c\x01!",
    );
    let read = Message::parse(&bytes).expect("a message");
    assert!(read.is_request && !read.damaged);
    assert_eq!((read.xid, read.hardware), (0xdead_beef, &[2, 0, 0, 0, 0, 1][..]));
    assert_eq!(read.options.kind, Some(3));
    assert_eq!(read.options.host_name.as_deref(), Some(&b"pc7"[..]));
    assert_eq!(read.options.requested.map(|a| a.octets()), Some([192, 0, 2, 77]));
}

#[test]
fn an_option_that_comes_again_goes_on() {
    let bytes = message(1, b"\x0c\x02ab\x35\x01\x01\x0c\x02cd\xff");
    let read = Message::parse(&bytes).expect("a message");
    assert_eq!(read.options.host_name.as_deref(), Some(&b"abcd"[..]));
}

#[test]
fn options_overflow_into_the_other_fields_once() {
    let mut bytes = message(2, b"\x34\x01\x03\xff");
    bytes[108..116].copy_from_slice(b"\x35\x01\x05\x34\x01\x03\xff\x00");
    bytes[44..50].copy_from_slice(b"\x0f\x02gr\xff\x00");
    let read = Message::parse(&bytes).expect("a message");
    assert_eq!(read.options.kind, Some(5));
    assert_eq!(read.options.domain.as_deref(), Some(&b"gr"[..]));
}

#[test]
fn cut_and_overlong_options_are_damage_and_not_the_end() {
    let whole = message(1, b"\x35\x01\x01\x0c\x05short\x33\x04\x00\x00\x0e\x10");
    for cut in 0..whole.len() {
        match Message::parse(&whole[..cut]) {
            None => assert!(cut < 240, "cut at {cut}"),
            Some(read) => {
                assert!(cut >= 240);
                assert_eq!(read.options.kind.is_some(), cut >= 243);
                assert_eq!(read.damaged, ![240, 243, 250].contains(&cut), "cut at {cut}");
            }
        }
    }
    let read = Message::parse(&whole).expect("a message");
    assert_eq!((read.options.lease, read.damaged), (Some(3600), false));
    let many = message(1, &[0xfe, 0].repeat(300));
    assert!(Message::parse(&many).is_some_and(|read| read.damaged));
}

#[test]
fn a_name_is_text_or_labels() {
    assert_eq!(
        fqdn(b"\x01\x00\x00pc7.town.example"),
        Some("pc7.town.example".to_owned())
    );
    assert_eq!(fqdn(b"\x05\x00\x00\x03pc7\x04town\x00"), Some("pc7.town".to_owned()));
    assert_eq!(fqdn(b"\x05\x00\x00\x03pc7\x3fcut"), Some("pc7".to_owned()));
    assert_eq!(fqdn(b"\x05\x00"), None);
}
