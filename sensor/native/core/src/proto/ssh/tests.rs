use super::wire::{NotAPacket, both_ways, choice, common_version, fingerprint, offer, packet, string};
use super::*;

#[test]
fn no_cut_of_a_version_changes_the_answer() {
    let line = b"SSH-2.0-dropbear_2022.83\r\n";
    assert!((0..4).all(|cut| probe(&line[..cut], Dir::Orig, false) == Verdict::More));
    assert!((4..line.len()).all(|cut| probe(&line[..cut], Dir::Resp, false) == Verdict::Yes));
    assert_eq!(probe(b"SSL", Dir::Orig, true), Verdict::No);
}

#[test]
fn the_version_is_what_both_ends_allow() {
    let version = |client: &str, server: &str| common_version(client.as_bytes(), server.as_bytes());
    assert_eq!(version("SSH-2.0-a", "SSH-2.0-b"), Some(2));
    assert_eq!(version("SSH-2.0-a", "SSH-1.99-b"), Some(2));
    assert_eq!(version("SSH-1.99-a", "SSH-1.99-b"), Some(2));
    assert_eq!(version("SSH-1.5-a", "SSH-1.99-b"), Some(1));
    assert_eq!(version("SSH-1.5-a", "SSH-2.0-b"), None);
}

#[test]
fn packets_are_taken_whole_and_nonsense_is_refused() {
    let bytes = [0, 0, 0, 8, 4, 21, 7, 7, 0, 0, 0, 0, 99];
    assert_eq!(packet(&bytes), Ok(Some((&[21, 7, 7][..], 12))));
    assert!((0..12).all(|cut| packet(&bytes[..cut]) == Ok(None)));
    // Padding longer than the packet, an empty packet, one beyond the limit.
    assert_eq!(packet(&[0, 0, 0, 2, 9, 0]), Err(NotAPacket));
    assert_eq!(packet(&[0, 0, 0, 0]), Err(NotAPacket));
    assert_eq!(packet(b"GET / HTTP"), Err(NotAPacket));
}

#[test]
fn offers_are_read_or_refused() {
    let mut body = vec![7; 16];
    for names in ["k1,k2", "h1", "c1,c2", "c2", "m1", "m1", "none", "none"] {
        body.extend((names.len() as u32).to_be_bytes());
        body.extend(names.as_bytes());
    }
    let read = offer(&body).expect("an offer");
    assert_eq!((read.kex.as_str(), read.host_key.as_str()), ("k1,k2", "h1"));
    assert_eq!(read.cipher, ["c1,c2", "c2"]);
    assert!((0..body.len()).all(|cut| offer(&body[..cut]).is_none()));
    assert_eq!(string(&[0xff; 8]), None);
    assert_eq!(choice("b,a", "a,b"), Some("b".to_owned()));
    assert_eq!(choice("b,a", "c"), None);
    let differs = both_ways(&read.cipher, &["c1".to_owned(), "c2".to_owned()]);
    assert_eq!(differs.as_deref(), Some("To server: c1, to client: c2"));
}

#[test]
fn fingerprints_are_base64_without_padding() {
    assert_eq!(fingerprint(b"Man"), "SHA256:TWFu");
    assert_eq!(fingerprint(b"Ma"), "SHA256:TWE");
    assert_eq!(fingerprint(&[0; 32]).len(), 7 + 43);
}

/// The server's answers by length, a question before each.
fn login(answers: &[&[u64]]) -> (u64, Option<bool>) {
    let mut auth = Auth::default();
    // Before any question: not counted (RFC 8308).
    auth.answered(500);
    for parts in answers {
        auth.asked();
        parts.iter().for_each(|part| auth.answered(*part));
    }
    auth.end();
    (auth.attempts(), auth.success())
}

#[test]
fn lengths_tell_how_a_login_went() {
    // Accept, the failure of "none", then a password.
    assert_eq!(login(&[&[52], &[84], &[36]]), (1, Some(true)));
    assert_eq!(login(&[&[52], &[84], &[84], &[84]]), (2, Some(false)));
    assert_eq!(login(&[&[52], &[84], &[84], &[36]]), (2, Some(true)));
    // No password needed; a prompt or a key that is asked about is no attempt.
    assert_eq!(login(&[&[52], &[36]]), (1, Some(true)));
    assert_eq!(login(&[&[52], &[84], &[340], &[36, 600]]), (1, Some(true)));
    // However the answers are cut.
    assert_eq!(login(&[&[50, 2], &[36, 48], &[36, 48], &[1, 35]]), (2, Some(true)));
    assert_eq!(login(&[&[52]]), (0, None));
    assert_eq!(login(&[]), (0, None));
}
