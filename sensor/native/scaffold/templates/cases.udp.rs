
#[test]
fn a_datagram_that_is_cut_is_not_taken() {
    for cut in 0..CLIENT.len() {
        assert_eq!(probe(&CLIENT[..cut], Dir::Orig, true), Verdict::No);
        assert_eq!(said(&[(Dir::Orig, &CLIENT[..cut])]), (Vec::new(), Next::NotMine));
    }
    assert_eq!(probe(CLIENT, Dir::Orig, false), Verdict::Yes);
}
