//! Traffic end to end: frames in, events out, whatever the segmentation and however hostile.

#[allow(dead_code)] // other tests use the rest
mod support;

use proptest::prelude::*;
use support::talk::{Script, conversation, events, holds_whatever_the_segmentation, tls, vector};
use support::{ACK, CLIENT, FIN, RST, Run, SERVER, SYN, ethernet, ipv4, tcp, udp};
use vigla_core::flow::Config;

fn http() -> Script {
    vec![
        (0, b"POST /login?u=a%20b HTTP/1.1\r\nHost: town.example\r\nContent-Length: 11\r\nUser-Agent: x\r\n\r\nhello world".to_vec()),
        (1, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<html\r\n3;x=y\r\n>hi\r\n0\r\n\r\n".to_vec()),
        (0, b"GET /next HTTP/1.1\r\nHost: town.example\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n".to_vec()),
        (1, b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()),
    ]
}

fn dns() -> Script {
    let query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x04town\x07example\x00\x00\x01\x00\x01";
    let reply = b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03www\x04town\x07example\x00\x00\x01\x00\x01\
                  \xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07";
    let framed = |message: &[u8]| [&(message.len() as u16).to_be_bytes()[..], message].concat();
    vec![(0, framed(query)), (1, framed(reply))]
}

/// Mail that turns to TLS in the middle (RFC 3207).
fn mail() -> Script {
    let mut script = vec![
        (1, b"220 mail.town.example ESMTP\r\n".to_vec()),
        (0, b"EHLO client.example\r\n".to_vec()),
        (1, b"250-mail.town.example\r\n250 STARTTLS\r\n".to_vec()),
        (0, b"STARTTLS\r\n".to_vec()),
        (1, b"220 go ahead\r\n".to_vec()),
    ];
    script.extend(tls());
    script
}

/// A proxy's tunnel with TLS in it.
fn proxy() -> Script {
    let mut script = vec![
        (
            0,
            b"CONNECT town.example:443 HTTP/1.1\r\nHost: town.example:443\r\n\r\n".to_vec(),
        ),
        (1, b"HTTP/1.1 200 Connection established\r\n\r\n".to_vec()),
    ];
    script.extend(tls());
    script
}

/// A remote desktop that chooses TLS (MS-RDPBCGR, 2.2.1.1 and 2.2.1.2).
fn desktop() -> Script {
    let mut script = vec![
        (0, vec![3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0]),
        (1, vec![3, 0, 0, 19, 14, 0xd0, 0, 0, 0, 0, 0, 2, 0, 8, 0, 1, 0, 0, 0]),
    ];
    script.extend(tls());
    script
}

/// A packet of SSH in clear (RFC 4253, 6).
fn ssh_packet(payload: &[u8]) -> Vec<u8> {
    let padding = 8 - (payload.len() + 5) % 8 + 4;
    let length = (payload.len() + padding + 1) as u32;
    [&length.to_be_bytes()[..], &[padding as u8], payload, &vec![0; padding]].concat()
}

fn ssh_offer(lists: [&str; 8]) -> Vec<u8> {
    let mut payload = [&[20][..], &[7; 16]].concat();
    for names in lists {
        payload.extend(vector(4, names.as_bytes()));
    }
    payload.extend([0; 13]);
    ssh_packet(&payload)
}

/// Keys exchanged, then a log-in whose second password is right; the lengths are OpenSSH's.
fn ssh() -> Script {
    let client = ["k1,k2", "h1,h2", "c1", "c1", "m1", "m1", "none,zlib", "none"];
    let server = ["k2", "h2", "c2,c1", "c1", "m1", "m1", "none", "none"];
    let newkeys = ssh_packet(&[21]);
    let key = [&[31][..], &vector(4, b"a host key"), &vector(4, &[1; 32])].concat();
    vec![
        (0, b"SSH-2.0-client_1\r\n".to_vec()),
        (1, b"a notice first\r\nSSH-2.0-server_2 town\r\n".to_vec()),
        (0, ssh_offer(client)),
        (1, ssh_offer(server)),
        (0, ssh_packet(&[&[30][..], &vector(4, &[1; 32])].concat())),
        (1, [ssh_packet(&key), newkeys.clone(), vec![0xaa; 200]].concat()),
        (0, [newkeys, vec![0xaa; 44]].concat()),
        (1, vec![0xaa; 44]),
        (0, vec![0xaa; 60]),
        (1, vec![0xaa; 52]),
        (0, vec![0xaa; 84]),
        (1, vec![0xaa; 52]),
        (0, vec![0xaa; 84]),
        (1, vec![0xaa; 28]),
        (0, vec![0xaa; 100]),
        (1, vec![0xaa; 500]),
    ]
}

/// A log-in that has to prove itself, then a ticket for a service.
fn kerberos() -> Script {
    use support::asn1::kerberos::{error, marked, reply, request};
    vec![
        (0, marked(&request(10, 1, "maria", "krbtgt"))),
        (1, marked(&error(25, Some("NEEDED_PREAUTH"), "krbtgt"))),
        (0, marked(&request(10, 2, "maria", "krbtgt"))),
        (1, marked(&reply(11, 18, "krbtgt"))),
        (0, marked(&request(12, 3, "maria", "cifs"))),
        (1, marked(&reply(13, 23, "cifs"))),
    ]
}

const SCRIPTS: usize = 12;

fn script(which: usize) -> (u16, Script) {
    match which {
        0 => (80, http()),
        1 => (53, dns()),
        2 => (443, tls()),
        // On ports where nobody expects them.
        3 => (31_337, http()),
        4 => (31_338, tls()),
        5 => (31_339, dns()),
        6 => (25, mail()),
        7 => (3128, proxy()),
        8 => (3389, desktop()),
        9 => (31_340, ssh()),
        10 => (88, kerberos()),
        _ => (31_341, kerberos()),
    }
}

#[test]
fn each_conversation_is_decoded() {
    let http = events(&conversation(80, &http(), &[], 0));
    assert_eq!(http.len(), 2, "{http:?}");
    assert_eq!(http[0]["uri"], "/login?u=a b");
    assert_eq!(http[0]["request_body_len"], 11);
    assert_eq!(http[0]["response_body_len"], 8);
    assert_eq!(http[0]["resp_mime_types"][0], "text/html");
    assert_eq!(http[1]["username"], "user");
    assert_eq!(http[1]["password"], "<hidden>");
    let dns = events(&conversation(53, &dns(), &[], 0));
    assert_eq!(dns.len(), 1, "{dns:?}");
    assert_eq!(dns[0]["query"], "www.town.example");
    assert_eq!(dns[0]["answers"][0], "192.0.2.7");
    let tls = events(&conversation(443, &tls(), &[], 0));
    assert_eq!(tls.len(), 1, "{tls:?}");
    assert_eq!(tls[0]["server_name"], "town.example");
    assert_eq!(tls[0]["version"], "TLSv13");
    assert_eq!(tls[0]["ssl_history"], "CsiI");
    assert_eq!(tls[0]["established"], true);
    assert!(
        tls[0]["ja4"].as_str().is_some_and(|ja4| ja4.starts_with("t13d0203h2_")),
        "{tls:?}"
    );
}

#[test]
fn what_turns_to_tls_is_followed_and_both_services_are_named() {
    for (port, script, service) in [
        (25, mail(), "smtp,ssl"),
        (3128, proxy(), "http,ssl"),
        (3389, desktop(), "rdp,ssl"),
    ] {
        let mut run = Run::new(Config::default());
        for frame in &conversation(port, &script, &[], 0) {
            run.give(frame);
        }
        run.finish();
        assert_eq!(run.of("ssl")[0]["server_name"], "town.example", "port {port}");
        assert_eq!(run.of("conn")[0]["service"], service);
    }
}

#[test]
fn a_login_over_ssh_is_decoded_as_far_as_it_is_clear() {
    let ssh = events(&conversation(31_340, &ssh(), &[], 0));
    assert_eq!(ssh.len(), 1, "{ssh:?}");
    let ssh = &ssh[0];
    assert_eq!(ssh["client"], "SSH-2.0-client_1");
    assert_eq!(ssh["server"], "SSH-2.0-server_2 town");
    assert_eq!(
        (ssh["kex_alg"].as_str(), ssh["host_key_alg"].as_str()),
        (Some("k2"), Some("h2"))
    );
    assert_eq!(
        (ssh["cipher_alg"].as_str(), ssh["mac_alg"].as_str()),
        (Some("c1"), Some("m1"))
    );
    assert_eq!(
        (ssh["version"].as_u64(), ssh["compression_alg"].as_str()),
        (Some(2), Some("none"))
    );
    assert_eq!(
        (ssh["auth_attempts"].as_u64(), ssh["auth_success"].as_bool()),
        (Some(2), Some(true))
    );
    assert!(
        ssh["host_key_fingerprint"]
            .as_str()
            .is_some_and(|print| print.len() == 50),
        "{ssh}"
    );
}

#[test]
fn hostile_ssh_is_bounded_and_told() {
    let version = b"SSH-2.0-x\r\n".to_vec();
    let cases: [(Vec<u8>, usize); 4] = [
        // A line without end, lines without a version, a packet that is too long, random bytes behind the version.
        ([b"SSH-".to_vec(), vec![b'a'; 100_000]].concat(), 0),
        (b"notice\r\n".repeat(10_000), 0),
        ([version.clone(), vec![0xff; 70_000]].concat(), 1),
        ([version.clone(), vec![0, 0, 0, 5, 200, 1, 2, 3, 4]].concat(), 1),
    ];
    for (hostile, weirds) in cases {
        let script = vec![(0, version.clone()), (1, hostile)];
        let mut run = Run::new(Config::default());
        for frame in &conversation(22, &script, &[1_000, 2_000, 30_000, 60_000], 0) {
            run.give(frame);
        }
        run.finish();
        assert_eq!(run.of("ssh").len(), 1);
        assert_eq!(run.of("ssh")[0]["client"], "SSH-2.0-x");
        assert_eq!(run.of("weird").len(), weirds);
        assert_eq!(run.tally().get("proto.dropped{analyzer_panic}"), 0);
    }
}

#[test]
fn every_single_cut_gives_the_same_events() {
    for which in 0..SCRIPTS {
        let (port, script) = script(which);
        holds_whatever_the_segmentation(port, &script);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn segmentation_order_and_repetition_do_not_matter(which in 0..SCRIPTS, cuts in prop::collection::vec(0usize..600, 0..40), mix in 1u64..u64::MAX) {
        let (port, script) = script(which);
        prop_assert_eq!(events(&conversation(port, &script, &cuts, mix)), events(&conversation(port, &script, &[], 0)));
    }

    #[test]
    fn nothing_panics(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 1..20), which in 0..SCRIPTS, at in 0usize..400, bits in any::<u8>()) {
        let mut run = Run::new(Config::default());
        for frame in &frames {
            run.give(frame);
            run.give(&ethernet(frame));
        }
        // A real conversation with one byte of each frame changed.
        let (port, script) = script(which);
        for mut frame in conversation(port, &script, &[30, 60], 0) {
            let at = at % frame.len();
            frame[at] ^= bits;
            run.give(&frame);
        }
        run.finish();
        prop_assert_eq!(run.tally().get("proto.dropped{analyzer_panic}"), 0);
    }
}

#[test]
fn fragments_in_any_order_are_one_datagram() {
    let query = dns()[0].1[2..].to_vec();
    let whole = udp((CLIENT, 5_000), (SERVER, 53), &query);
    let payload = &whole[34..];
    let expected = {
        let mut run = Run::new(Config::default());
        run.give(&whole);
        run.finish();
        run.of("dns").len()
    };
    assert_eq!(expected, 1);
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
        let pieces = [(0u16, &payload[..8]), (1, &payload[8..24]), (3, &payload[24..])];
        let mut run = Run::new(Config::default());
        for index in order {
            let (offset, bytes) = pieces[index];
            let more = if index == 2 { 0 } else { 0x2000 };
            run.give(&ethernet(&ipv4(CLIENT, SERVER, 17, 7, more | offset, bytes)));
        }
        run.finish();
        assert_eq!(run.of("dns").len(), 1, "order {order:?}");
        assert_eq!(run.of("dns")[0]["query"], "www.town.example");
    }
}

