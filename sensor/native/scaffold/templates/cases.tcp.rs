
#[test]
fn no_cut_changes_what_is_said() {
    let whole = said(&[(Dir::Orig, CLIENT), (Dir::Resp, SERVER)]);
    for cut in 1..CLIENT.len() {
        let (start, rest) = CLIENT.split_at(cut);
        assert_eq!(
            said(&[(Dir::Orig, start), (Dir::Orig, rest), (Dir::Resp, SERVER)]),
            whole
        );
        assert_eq!(
            said(&[(Dir::Orig, start), (Dir::Resp, SERVER), (Dir::Orig, rest)]),
            whole
        );
    }
}

#[test]
fn another_protocol_in_the_middle_is_given_up() {
    let (_, last) = said(&[(Dir::Orig, CLIENT), (Dir::Resp, b"220 ready\r\n")]);
    assert_eq!(last, Next::NotMine);
}
