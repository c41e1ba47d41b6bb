//! Protocols of datagrams end to end: frames in, events out, whatever the bytes.

#[allow(dead_code)] // other tests use the rest
mod support;

use std::net::Ipv4Addr;

use proptest::prelude::*;
use serde_json::json;
use support::asn1::{element, snmp};
use support::{CLIENT, Run, SERVER, udp};
use vigla_core::flow::Config;

const NOBODY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
const ALL: Ipv4Addr = Ipv4Addr::BROADCAST;

/// A DHCP message; `yours` is the address that a server offers.
fn dhcp(op: u8, xid: u32, yours: Ipv4Addr, options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![op, 1, 6, 0];
    bytes.extend(xid.to_be_bytes());
    bytes.resize(16, 0);
    bytes.extend(yours.octets());
    bytes.resize(28, 0);
    bytes.extend([2, 0, 0, 0, 0, 1]);
    bytes.resize(236, 0);
    bytes.extend([99, 130, 83, 99]);
    bytes.extend(options);
    bytes.push(255);
    bytes
}

/// A client that comes, asks for its old address, and gets another.
fn lease(xid: u32) -> Vec<Vec<u8>> {
    let discover = dhcp(1, xid, NOBODY, b"\x35\x01\x01\x0c\x03pc7\x32\x04\xc0\x00\x02\x4d");
    let offer = dhcp(2, xid, CLIENT, b"\x35\x01\x02\x33\x04\x00\x00\x0e\x10");
    let request = dhcp(
        1,
        xid,
        NOBODY,
        b"\x35\x01\x03\x51\x0a\x01\x00\x00pc7.gov\x3d\x07\x01\x02\x00\x00\x00\x00\x02",
    );
    let ack = dhcp(
        2,
        xid,
        CLIENT,
        b"\x35\x01\x05\x33\x04\x00\x00\x0e\x10\x0f\x0ctown.example\x38\x02hi",
    );
    vec![
        udp((NOBODY, 68), (ALL, 67), &discover),
        udp((SERVER, 67), (CLIENT, 68), &offer),
        udp((NOBODY, 68), (ALL, 67), &request),
        udp((SERVER, 67), (ALL, 68), &ack),
    ]
}

