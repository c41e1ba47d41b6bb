//! SMTP end to end: frames in, events out.

#[allow(dead_code)] // other tests use the rest
mod support;

use serde_json::{Value, json};
use support::Run;
use support::talk::{Script, conversation, events, holds_whatever_the_segmentation, run_of, tls, turns};
use vigla_core::flow::Config;

const MAIL: &str = "Received: from mail.client.example (x [203.0.113.5])\r\n\tby relay.example; Mon, 2 Mar 2026 09:14:07 +0200\r\n\
    Date: Mon, 2 Mar 2026 09:14:07 +0200\r\n\
    From: =?utf-8?B?zpTOrs68zr/Pgg==?= <mayor@town.example>\r\n\
    To: a@town.example,\r\n =?iso-8859-7?Q?=C3?= <b@town.example>\r\n\
    Subject: =?utf-8?B?zqTOuc68zr/Ou8+MzrPOuc6/?=\r\n =?utf-8?Q?_=CF=84=CF=81=CE=B1=CF=80=CE=AD=CE=B6=CE=B7=CF=82?=\r\n\
    X-Mailer: Roundcube Webmail/1.6\r\nX-Originating-IP: [192.0.2.77]\r\n\r\n\
    Subject: not this\r\n..From: nor this\r\n";

/// A log-in, a mail, another one in chunks.
fn smtp() -> Script {
    turns(&[
        (1, "220 mail.town.example ESMTP\r\n"),
        (0, "EHLO client.example\r\n"),
        (1, "250-mail.town.example\r\n250 AUTH LOGIN\r\n"),
        (0, "AUTH LOGIN\r\n"),
        (1, "334 VXNlcm5hbWU6\r\n"),
        (0, "czNjcmV0\r\n"),
        (1, "334 UGFzc3dvcmQ6\r\n"),
        (0, "MAIL FROM:<s3cret@x>\r\n"),
        (1, "235 Welcome\r\n"),
        (0, "MAIL FROM:<mayor@town.example>\r\n"),
        (1, "250 ok\r\n"),
        (0, "RCPT TO:<a@town.example>\r\nRCPT TO:<b@town.example>\r\n"),
        (1, "250 ok\r\n550 no such user\r\n"),
        (0, "DATA\r\n"),
        (1, "354 go ahead\r\n"),
        (0, MAIL),
        (0, ".\r\n"),
        (1, "250 2.0.0 queued as 1\r\n"),
        (
            0,
            "MAIL FROM:<>\r\nRCPT TO:<c@town.example>\r\nBDAT 13\r\nSubject: in pBDAT 9 LAST\r\narts\r\n\r\nxQUIT\r\n",
        ),
        (1, "250 ok\r\n250 ok\r\n250 more\r\n250 queued as 2\r\n221 bye\r\n"),
    ])
}

/// Two mails and a withdrawn one, all sent ahead of the replies.
fn pipelined() -> Script {
    turns(&[
        (1, "220 ESMTP\r\n"),
        (0, "EHLO a\r\n"),
        (1, "250 PIPELINING\r\n"),
        (
            0,
            "MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nBDAT 12 LAST\r\nSubject: 1\r\nMAIL FROM:<c@x>\r\nRSET\r\nMAIL FROM:<d@x>\r\nRCPT TO:<e@x>\r\nDATA\r\n",
        ),
        (
            1,
            "250 a\r\n250 b\r\n250 queued 1\r\n250 c\r\n250 reset\r\n250 d\r\n250 e\r\n354 go\r\n",
        ),
        (0, "Subject: 2\r\n\r\n.\r\nQUIT\r\n"),
        (1, "250 queued 2\r\n221 bye\r\n"),
    ])
}

/// Mail that turns to TLS (RFC 3207).
fn sealed() -> Script {
    let mut script = turns(&[
        (1, "220 ESMTP\r\n"),
        (0, "EHLO a\r\n"),
        (1, "250 STARTTLS\r\n"),
        (0, "STARTTLS\r\n"),
        (1, "220 go ahead\r\n"),
    ]);
    script.extend(tls());
    script
}

