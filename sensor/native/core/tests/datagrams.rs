//! Protocols of datagrams and Kerberos end to end: frames in, events out, whatever the bytes.

#[allow(dead_code)] // other tests use the rest
mod support;

use std::net::Ipv4Addr;

use proptest::prelude::*;
use serde_json::json;
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
