use super::wire::{message, request};
use super::*;
use crate::proto::asn1::element;
use crate::proto::asn1::ldap::{bind, equal, octets, present, result, search};

fn filter_of(filter: &[u8]) -> Result<String, der::Malformed> {
    let bytes = search(7, "dc=town", filter, &[]);
    let (_, operation) = message(&bytes)?;
    match request(7, &operation)? {
        Request::Search(search) => Ok(search.filter.unwrap_or_default()),
        Request::Operation(_) => Err(der::Malformed),
    }
}

#[test]
fn a_connection_is_told_by_its_first_message() {
    let (asked, said) = (bind(1, "cn=a", "x"), result(1, 0x61, 0, ""));
    assert_eq!(probe(&asked, Dir::Orig, false), Verdict::Yes);
    assert_eq!(probe(&said, Dir::Resp, false), Verdict::Yes);
    assert!((0..5).all(|cut| probe(&asked[..cut], Dir::Orig, false) == Verdict::More));
    // What a server says is not said by a client; SNMP and Kerberos begin alike.
    assert_eq!(probe(&said, Dir::Orig, true), Verdict::No);
    assert_eq!(
        probe(b"\x30\x26\x02\x01\x01\x04\x06public", Dir::Orig, true),
        Verdict::No
    );
    assert_eq!(probe(b"\x30\x80\x02\x01\x01\x60", Dir::Orig, true), Verdict::No);
    assert_eq!(probe(b"GET / HTTP/1.1\r\n", Dir::Orig, true), Verdict::No);
}

#[test]
fn filters_are_written_as_people_write_them() {
    let parts = |tag: u8, parts: &[Vec<u8>]| element(tag, &parts.concat());
    let both = parts(0xa0, &[equal("objectClass", "user"), parts(0xa2, &[present("mail")])]);
    assert_eq!(filter_of(&both).as_deref(), Ok("(&(objectClass=user)(!(mail=*)))"));
    let pieces = |tags: &[u8]| {
        let pieces: Vec<Vec<u8>> = tags.iter().map(|tag| element(*tag, b"x")).collect();
        filter_of(&element(0xa4, &[octets("cn"), parts(0x30, &pieces)].concat()))
    };
    assert_eq!(pieces(&[0x80, 0x81, 0x82]).as_deref(), Ok("(cn=x*x*x)"));
    assert_eq!(pieces(&[0x81]).as_deref(), Ok("(cn=*x*)"));
    assert_eq!(pieces(&[0x82]).as_deref(), Ok("(cn=*x)"));
    assert_eq!(pieces(&[0x80]).as_deref(), Ok("(cn=x*)"));
    let bits = [
        element(0x81, b"1.2.840.113556.1.4.803"),
        element(0x82, b"userAccountControl"),
        element(0x83, b"8192"),
    ];
    assert_eq!(
        filter_of(&parts(0xa9, &bits)).as_deref(),
        Ok("(userAccountControl:1.2.840.113556.1.4.803:=8192)")
    );
    assert_eq!(
        filter_of(&equal("cn", "a*(b)\\\0")).as_deref(),
        Ok("(cn=a\\2a\\28b\\29\\5c\\00)")
    );
    assert_eq!(
        filter_of(&element(0xa5, &[octets("a"), octets("ή")].concat())).as_deref(),
        Ok("(a>=ή)")
    );
    assert_eq!(
        filter_of(&element(0xa3, &[octets("a"), element(4, &[0xff, 0x41])].concat())).as_deref(),
        Ok("(a=\\ffA)")
    );
    assert_eq!(filter_of(&element(0x99, b"")), Err(der::Malformed));
}

#[test]
fn depth_and_length_of_a_filter_are_bounded() {
    let mut deep = present("a");
    for _ in 0..1000 {
        deep = element(0xa2, &deep);
    }
    let text = filter_of(&deep).expect("a filter");
    assert!(text.contains("(...)") && text.len() < 200, "{text}");
    let wide = element(0xa1, &present(&"a".repeat(100)).repeat(100));
    assert!(filter_of(&wide).is_ok_and(|text| text.len() < 5000));
    let long = element(0xa1, &equal("a", &"b".repeat(5000)).repeat(3));
    assert!(filter_of(&long).is_ok_and(|text| text.len() < 10_000));
}