#[test]
fn what_was_acknowledged_and_never_seen_is_a_gap() {
    let (client, server) = ((CLIENT, 40_000), (SERVER, 80));
    let mut run = Run::new(Config::default());
    run.give(&tcp(client, server, 0, 0, SYN, &[]));
    run.give(&tcp(server, client, 0, 1, SYN | ACK, &[]));
    let request = b"GET / HTTP/1.1\r\n\r\n";
    run.give(&tcp(client, server, 1, 1, ACK, request));
    let acked = 1 + request.len() as u32;
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n";
    let body = 1 + head.len() as u32;
    run.give(&tcp(server, client, 1, acked, ACK, head));
    run.give(&tcp(server, client, body, acked, ACK, &[b'a'; 100]));
    // 100 bytes are missing here.
    run.give(&tcp(server, client, body + 200, acked, ACK, &[b'c'; 100]));
    run.give(&tcp(client, server, acked, body + 300, ACK, &[]));
    run.finish();
    assert_eq!(run.of("http")[0]["response_body_len"], 300);
    let conn = run.of("conn")[0];
    assert_eq!(conn["missed_bytes"], 100);
    assert_eq!(conn["history"], "ShDdAg");
    assert_eq!(conn["conn_state"], "S1");
}

#[test]
fn states_and_histories_are_zeeks() {
    let (client, server) = ((CLIENT, 40_000), (SERVER, 22));
    let cases: [(&str, &str, Vec<Vec<u8>>); 5] = [
        ("S0", "S", vec![tcp(client, server, 9, 0, SYN, &[])]),
        (
            "REJ",
            "Sr",
            vec![
                tcp(client, server, 9, 0, SYN, &[]),
                tcp(server, client, 0, 10, RST | ACK, &[]),
            ],
        ),
        (
            "SF",
            "ShAFaf",
            vec![
                tcp(client, server, 9, 0, SYN, &[]),
                tcp(server, client, 5, 10, SYN | ACK, &[]),
                tcp(client, server, 10, 6, ACK, &[]),
                tcp(client, server, 10, 6, FIN | ACK, &[]),
                tcp(server, client, 6, 11, ACK, &[]),
                tcp(server, client, 6, 11, FIN | ACK, &[]),
            ],
        ),
        (
            "RSTO",
            "ShADR",
            vec![
                tcp(client, server, 9, 0, SYN, &[]),
                tcp(server, client, 5, 10, SYN | ACK, &[]),
                tcp(client, server, 10, 6, ACK, &[]),
                tcp(client, server, 10, 6, ACK, b"x"),
                tcp(client, server, 11, 6, RST | ACK, &[]),
            ],
        ),
        (
            "OTH",
            "^dA",
            vec![
                tcp(server, client, 50, 90, ACK, b"data"),
                tcp(client, server, 90, 54, ACK, &[]),
            ],
        ),
    ];
    for (state, history, frames) in cases {
        let mut run = Run::new(Config::default());
        for frame in &frames {
            run.give(frame);
        }
        run.finish();
        let conn = run.of("conn")[0];
        assert_eq!(
            (conn["conn_state"].as_str(), conn["history"].as_str()),
            (Some(state), Some(history))
        );
        assert_eq!(
            (conn["id.orig_h"].as_str(), conn["id.resp_p"].as_u64()),
            (Some("192.0.2.10"), Some(22))
        );
    }
}

