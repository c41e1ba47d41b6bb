//! Kerberos end to end: frames in, an event per request and its answer out.

#[allow(dead_code)] // other tests use the rest
mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::asn1::kerberos::{error, marked, reply, reply_of, request};
use support::{ACK, CLIENT, Run, SERVER, SYN, tcp, udp};
use vigla_core::flow::Config;

/// Datagrams of one connection (0: the client's, 1: the center's): its events.
fn told(said: &[(usize, Vec<u8>)]) -> Vec<Value> {
    let mut run = Run::new(Config::default());
    for (side, message) in said {
        let ends = [(CLIENT, 50_000), (SERVER, 88)];
        run.give(&udp(ends[*side], ends[1 - *side], message));
    }
    run.finish();
    assert_eq!(run.of("weird"), Vec::<&Value>::new());
    assert_eq!(run.of("conn")[0]["service"], "krb");
    assert_eq!(run.of("conn")[0]["id.resp_p"], 88);
    run.of("kerberos").into_iter().cloned().collect()
}

#[test]
fn a_ticket_is_one_event() {
    let found = told(&[(0, request(12, 7, "maria", "cifs")), (1, reply(13, 23, "cifs"))]);
    assert_eq!(found.len(), 1, "{found:?}");
    for (name, value) in [
        ("request_type", json!("TGS")),
        ("client", json!("maria/TOWN.EXAMPLE")),
        ("service", json!("cifs/dc1.town.example")),
        ("success", json!(true)),
        ("cipher", json!("rc4-hmac")),
        ("from", json!(1.0)),
        ("till", json!(2_136_422_885.0)),
        ("forwardable", json!(true)),
        ("renewable", json!(true)),
        ("error_code", Value::Null),
        ("error_msg", Value::Null),
    ] {
        assert_eq!(found[0][name], value, "{name}");
    }
}

#[test]
fn errors_have_the_centers_words_or_the_codes_name() {
    let failed = |text| told(&[(0, request(10, 7, "nobody", "krbtgt")), (1, error(6, text, "krbtgt"))]);
    for (text, message) in [
        (Some("CLIENT_NOT_FOUND"), "CLIENT_NOT_FOUND"),
        (None, "KDC_ERR_C_PRINCIPAL_UNKNOWN"),
        (Some(""), "KDC_ERR_C_PRINCIPAL_UNKNOWN"),
    ] {
        let found = failed(text);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&found[0]["request_type"], &found[0]["success"], &found[0]["error_code"]),
            (&json!("AS"), &json!(false), &json!(6))
        );
        assert_eq!(found[0]["error_msg"], message);
        assert_eq!(found[0]["client"], "nobody/TOWN.EXAMPLE");
    }
}