#[test]
fn each_mail_is_told_with_its_reply() {
    let told = events(&conversation(25, &smtp(), &[], 0));
    assert_eq!(told.len(), 2, "{told:?}");
    let first = json!({
        "_path": "smtp",
        "id.orig_h": "192.0.2.10",
        "id.orig_p": 40_000,
        "id.resp_h": "198.51.100.20",
        "id.resp_p": 25,
        "trans_depth": 1,
        "helo": "client.example",
        "mailfrom": "mayor@town.example",
        "rcptto": ["a@town.example", "b@town.example"],
        "date": "Mon, 2 Mar 2026 09:14:07 +0200",
        "from": "Δήμος <mayor@town.example>",
        "to": ["a@town.example", "Γ <b@town.example>"],
        "subject": "Τιμολόγιο τραπέζης",
        "x_originating_ip": "192.0.2.77",
        "first_received": "from mail.client.example (x [203.0.113.5]) by relay.example; Mon, 2 Mar 2026 09:14:07 +0200",
        "last_reply": "250 2.0.0 queued as 1",
        "path": ["198.51.100.20", "192.0.2.10", "203.0.113.5"],
        "user_agent": "Roundcube Webmail/1.6",
        "tls": false,
        "is_webmail": true,
    });
    assert_eq!(told[0], first);
    assert_eq!(
        (&told[1]["subject"], &told[1]["trans_depth"]),
        (&json!("in parts"), &json!(2))
    );
    assert_eq!(told[1]["rcptto"], json!(["c@town.example"]));
    assert_eq!(told[1]["last_reply"], "250 queued as 2");
    assert_eq!(told[1].get("mailfrom"), None);
    let all = Value::from(told).to_string();
    assert!(!all.contains("s3cret") && !all.contains("czNjcmV0"), "{all}");
}

#[test]
fn replies_find_their_mail_whatever_was_sent_ahead() {
    let told = events(&conversation(31_342, &pipelined(), &[], 0));
    let said: Vec<_> = told
        .iter()
        .map(|event| {
            [
                &event["mailfrom"],
                &event["subject"],
                &event["last_reply"],
                &event["trans_depth"],
            ]
        })
        .collect();
    let none = Value::Null;
    assert_eq!(
        said,
        [
            // Withdrawn before its first reply was seen.
            [&json!("c@x"), &none, &none, &json!(2)],
            [&json!("a@x"), &json!("1"), &json!("250 queued 1"), &json!(1)],
            [&json!("d@x"), &json!("2"), &json!("250 queued 2"), &json!(2)],
        ]
    );
}

#[test]
fn no_segmentation_changes_what_is_told() {
    for (port, script) in [(25, smtp()), (31_342, smtp()), (25, pipelined()), (587, sealed())] {
        holds_whatever_the_segmentation(port, &script);
    }
}

#[test]
fn what_turns_to_tls_is_told_and_named() {
    let run = run_of(&[conversation(587, &sealed(), &[], 0)]);
    let smtp = run.of("smtp");
    assert_eq!(smtp.len(), 1);
    assert_eq!(
        (&smtp[0]["tls"], &smtp[0]["last_reply"]),
        (&json!(true), &json!("220 go ahead"))
    );
    assert_eq!(run.of("conn")[0]["service"], "smtp,ssl");
}

#[test]
fn what_a_server_refuses_is_told_as_refused() {
    let script = turns(&[
        (1, "220 ESMTP\r\n"),
        (0, "EHLO good.example\r\n"),
        (1, "250 ok\r\n"),
        (0, "MAIL FROM:<a@x>\r\n"),
        (1, "250 ok\r\n"),
        (0, "RCPT TO:<b@x>\r\n"),
        (1, "250 ok\r\n"),
        // Refused, it changes nothing.
        (0, "EHLO bad..example\r\n"),
        (1, "501 no\r\n"),
        (0, "DATA\r\n"),
        (1, "554 no mail from you\r\n"),
        (0, "DATA\r\n"),
        (1, "354 well\r\n"),
        (0, "Subject: x\r\n\r\n.\r\n"),
        (1, "550 spam\r\n"),
        (0, "HELO other.example\r\n"),
        (1, "250 ok\r\n"),
        (0, "RCPT TO:<c@x>\r\n"),
        (1, "503 MAIL first\r\n"),
    ]);
    let run = run_of(&[conversation(25, &script, &[], 0)]);
    let smtp = run.of("smtp");
    assert_eq!(smtp.len(), 2);
    assert_eq!(
        (&smtp[0]["helo"], &smtp[0]["last_reply"]),
        (&json!("good.example"), &json!("550 spam"))
    );
    assert_eq!(
        (&smtp[1]["helo"], &smtp[1]["last_reply"]),
        (&json!("other.example"), &json!("503 MAIL first"))
    );
    let weirds: Vec<_> = run.of("weird").iter().map(|weird| weird["addl"].clone()).collect();
    assert_eq!(weirds, ["rcpt to missing mail from"]);
}

/// The dot behind a mail in a frame of its own: behind the last bytes of TCP's header.
const DOT: &[u8] = b"\x00\x00.\r\n";