#[test]
fn a_connection_keeps_its_identifier_and_has_the_known_community_id() {
    let frame = udp((CLIENT, 5_000), (SERVER, 53), b"x");
    let uid = |config: Config| {
        let mut run = Run::new(config);
        run.give(&frame);
        run.finish();
        (
            run.of("conn")[0]["uid"].clone(),
            run.of("conn")[0]["community_id"].clone(),
        )
    };
    assert_eq!(uid(Config::default()), uid(Config::default()));
    assert_ne!(
        uid(Config::default()).0,
        uid(Config {
            seed: 1,
            ..Config::default()
        })
        .0
    );
}

#[test]
fn a_flood_of_connections_reaches_a_plateau_and_is_counted() {
    let mut run = Run::new(Config {
        flows: 1_000,
        ..Config::default()
    });
    let established = conversation(31_340, &vec![(0, b"hello".to_vec())], &[], 0);
    for frame in &established[..4] {
        run.give(frame);
    }
    for port in 0..5_000u16 {
        run.give(&tcp((CLIENT, 1_024 + port), (SERVER, 25), 1, 0, SYN, &[]));
    }
    let tally = run.tally();
    assert_eq!(tally.get("flow.open"), 1_000);
    assert_eq!(tally.get("flow.open_peak"), 1_000);
    assert_eq!(tally.get("flow.dropped{evicted}"), 4_001);
    // The connection between two ends outlives the half-open ones.
    assert!(
        run.of("conn")
            .iter()
            .all(|conn| conn["id.resp_p"] == 25 && conn["history"] == "SX")
    );
    run.finish();
    assert_eq!(run.of("conn").len(), 5_001);
}