#[test]
fn being_asked_for_proof_is_no_event_and_the_log_in_after_it_is_one() {
    for words in ["NEEDED_PREAUTH", "Need to use PA-ENC-TIMESTAMP/PA-PK-AS-REQ"] {
        let found = told(&[
            (0, request(10, 7, "maria", "krbtgt")),
            (1, error(25, Some(words), "krbtgt")),
            (0, request(10, 8, "maria", "krbtgt")),
            (1, reply(11, 18, "krbtgt")),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["cipher"], "aes256-cts-hmac-sha1-96");
    }
    // Without the words it is told: a center that gives none is asked for accounts that need no proof.
    let found = told(&[(0, request(10, 7, "maria", "krbtgt")), (1, error(25, None, "krbtgt"))]);
    assert_eq!(found[0]["error_msg"], "KDC_ERR_PREAUTH_REQUIRED");
}

#[test]
fn what_is_asked_again_is_asked_once_and_halves_stand_alone() {
    let asked = request(10, 7, "maria", "krbtgt");
    let found = told(&[(0, asked.clone()), (0, asked.clone()), (1, reply(11, 17, "krbtgt"))]);
    assert_eq!(found.len(), 1, "{found:?}");
    let found = told(&[(0, asked)]);
    assert_eq!((found.len(), &found[0]["success"]), (1, &Value::Null));
    // Only the answer was seen: whose port is a center's is the center.
    let found = told(&[(1, reply(13, 23, "cifs"))]);
    assert_eq!((found.len(), &found[0]["request_type"]), (1, &json!("TGS")));
    assert_eq!(
        (&found[0]["cipher"], &found[0]["client"]),
        (&json!("rc4-hmac"), &json!("maria/TOWN.EXAMPLE"))
    );
}

#[test]
fn answers_find_their_requests_in_any_order() {
    let found = told(&[
        (0, request(12, 1, "maria", "cifs")),
        (0, request(12, 2, "maria", "http")),
        (0, request(10, 3, "maria", "krbtgt")),
        (1, error(7, None, "http")),
        (1, reply(11, 18, "krbtgt")),
        (1, reply(13, 23, "cifs")),
    ]);
    let seen: Vec<_> = found
        .iter()
        .map(|event| {
            (
                event["service"].as_str(),
                event["success"].as_bool(),
                event["till"].is_f64(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Some("http/dc1.town.example"), Some(false), true),
            (Some("krbtgt/dc1.town.example"), Some(true), true),
            (Some("cifs/dc1.town.example"), Some(true), true),
        ]
    );
}

#[test]
fn requests_without_answers_are_bounded_and_none_is_lost() {
    let mut run = Run::new(Config::default());
    for n in 0..500 {
        let asked = request(10, n, &format!("user{n}"), "krbtgt");
        run.give(&udp((CLIENT, 50_000), (SERVER, 88), &asked));
    }
    assert_eq!(run.of("kerberos").len(), 500 - 16, "all but those that may wait");
    run.finish();
    let clients: Vec<_> = run.of("kerberos").iter().map(|event| event["client"].clone()).collect();
    let wanted: Vec<_> = (0..500).map(|n| json!(format!("user{n}/TOWN.EXAMPLE"))).collect();
    assert_eq!(clients, wanted);
}

/// A TCP connection in which the client says this.
fn over_tcp(pieces: &[Vec<u8>]) -> Run {
    let (client, server) = ((CLIENT, 50_000), (SERVER, 88));
    let mut run = Run::new(Config::default());
    run.give(&tcp(client, server, 0, 0, SYN, &[]));
    run.give(&tcp(server, client, 0, 1, SYN | ACK, &[]));
    let mut next = 1;
    for piece in pieces.iter().flat_map(|piece| piece.chunks(1400)) {
        run.give(&tcp(client, server, next, 1, ACK, piece));
        next += piece.len() as u32;
        run.give(&tcp(server, client, 1, next, ACK, &[]));
    }
    run.finish();
    run
}

#[test]
fn of_a_message_too_long_to_keep_the_start_is_read_and_the_rest_is_stepped_over() {
    let run = over_tcp(&[
        marked(&request(12, 1, "maria", "cifs")),
        marked(&reply_of(13, 23, "cifs", 200_000)),
        [&200_000_u32.to_be_bytes()[..], &vec![b'x'; 200_000]].concat(),
        marked(&request(10, 2, "after", "krbtgt")),
    ]);
    let found: Vec<_> = run
        .of("kerberos")
        .iter()
        .map(|event| (event["client"].clone(), event["cipher"].clone()))
        .collect();
    assert_eq!(
        found,
        [
            (json!("maria/TOWN.EXAMPLE"), json!("rc4-hmac")),
            (json!("after/TOWN.EXAMPLE"), Value::Null),
        ]
    );
    assert_eq!(run.of("weird").len(), 0);
    assert_eq!(run.of("conn")[0]["service"], "krb_tcp");
}

#[test]
fn what_is_no_kerberos_midway_ends_it_after_some_patience() {
    let mut pieces = vec![marked(&request(10, 1, "maria", "krbtgt"))];
    pieces.extend((0..20).map(|_| marked(b"nothing of the kind")));
    pieces.push(marked(&request(10, 2, "late", "krbtgt")));
    let run = over_tcp(&pieces);
    assert_eq!(run.of("kerberos").len(), 1);
    assert_eq!(run.tally().get("proto.dropped{not_mine}"), 1);
}

#[test]
fn a_reserved_bit_in_the_length_is_not_followed() {
    let pieces = [marked(&request(10, 1, "maria", "krbtgt")), vec![0x80, 0, 0, 1, 0]];
    let run = over_tcp(&pieces);
    assert_eq!(run.of("kerberos").len(), 1);
    assert_eq!(run.tally().get("proto.dropped{not_mine}"), 1);
}

#[test]
fn damage_is_told_and_what_came_before_it_counts() {
    let whole = request(10, 1, "maria", "krbtgt");
    let mut wrong = whole.clone();
    let place = wrong.windows(6).position(|six| six == b"203709").expect("the time");
    wrong[place - 1] = 0x7f;
    for (bytes, weirds) in [(&whole[..whole.len() - 20], 0), (&wrong[..], 1)] {
        let mut run = Run::new(Config::default());
        run.give(&udp((CLIENT, 50_000), (SERVER, 88), bytes));
        run.finish();
        let told: Vec<_> = run.of("weird").iter().map(|weird| weird["name"].clone()).collect();
        assert_eq!(told, vec![json!("kerberos_malformed_message"); weirds]);
        assert_eq!(run.of("kerberos")[0]["client"], "maria/TOWN.EXAMPLE");
        assert_eq!(run.of("kerberos")[0]["till"], Value::Null);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_mutation_panics(changes in prop::collection::vec((0usize..2000, any::<u8>()), 1..12), cut in 0usize..600) {
        let mut run = Run::new(Config::default());
        for whole in [request(10, 1, "maria", "krbtgt"), reply(13, 23, "cifs"), error(6, Some("x"), "krbtgt")] {
            let mut bytes = whole;
            for (at, value) in &changes {
                let at = at % bytes.len();
                bytes[at] = *value;
            }
            run.give(&udp((CLIENT, 50_000), (SERVER, 88), &bytes));
            run.give(&udp((SERVER, 88), (CLIENT, 50_000), &bytes[..bytes.len() - cut % bytes.len()]));
        }
        run.finish();
        prop_assert_eq!(run.tally().get("proto.dropped{analyzer_panic}"), 0);
    }
}