/// The mail's connection without frames that hold `words`.
fn without(words: &[&[u8]]) -> Run {
    let mut run = Run::new(Config::default());
    for frame in &conversation(25, &smtp(), &[], 0) {
        let dropped = words
            .iter()
            .any(|word| frame.windows(word.len()).any(|bytes| bytes == *word));
        if !dropped {
            run.give(frame);
        }
    }
    run.finish();
    run
}

#[test]
fn holes_cost_no_more_than_they_hide() {
    // The dot; the reply to DATA; the reply to the dot; the mail itself.
    let cases: [(&[&[u8]], &str); 4] = [
        (&[DOT], "250 2.0.0 queued as 1"),
        (&[b"354 go"], "250 2.0.0 queued as 1"),
        (&[b"queued as 1"], "354 go ahead"),
        (&[b"Received"], "250 2.0.0 queued as 1"),
    ];
    for (missing, reply) in cases {
        let run = without(missing);
        let smtp = run.of("smtp");
        assert_eq!(smtp.len(), 2, "without {missing:?}: {smtp:?}");
        assert_eq!(
            (&smtp[0]["mailfrom"], &smtp[0]["last_reply"]),
            (&json!("mayor@town.example"), &json!(reply))
        );
        assert_eq!(smtp[1]["last_reply"], "250 queued as 2", "without {missing:?}");
    }
    // One direction alone: nothing says that a line was a secret, and no other line than this begins a mail.
    let run = without(&[b"220 ", b"250", b"334", b"354", b"235", b"221"]);
    let subjects: Vec<_> = run.of("smtp").iter().map(|mail| mail.get("subject").cloned()).collect();
    assert_eq!(
        subjects,
        [None, Some(json!("Τιμολόγιο τραπέζης")), Some(json!("in parts"))]
    );
}

#[test]
fn hostile_mail_is_bounded_and_told() {
    let start = || {
        turns(&[
            (1, "220 ESMTP\r\n"),
            (0, "EHLO a\r\n"),
            (1, "250 ok\r\n"),
            (0, "MAIL FROM:<a@x>\r\n"),
            (1, "250 ok\r\n"),
        ])
    };
    let data = [(0, b"DATA\r\n".to_vec()), (1, b"354 go\r\n".to_vec())];
    let recipients = (0..3000).flat_map(|n| format!("RCPT TO:<{n}@x>\r\n").into_bytes());
    let cases: [(&str, Script); 7] = [
        (
            "smtp_excessive_headers",
            [&data[..], &[(0, b"X: y\r\n".repeat(5_000))]].concat(),
        ),
        (
            "smtp_excessive_headers",
            [
                &data[..],
                &[(0, [b"Subject: ".to_vec(), b" =?utf-8?Q?a?=\r\n".repeat(5_000)].concat())],
            ]
            .concat(),
        ),
        (
            "smtp_too_many_to_addresses",
            [
                &data[..],
                &[(
                    0,
                    [
                        b"To: ".to_vec(),
                        b"aaaa".repeat(3),
                        (0..400).flat_map(|n| format!("a{n}@x,").into_bytes()).collect(),
                        b"\r\n\r\n".to_vec(),
                    ]
                    .concat(),
                )],
            ]
            .concat(),
        ),
        ("smtp_too_many_rcptto_addresses", vec![(0, recipients.collect())]),
        ("smtp_too_many_pending_mails", vec![(0, b"BDAT 0 LAST\r\n".repeat(50))]),
        ("smtp_too_many_pending_commands", vec![(0, b"NOOP\r\n".repeat(500))]),
        (
            "line_too_long",
            vec![(1, [b"250 ".to_vec(), vec![b'a'; 60_000], b"\r\n".to_vec()].concat())],
        ),
    ];
    for (weird, hostile) in cases {
        let run = run_of(&[conversation(25, &[start(), hostile].concat(), &[1_000, 30_000], 0)]);
        let found = run.of("weird").iter().filter(|event| event["name"] == weird).count();
        assert!(found > 0, "{weird}: {:?}", run.of("weird"));
        for event in run.of("smtp") {
            let size = event.to_string().len();
            assert!(size < 200_000, "{weird}: an event of {size} bytes");
        }
        assert_eq!(run.of("conn")[0]["service"], "smtp");
        assert_eq!(run.tally().get("proto.dropped{analyzer_panic}"), 0);
    }
    // What is no mail at all is left.
    let run = run_of(&[conversation(
        25,
        &[start(), vec![(0, b"? ? ?\r\n".repeat(100))]].concat(),
        &[],
        0,
    )]);
    assert_eq!(run.tally().get("proto.dropped{not_mine}"), 1);
    assert_eq!(run.of("smtp").len(), 1);
}