#[test]
fn a_flood_out_of_order_reaches_a_plateau_and_is_counted() {
    let (client, server) = ((CLIENT, 40_000), (SERVER, 80));
    let mut run = Run::new(Config::default());
    run.give(&tcp(client, server, 0, 0, SYN, &[]));
    run.give(&tcp(server, client, 0, 1, SYN | ACK, &[]));
    run.give(&tcp(client, server, 1, 1, ACK, b"GET / HT"));
    run.give(&tcp(server, client, 1, 9, ACK, &[]));
    for index in 0..1_000u32 {
        run.give(&tcp(client, server, 100 + index * 1_000, 1, ACK, &[b'a'; 1_000]));
    }
    let tally = run.tally();
    assert!(tally.get("stream.held_bytes") <= 256 * 1024);
    assert!(tally.get("stream.dropped{out_of_order_memory}") > 700);
    run.finish();
    assert_eq!(run.tally().get("stream.held_bytes"), 0);
}

#[test]
fn a_flood_of_fragments_reaches_a_plateau_and_is_counted() {
    let mut run = Run::new(Config::default());
    for id in 0..20_000u16 {
        run.wait(-999_000);
        run.give(&ethernet(&ipv4(CLIENT, SERVER, 17, id, 0x2000, &[0; 1_400])));
    }
    assert!(run.tally().get("packet.dropped{fragment_evicted}") > 10_000);
}