#[test]
fn the_messages_of_a_lease_are_one_event_over_its_connections() {
    let mut run = Run::new(Config::default());
    for frame in lease(7) {
        run.give(&frame);
    }
    assert!(run.of("dhcp").is_empty());
    run.finish();
    let found = run.of("dhcp");
    assert_eq!(found.len(), 1, "{found:?}");
    let event = found[0];
    assert_eq!(event["msg_types"], json!(["DISCOVER", "OFFER", "REQUEST", "ACK"]));
    for (name, value) in [
        ("client_addr", json!(CLIENT)),
        ("server_addr", json!(SERVER)),
        ("assigned_addr", json!(CLIENT)),
        ("requested_addr", json!("192.0.2.77")),
        ("mac", json!("02:00:00:00:00:02")),
        ("host_name", json!("pc7")),
        ("client_fqdn", json!("pc7.gov")),
        ("domain", json!("town.example")),
        ("server_message", json!("hi")),
        ("lease_time", json!(3600.0)),
        ("duration", json!(0.003)),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
    assert_eq!(event["uids"].as_array().map(Vec::len), Some(3));
    let services: Vec<_> = run.of("conn").iter().map(|conn| conn["service"].clone()).collect();
    assert_eq!(services, ["dhcp", "dhcp", "dhcp"]);
}

#[test]
fn a_silent_transaction_ends_and_a_later_one_with_its_number_is_another() {
    let mut run = Run::new(Config::default());
    for _ in 0..2 {
        run.give(&lease(7)[0]);
        run.wait(6_000_000_000);
    }
    assert_eq!(run.of("dhcp").len(), 1);
    // One that never falls silent ends too.
    for _ in 0..12 {
        run.give(&lease(9)[0]);
        run.wait(3_000_000_000);
    }
    assert_eq!(run.of("dhcp").len(), 3);
    run.finish();
    assert_eq!(run.of("dhcp").len(), 4);
}

#[test]
fn a_flood_of_transactions_is_bounded_and_loses_none() {
    let mut run = Run::new(Config::default());
    let base = lease(0)[0].clone();
    // The number lies behind the headers of Ethernet, IPv4 and UDP; no checksum, none to be wrong.
    let mut frame = base;
    frame[40..42].fill(0);
    let clock = 9_000_u32;
    let mut at_peak = 0;
    for xid in 0..clock {
        frame[46..50].copy_from_slice(&xid.to_be_bytes());
        run.give(&frame);
        at_peak = at_peak.max(run.tally().get("dhcp.pending"));
    }
    assert!(at_peak <= 4096, "{at_peak}");
    run.finish();
    assert_eq!(run.of("dhcp").len(), clock as usize);
    assert_eq!(run.tally().get("dhcp.pending"), 0);
    assert!(run.tally().get("dhcp.dropped{evicted}") > 0);
}

#[test]
fn messages_and_connections_of_one_event_are_bounded() {
    let mut run = Run::new(Config::default());
    for _ in 0..120 {
        run.give(&lease(7)[0]);
    }
    run.finish();
    let lengths: Vec<_> = run
        .of("dhcp")
        .iter()
        .map(|event| event["msg_types"].as_array().map(Vec::len))
        .collect();
    assert_eq!(lengths, [Some(50), Some(50), Some(20)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_mutation_panics(changes in prop::collection::vec((0usize..2000, any::<u8>()), 1..12), cut in 0usize..600) {
        let mut run = Run::new(Config::default());
        for mut frame in lease(7) {
            for (at, value) in &changes {
                let at = 42 + at % (frame.len() - 42);
                frame[at] = *value;
            }
            run.give(&frame);
            // Cut short, in a datagram that says so.
            let payload = &frame[42..frame.len() - cut % (frame.len() - 42)];
            run.give(&udp((CLIENT, 68), (SERVER, 67), payload));
        }
        run.finish();
        prop_assert_eq!(run.tally().get("proto.dropped{analyzer_panic}"), 0);
    }
}

fn polled(said: &[(usize, Vec<u8>)]) -> Run {
    let ends = [(CLIENT, 50_000), (SERVER, 161)];
    let mut run = Run::new(Config::default());
    for (side, message) in said {
        run.give(&udp(ends[*side], ends[1 - *side], message));
    }
    run.finish();
    run
}

#[test]
fn what_is_asked_of_a_device_is_one_event() {
    let name = |last: u8| snmp::binding(&[0x2b, 6, 1, 2, 1, 1, last, 0], &[5, 0]);
    let answer = [
        snmp::binding(snmp::DESCRIPTION, &element(4, b"Switch 9")),
        snmp::binding(&[0x2b, 6, 1, 2, 1, 1, 3, 0], &snmp::ticks(&[0x27, 0x10])),
    ];
    let run = polled(&[
        (0, snmp::message(1, b"public", &snmp::unit(0xa0, &[name(1), name(3)]))),
        (1, snmp::message(1, b"public", &snmp::unit(0xa2, &answer))),
        (0, snmp::message(1, b"public", &snmp::unit(0xa1, &[name(5)]))),
        (0, snmp::message(1, b"other", &snmp::unit(0xa5, &[name(6)]))),
        (
            0,
            snmp::message(1, b"other", &snmp::unit(0xa3, &[name(7), name(8), name(9)])),
        ),
        (0, snmp::message(1, b"other", &snmp::unit(0xa7, &[name(7)]))),
    ]);
    let found = run.of("snmp");
    assert_eq!(found.len(), 1, "{found:?}");
    for (name, value) in [
        ("version", json!("2c")),
        ("community", json!("public")),
        ("get_requests", json!(3)),
        ("get_bulk_requests", json!(1)),
        ("get_responses", json!(2)),
        ("set_requests", json!(3)),
        ("display_string", json!("Switch 9")),
        ("duration", json!(0.005)),
        // A hundred seconds before the answer.
        ("up_since", json!(1_699_999_900.002)),
    ] {
        assert_eq!(found[0][name], value, "{name}");
    }
    assert_eq!(run.of("conn")[0]["service"], "snmp");
}

#[test]
fn communities_are_hidden_but_for_those_that_devices_come_with() {
    for (community, shown) in [
        ("public", "public"),
        ("private", "private"),
        ("", ""),
        ("Public", "<hidden>"),
        ("Dimos-2026!", "<hidden>"),
    ] {
        let run = polled(&[(0, snmp::message(0, community.as_bytes(), &snmp::unit(0xa0, &[])))]);
        assert_eq!(run.of("snmp")[0]["community"], shown);
        let text = serde_json::to_string(&run.lines).expect("lines are text");
        assert!(!text.contains("Dimos"));
    }
}

#[test]
fn a_user_is_known_once_the_other_end_is() {
    let scoped = |unit: Vec<u8>| element(0x30, &[element(4, b""), element(4, b""), unit].concat());
    let run = polled(&[
        (0, snmp::secured(3, b"", &scoped(snmp::unit(0xa0, &[])))),
        (1, snmp::secured(3, b"", &scoped(snmp::unit(0xa8, &[])))),
        (0, snmp::secured(3, b"maria", &element(4, &[7; 40]))),
    ]);
    let found = run.of("snmp");
    assert_eq!(
        (found.len(), &found[0]["community"], &found[0]["version"]),
        (1, &json!("maria"), &json!("3"))
    );
    assert_eq!(run.of("weird").len(), 0);
}

#[test]
fn damage_to_snmp_is_told_and_what_is_none_is_left_after_some_patience() {
    let whole = snmp::message(1, b"public", &snmp::unit(0xa0, &[snmp::binding(&[0x2b, 6], &[5, 0])]));
    let mut wrong = snmp::message(1, b"public", &snmp::unit(0xa2, &[snmp::binding(&[0x2b, 6], &[5, 0])]));
    *wrong.last_mut().expect("a byte") = 9; // a value of nine bytes, of which there is none
    for (bytes, weirds) in [(whole[..whole.len() - 3].to_vec(), 0), (wrong, 1)] {
        let run = polled(&[(0, bytes)]);
        let told: Vec<_> = run.of("weird").iter().map(|weird| weird["name"].clone()).collect();
        assert_eq!(told, vec![json!("snmp_malformed_message"); weirds]);
        assert_eq!(run.of("snmp")[0]["community"], "public");
    }
    let mut said = vec![(0, whole.clone())];
    said.extend((0..20).map(|_| (1, b"nothing of the kind".to_vec())));
    said.push((0, whole));
    let run = polled(&said);
    assert_eq!(run.of("snmp")[0]["get_requests"], 1);
    assert_eq!(run.tally().get("proto.dropped{not_mine}"), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_mutation_of_snmp_panics(changes in prop::collection::vec((0usize..200, any::<u8>()), 1..8)) {
        let answer = [snmp::binding(snmp::DESCRIPTION, &element(4, b"x")), snmp::binding(&[0x2b], &snmp::ticks(&[1; 4]))];
        let scoped = element(0x30, &[element(4, b""), element(4, b""), snmp::unit(0xa2, &answer)].concat());
        for whole in [snmp::message(0, b"a", &snmp::unit(0xa2, &answer)), snmp::secured(3, b"maria", &scoped)] {
            let mut bytes = whole;
            for (at, value) in &changes {
                let at = at % bytes.len();
                bytes[at] = *value;
            }
            let run = polled(&[(0, bytes.clone()), (1, bytes)]);
            prop_assert_eq!(run.tally().get("proto.dropped{analyzer_panic}"), 0);
        }
    }
}
