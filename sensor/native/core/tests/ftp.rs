//! FTP end to end: frames in, events out.

#[allow(dead_code)] // other tests use the rest
mod support;

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use support::talk::{Script, between, conversation, events, holds_whatever_the_segmentation, run_of, tls, turns};
use support::{CLIENT, Run, SERVER};
use vigla_core::flow::Config;

fn ftp() -> Script {
    turns(&[
        (1, "220-Welcome.\r\n 220 of many\r\n220 Town FTP server\r\n"),
        (0, "USER clerk\r\n"),
        (1, "331 Password?\r\n"),
        (0, "PASS s3cret\r\n"),
        (1, "530 No.\r\n"),
        (0, "PASS s3cret2\r\n"),
        (1, "230 Welcome.\r\n"),
        (0, "SITE PSWD s3cret2 s3cret3\r\n"),
        (1, "200 Changed.\r\n"),
        (0, "CWD /archive\r\n"),
        (1, "250 There.\r\n"),
        (0, "PASV\r\n"),
        (1, "227 Entering Passive Mode (10,0,0,1,156,65).\r\n"),
        (0, "RETR \u{3c0}.txt\r\n"),
        (1, "150 Opening (1234 bytes).\r\n"),
        (1, "226 Done.\r\n"),
        (0, "PORT 192,0,2,10,156,66\r\n"),
        (1, "200 PORT command successful.\r\n"),
        (0, "\u{ff}NOOP\r\nSTOR up.exe\r\nQUIT\r\n"),
        (1, "500 What?\r\n150 Ok.\r\n226 Done.\r\n221 Bye.\r\n"),
    ])
}

/// FTP that turns to TLS (RFC 4217).
fn sealed() -> Script {
    let mut script = turns(&[(1, "220 ready\r\n"), (0, "AUTH TLS\r\n"), (1, "234 go ahead\r\n")]);
    script.extend(tls());
    script
}

#[test]
fn each_command_is_told_with_its_reply() {
    let told = events(&conversation(21, &ftp(), &[], 0));
    let words: Vec<_> = told
        .iter()
        .map(|event| (event["command"].as_str().unwrap_or(""), event["reply_code"].as_u64()))
        .collect();
    let expected = [
        ("<init>", 220),
        ("USER", 331),
        ("PASS", 530),
        ("PASS", 230),
        ("SITE", 200),
        ("CWD", 250),
        ("PASV", 227),
        ("RETR", 226),
        ("PORT", 200),
        ("STOR", 226),
        ("QUIT", 221),
    ];
    assert_eq!(words, expected.map(|(word, code)| (word, Some(code))));
    assert_eq!(told[0]["reply_msg"], "Town FTP server");
    assert_eq!(told[0].get("user"), None);
    assert_eq!(told[1]["arg"], "clerk");
    assert_eq!(told[1].get("password"), None);
    assert_eq!(
        (&told[2]["arg"], &told[2]["password"]),
        (&json!("<hidden>"), &json!("<hidden>"))
    );
    assert_eq!(told[4]["arg"], "<hidden>");
    assert_eq!(told[5]["arg"], "ftp://198.51.100.20/archive");
    // What was said, not where it is expected.
    assert_eq!(told[6]["data_channel.passive"], true);
    assert_eq!(told[6]["data_channel.orig_h"], "192.0.2.10");
    assert_eq!(told[6]["data_channel.resp_h"], "10.0.0.1");
    assert_eq!(told[6]["data_channel.resp_p"], 40_001);
    assert_eq!(told[7]["arg"], "ftp://198.51.100.20/archive/\u{3c0}.txt");
    assert_eq!(
        (&told[7]["file_size"], &told[7]["reply_msg"]),
        (&json!(1234), &json!("Done."))
    );
    assert_eq!(told[8]["data_channel.passive"], false);
    assert_eq!(told[8]["data_channel.resp_p"], 40_002);
    assert!(told[1..].iter().all(|event| event["user"] == "clerk"));
    let all = Value::from(told).to_string();
    assert!(!all.contains("s3cret"), "{all}");
}

#[test]
fn no_segmentation_changes_what_is_told() {
    for (port, script) in [(21, ftp()), (31_341, ftp()), (21, sealed())] {
        holds_whatever_the_segmentation(port, &script);
    }
}

#[test]
fn anonymous_logins_say_who_they_are() {
    let script = turns(&[
        (1, "220 FTP\r\n"),
        (0, "USER Anonymous\r\nPASS me@client.example\r\n"),
        (1, "331 ok\r\n230 ok\r\n"),
    ]);
    let told = events(&conversation(31_341, &script, &[], 0));
    assert_eq!(told[2]["password"], "me@client.example");
    assert_eq!(told[2]["arg"], "me@client.example");
}

#[test]
fn what_turns_to_tls_is_named_so() {
    let run = run_of(&[conversation(21, &sealed(), &[], 0)]);
    assert_eq!(run.of("ftp").len(), 2);
    assert_eq!(
        (&run.of("ftp")[1]["command"], &run.of("ftp")[1]["arg"]),
        (&json!("AUTH"), &json!("TLS"))
    );
    assert_eq!(run.of("conn")[0]["service"], "ftp,ssl");
}

/// The control connection up to turn `at`, a transfer, and the rest.
fn with_transfer(at: usize, ends: [(Ipv4Addr, u16); 2], bytes: &[u8]) -> Run {
    let control = conversation(21, &ftp(), &[], 0);
    // Three frames open a connection, two are a turn.
    let (before, after) = control.split_at(3 + 2 * at);
    let sender = usize::from(ends[0].0 == CLIENT);
    let transfer = between(ends, &vec![(sender, bytes.to_vec())], &[1, 5], 0);
    run_of(&[before.to_vec(), transfer, after.to_vec()])
}