#[test]
fn a_flood_of_questions_is_emitted_and_not_kept() {
    let mut run = Run::new(Config::default());
    for id in 0..1_000u16 {
        let mut query = dns()[0].1[2..].to_vec();
        query[..2].copy_from_slice(&id.to_be_bytes());
        run.give(&udp((CLIENT, 5_000), (SERVER, 53), &query));
    }
    assert_eq!(run.of("dns").len(), 1_000 - 64);
    run.finish();
    assert_eq!(run.of("dns").len(), 1_000);
}

#[test]
fn weird_events_are_limited_and_the_rest_counted() {
    let mut run = Run::new(Config::default());
    for port in 0..500u16 {
        run.give(&tcp((CLIENT, 1_024 + port), (SERVER, 25), 1, 1, FIN | ACK, &[]));
    }
    let tally = run.tally();
    assert_eq!(run.of("weird").len() as u64, tally.get("weird.emitted"));
    assert_eq!(tally.get("weird.emitted") + tally.get("weird.dropped{rate}"), 500);
    assert!(tally.get("weird.emitted") <= 50);
}

#[test]
fn tunnels_are_looked_into_and_named() {
    let inner = &udp((CLIENT, 5_000), (SERVER, 53), &dns()[0].1[2..])[14..];
    let outer = (
        std::net::Ipv4Addr::new(203, 0, 113, 1),
        std::net::Ipv4Addr::new(203, 0, 113, 2),
    );
    let vxlan = [&[8, 0, 0, 0, 0, 0, 1, 0][..], &ethernet(inner)].concat();
    let cases = [
        ("Tunnel::IP", ethernet(&ipv4(outer.0, outer.1, 4, 0, 0, inner))),
        (
            "Tunnel::GRE",
            ethernet(&ipv4(outer.0, outer.1, 47, 0, 0, &[&[0, 0, 8, 0][..], inner].concat())),
        ),
        ("Tunnel::VXLAN", udp((outer.0, 40_000), (outer.1, 4_789), &vxlan)),
    ];
    for (kind, frame) in cases {
        let mut run = Run::new(Config::default());
        run.give(&frame);
        run.finish();
        assert_eq!(run.of("tunnel")[0]["tunnel_type"], kind);
        assert_eq!(run.of("dns")[0]["query"], "www.town.example");
        let conns = run.of("conn");
        let parent = &conns
            .iter()
            .find(|conn| conn["id.resp_p"] == 53)
            .expect("the inner connection")["tunnel_parents"][0];
        assert_eq!(parent, &run.of("tunnel")[0]["uid"]);
    }
}

#[test]
fn tags_are_looked_through_and_told() {
    let plain = udp((CLIENT, 5_000), (SERVER, 53), &dns()[0].1[2..]);
    let tagged = [&plain[..12], &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 9], &plain[12..]].concat();
    let mut run = Run::new(Config::default());
    run.give(&tagged);
    run.finish();
    let conn = run.of("conn")[0];
    assert_eq!((conn["vlan"].as_u64(), conn["inner_vlan"].as_u64()), (Some(7), Some(9)));
    assert_eq!(run.of("dns").len(), 1);
}
