//! LDAP end to end: frames in, events out.

#[allow(dead_code)] // other tests use the rest
mod support;

use serde_json::{Value, json};
use support::asn1::element;
use support::asn1::ldap::{bind, equal, message, octets, present, result, search};
use support::talk::{Script, conversation, events, holds_whatever_the_segmentation, run_of, tls};
use support::{CLIENT, Run, SERVER, udp};
use vigla_core::flow::Config;

/// An entry of so many bytes.
fn entry(id: u8, size: usize) -> Vec<u8> {
    let name = octets("cn=a");
    message(id, 0x64, &[name, element(0x30, &octets(&"x".repeat(size)))].concat())
}

fn ldap() -> Script {
    let both = element(
        0xa0,
        &[equal("objectClass", "user"), present("servicePrincipalName")].concat(),
    );
    let modify_dn = [octets("cn=old"), octets("cn=new"), element(1, &[0xff])].concat();
    vec![
        (0, bind(1, "cn=clerk,dc=town", "s3cret")),
        (1, result(1, 0x61, 49, "80090308: wrong")),
        (0, bind(2, "cn=clerk,dc=town", "s3cret2")),
        (1, result(2, 0x61, 0, "")),
        (
            0,
            [
                search(3, "dc=town", &both, &["cn", "servicePrincipalName"]),
                search(4, "dc=town", &present("x"), &[]),
            ]
            .concat(),
        ),
        // Answers in any order, one larger than what is read of a message.
        (
            1,
            [
                entry(4, 10),
                entry(3, 40_000),
                entry(3, 10),
                result(3, 0x65, 0, ""),
                result(4, 0x65, 4, "more"),
            ]
            .concat(),
        ),
        (0, message(5, 0x6c, &modify_dn)),
        (1, result(5, 0x6d, 50, "no")),
        (
            0,
            [
                message(6, 0x4a, b"cn=old"),
                message(7, 0x50, &[6]),
                message(8, 0x42, b""),
            ]
            .concat(),
        ),
    ]
}

/// LDAP that turns to TLS (RFC 4511, 4.14).
fn sealed() -> Script {
    let mut script = vec![
        (0, message(1, 0x77, &element(0x80, b"1.3.6.1.4.1.1466.20037"))),
        (1, result(1, 0x78, 0, "")),
    ];
    script.extend(tls());
    script
}

#[test]
fn each_operation_is_told_with_its_answer() {
    let told = events(&conversation(389, &ldap(), &[], 0));
    let of = |path: &str| told.iter().filter(|event| event["_path"] == path).collect::<Vec<_>>();
    let operations: Vec<_> = of("ldap")
        .iter()
        .map(|event| [&event["opcode"], &event["object"], &event["argument"], &event["result"]])
        .collect();
    let (clerk, old, hidden, none) = (
        json!("cn=clerk,dc=town"),
        json!("cn=old"),
        json!("<hidden>"),
        Value::Null,
    );
    assert_eq!(
        operations,
        [
            [&json!("bind simple"), &clerk, &hidden, &json!("invalid credentials")],
            [&json!("bind simple"), &clerk, &hidden, &json!("success")],
            [
                &json!("modify DN"),
                &old,
                &json!("cn=new"),
                &json!("insufficient access rights")
            ],
            [&json!("abandon"), &none, &json!("6"), &none],
            [&json!("unbind"), &none, &none, &none],
            [&json!("delete"), &old, &none, &none],
        ]
    );
    assert_eq!(
        (&of("ldap")[0]["version"], &of("ldap")[0]["diagnostic_message"]),
        (&json!(3), &json!("80090308: wrong"))
    );
    let searches = of("ldap_search");
    assert_eq!(
        *searches[0],
        json!({
            "_path": "ldap_search",
            "id.orig_h": "192.0.2.10",
            "id.orig_p": 40_000,
            "id.resp_h": "198.51.100.20",
            "id.resp_p": 389,
            "message_id": 3,
            "scope": "tree",
            "deref_aliases": "never",
            "base_object": "dc=town",
            "result_count": 2,
            "result": "success",
            "filter": "(&(objectClass=user)(servicePrincipalName=*))",
            "attributes": ["cn", "servicePrincipalName"],
        })
    );
    assert_eq!(
        (&searches[1]["result_count"], &searches[1]["result"]),
        (&json!(1), &json!("size limit exceeded"))
    );
    let all = Value::from(told.clone()).to_string();
    assert!(!all.contains("s3cret"), "{all}");
}

#[test]
fn no_segmentation_changes_what_is_told() {
    // The large entry aside: single bytes of it take long.
    let mut small = ldap();
    small[5].1 = [
        entry(4, 10),
        entry(3, 300),
        result(3, 0x65, 0, ""),
        result(4, 0x65, 4, "more"),
    ]
    .concat();
    for (port, script) in [(389, small.clone()), (31_343, small), (389, sealed())] {
        holds_whatever_the_segmentation(port, &script);
    }
    let whole = events(&conversation(389, &ldap(), &[], 0));
    for cuts in [&[1_400, 50_000][..], &[7, 16_384, 16_385, 60_000]] {
        assert_eq!(events(&conversation(389, &ldap(), cuts, 0)), whole);
    }
}

#[test]
fn what_turns_to_tls_is_told_and_named() {
    let run = run_of(&[conversation(389, &sealed(), &[], 0)]);
    assert_eq!(
        (&run.of("ldap")[0]["argument"], &run.of("ldap")[0]["result"]),
        (&json!("StartTLS"), &json!("success"))
    );
    assert_eq!(run.of("conn")[0]["service"], "ldap,ssl");
}

#[test]
fn datagrams_are_messages() {
    let mut run = Run::new(Config::default());
    let (client, server) = ((CLIENT, 40_000), (SERVER, 389));
    run.give(&udp(
        client,
        server,
        &search(1, "", &equal("DnsDomain", "town.example"), &["Netlogon"]),
    ));
    run.give(&udp(server, client, &[entry(1, 20), result(1, 0x65, 0, "")].concat()));
    run.finish();
    let searches = run.of("ldap_search");
    assert_eq!(
        (&searches[0]["attributes"], &searches[0]["result_count"]),
        (&json!(["Netlogon"]), &json!(1))
    );
    assert_eq!(run.of("conn")[0]["service"], "ldap");
}

#[test]
fn hostile_ldap_is_bounded_and_told() {
    let start = bind(1, "cn=a", "x");
    let cases: [(&str, Vec<u8>, u64); 4] = [
        (
            "ldap_too_many_pending_requests",
            search(9, "dc=town", &present("a"), &[]).repeat(500),
            0,
        ),
        ("ldap_malformed_message", message(9, 0x63, &[0xff; 20]).repeat(100), 1),
        ("", vec![0xff; 100], 1),
        // A message longer than any is passed over.
        (
            "ldap_malformed_message",
            [
                &[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 2, 1, 9, 0x63][..],
                &vec![0; 60_000],
            ]
            .concat(),
            0,
        ),
    ];
    for (weird, hostile, refused) in cases {
        let script = vec![(0, start.clone()), (0, hostile)];
        let run = run_of(&[conversation(389, &script, &[1_000, 30_000], 0)]);
        let found = run.of("weird").iter().filter(|event| event["name"] == weird).count();
        assert!(found > 0 || weird.is_empty(), "{weird}: {:?}", run.of("weird"));
        assert_eq!(run.tally().get("proto.dropped{not_mine}"), refused, "{weird}");
        assert_eq!(run.of("ldap")[0]["opcode"], "bind simple");
        assert_eq!(run.tally().get("proto.dropped{analyzer_panic}"), 0);
    }
}
