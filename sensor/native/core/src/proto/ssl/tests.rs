use super::wire::{ClientHello, client_hello, server_hello};
use super::*;

/// A client hello as a browser sends it, with reserved values in every list.
fn hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0]); // no session
    body.extend([0, 8, 0x2a, 0x2a, 0x13, 0x01, 0xc0, 0x2b, 0x00, 0x2f]);
    body.extend([1, 0]);
    let mut extensions = vec![0x1a, 0x1a, 0, 0];
    extensions.extend(b"\x00\x00\x00\x11\x00\x0f\x00\x00\x0ctown.example");
    extensions.extend(b"\x00\x10\x00\x0e\x00\x0c\x02h2\x08http/1.1");
    extensions.extend([0, 43, 0, 7, 6, 0xfa, 0xfa, 3, 4, 3, 3]);
    extensions.extend([0, 13, 0, 6, 0, 4, 4, 3, 8, 4]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    body
}

#[test]
fn a_client_hello_is_read_without_its_reserved_values() {
    let read = client_hello(&hello()).expect("a hello");
    assert_eq!(
        read,
        ClientHello {
            version: 0x0303,
            ciphers: vec![0x1301, 0xc02b, 0x002f],
            extensions: vec![0, 16, 43, 13],
            server_name: Some(b"town.example".to_vec()),
            alpn: Some(b"h2".to_vec()),
            signature_algorithms: vec![0x0403, 0x0804],
            versions: vec![0x0304, 0x0303],
            ..ClientHello::default()
        }
    );
    for cut in 0..hello().len() {
        if let Some(partial) = client_hello(&hello()[..cut]) {
            assert!(partial.extensions.len() < read.extensions.len(), "cut at {cut}");
        }
    }
}

#[test]
fn ja4_follows_its_description() {
    let print = ja4::fingerprint(&client_hello(&hello()).expect("a hello"), 't');
    // Sorted lists, hashed as the description says, first twelve digits.
    let digest = |text: &str| hex(&Sha256::digest(text.as_bytes()))[..12].to_owned();
    assert_eq!(
        print,
        format!(
            "t13d0304h2_{}_{}",
            digest("002f,1301,c02b"),
            digest("000d,002b_0403,0804")
        )
    );
    assert_eq!(
        ja4::fingerprint(
            &ClientHello {
                version: 0x0301,
                ..ClientHello::default()
            },
            't'
        ),
        "t10i000000_000000000000_000000000000"
    );
}

#[test]
fn a_server_hello_is_read_up_to_any_cut() {
    let mut body = vec![3, 3];
    body.extend([1; 32]);
    body.extend([0, 0x13, 1, 0, 0, 14, 0, 43, 0, 2, 3, 4, 0, 51, 0, 4, 0, 29, 0, 0]);
    let read = server_hello(&body).expect("a hello");
    assert_eq!(
        (read.cipher, read.selected_version, read.group),
        (0x1301, Some(0x0304), Some(29))
    );
    for cut in 0..38 {
        assert_eq!(server_hello(&body[..cut]), None, "cut at {cut}");
    }
}

#[test]
fn numbers_have_zeeks_names() {
    assert_eq!(names::cipher(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_eq!(names::cipher(0x1301), "TLS_AES_128_GCM_SHA256");
    assert_eq!(names::version(0x7f1c), "TLSv13-draft28");
    assert_eq!(names::version(32_257), "unknown-32257");
    assert_eq!(names::group(29), "x25519");
    assert_eq!(names::alert(40), "handshake_failure");
}

#[test]
fn probes_tell_tls_from_what_looks_like_it() {
    let start = [22, 3, 1, 2, 0, 1, 0];
    assert_eq!(probe(&start, Dir::Orig, false), Verdict::Yes);
    assert!((1..6).all(|cut| probe(&start[..cut], Dir::Orig, false) == Verdict::More));
    assert_eq!(probe(b"GET / HTTP/1.1", Dir::Orig, true), Verdict::No);
    assert_eq!(probe(&[22, 9, 9, 0, 0, 1], Dir::Orig, true), Verdict::No);
    // SSL 2: length, type, version, lengths that add up to it.
    let old = [0x80, 28, 1, 3, 1, 0, 3, 0, 0, 0, 16];
    assert_eq!(probe(&old, Dir::Orig, false), Verdict::Yes);
    assert_eq!(
        probe(&[0x80, 29, 1, 3, 1, 0, 3, 0, 0, 0, 16], Dir::Orig, false),
        Verdict::No
    );
}