#[test]
fn transfers_are_named_and_typed() {
    let pdf = with_transfer(15, [(CLIENT, 40_100), (SERVER, 40_001)], b"%PDF-1.7 and so on");
    let services: Vec<_> = pdf.of("conn").iter().map(|conn| conn["service"].clone()).collect();
    assert_eq!(services, ["ftp-data", "ftp"]);
    let commands = pdf.of("ftp");
    assert_eq!(
        (&commands[7]["command"], &commands[7]["mime_type"]),
        (&json!("RETR"), &json!("application/pdf"))
    );
    assert_eq!(
        commands
            .iter()
            .filter(|command| command.get("mime_type").is_some())
            .count(),
        1
    );
    // The server opens the connection, and is sent a program.
    let ends = [(SERVER, 20), (CLIENT, 40_002)];
    let control = conversation(21, &ftp(), &[], 0);
    let transfer = between(ends, &vec![(1, b"MZ\x90\0 a program".to_vec())], &[], 0);
    let (before, after) = control.split_at(3 + 2 * 18);
    let program = run_of(&[before.to_vec(), transfer, after.to_vec()]);
    assert_eq!(program.of("ftp")[9]["mime_type"], "application/x-dosexec");
    let mut services: Vec<_> = program.of("conn").iter().map(|conn| conn["service"].clone()).collect();
    services.sort_by_key(ToString::to_string);
    assert_eq!(services, ["ftp", "ftp-data"]);
    // Another port than the announced one is nobody's.
    let other = with_transfer(15, [(CLIENT, 40_100), (SERVER, 40_003)], b"%PDF-1.7 and so on");
    assert_eq!(other.of("conn")[0].get("service"), None);
    assert_eq!(other.tally().get("proto.announced_came"), 0);
    assert_eq!(pdf.tally().get("proto.announced_came"), 1);
}

#[test]
fn an_address_elsewhere_is_told_and_not_expected() {
    let script = turns(&[(0, "USER a\r\nPORT 203,0,113,9,0,80\r\n"), (1, "331 ok\r\n200 ok\r\n")]);
    let victim = Ipv4Addr::new(203, 0, 113, 9);
    let bounced = between(
        [(SERVER, 20), (victim, 80)],
        &turns(&[(0, "GET /a HTTP/1.1\r\n\r\n")]),
        &[],
        0,
    );
    let run = run_of(&[conversation(21, &script, &[], 0), bounced]);
    assert_eq!(run.of("ftp")[1]["data_channel.resp_h"], "203.0.113.9");
    assert_eq!(run.of("http").len(), 1);
}

#[test]
fn a_hole_hides_no_half_secret() {
    let mut run = Run::new(Config::default());
    let script = turns(&[
        (1, "220 FTP\r\n"),
        (0, "USER clerk\r\n"),
        (1, "331 ok\r\n"),
        (0, "PASS s3cret hidden\r\n"),
        (1, "230 ok\r\n"),
        (0, "NOOP\r\n"),
        (1, "200 ok\r\n"),
    ]);
    let frames = conversation(21, &script, &[6], 0);
    for frame in &frames {
        // The first half of PASS is never seen.
        if !frame.windows(6).any(|bytes| bytes == b"PASS s") {
            run.give(frame);
        }
    }
    run.finish();
    let all = Value::from(run.lines.clone()).to_string();
    assert!(!all.contains("CRET") && !all.contains("cret"), "{all}");
    assert_eq!(run.of("ftp").last().expect("an event")["command"], "NOOP");
}

#[test]
fn hostile_ftp_is_bounded_and_told() {
    let greeting = b"220 FTP\r\n".to_vec();
    let long = [b"RETR ".to_vec(), vec![b'a'; 100_000], b"\r\n".to_vec()].concat();
    let cases: [(usize, Vec<u8>, &str, usize); 5] = [
        (0, long, "FTP_arg_too_long", 1),
        (
            0,
            [vec![b'X'; 200], b"\r\n".to_vec()].concat(),
            "FTP_max_command_length_exceeded",
            1,
        ),
        // Never answered, never ended, of lines without end.
        (0, b"NOOP\r\n".repeat(10_000), "FTP_too_many_pending_commands", 25),
        (1, b"220-more\r\n".repeat(10_000), "FTP_reply_msg_too_long", 0),
        (
            1,
            [b"220-".to_vec(), vec![b'a'; 100_000], b"\r\n".to_vec()].concat(),
            "FTP_reply_msg_too_long",
            1,
        ),
    ];
    for (side, hostile, weird, times) in cases {
        let script = vec![(1, greeting.clone()), (0, b"USER a\r\n".to_vec()), (side, hostile)];
        let run = run_of(&[conversation(21, &script, &[1_000, 2_000, 30_000, 60_000], 0)]);
        let found = run.of("weird").iter().filter(|event| event["name"] == weird).count();
        assert_eq!(found, times, "{weird}: {:?}", run.of("weird"));
        assert!(
            run.of("ftp")
                .iter()
                .all(|event| event["arg"].as_str().unwrap_or("").len() <= 4200)
        );
        assert_eq!(run.of("conn")[0]["service"], "ftp");
        assert_eq!(run.tally().get("proto.dropped{analyzer_panic}"), 0);
    }
    // What is no FTP at all is left.
    let script = vec![(1, greeting), (0, b"? ? ?\r\n".repeat(100))];
    let run = run_of(&[conversation(21, &script, &[], 0)]);
    assert_eq!(run.of("ftp").len(), 1);
    assert_eq!(run.tally().get("proto.dropped{not_mine}"), 1);
}
