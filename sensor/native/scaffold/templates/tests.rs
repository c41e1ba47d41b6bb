use std::net::{IpAddr, Ipv4Addr};

use super::wire::{MAX_LINE, NotAGreeting, greeting};
use super::*;
use crate::event::{ConnId, Event, Transport, Uid};
use crate::flow::weird::Limiter;
use crate::proto::{Head, Limits};

const CLIENT: &[u8] = b"UPPER/1.0\r\n";
const SERVER: &[u8] = b"UPPER/2.1\n";

/// What is said of a connection whose ends say these pieces, and what the parser answered last.
fn said(pieces: &[(Dir, &[u8])]) -> (Vec<String>, Next) {
    let id = ConnId {
        orig_h: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        orig_p: 50_000,
        resp_h: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)),
        resp_p: 7,
        transport: Transport::TRANSPORT,
    };
    let mut head = Head::new(id, Uid::from_hash(7));
    let (mut limiter, limits) = (Limiter::default(), Limits::default());
    let mut events = Vec::new();
    let mut sink = |event: &Event| {
        let value = |name| event.get(name).map(|value| format!("{value:?}"));
        events.push(format!("{} {:?} {:?}", event.path(), value("client"), value("server")));
    };
    let mut context = Context {
        ts: Time(1),
        head: &mut head,
        sink: &mut sink,
        limiter: &mut limiter,
        limits: &limits,
    };
    let mut parser = Title::default();
    let mut last = Next::More;
    for (dir, bytes) in pieces {
        last = parser.data(&mut context, *dir, bytes);
        if last != Next::More {
            break;
        }
    }
    parser.finish(&mut context);
    (events, last)
}

#[test]
fn a_greeting_is_read_whole_whatever_its_line_ends_with() {
    assert_eq!(greeting(CLIENT), Ok(Some((&b"1.0"[..], CLIENT.len()))));
    assert_eq!(greeting(SERVER), Ok(Some((&b"2.1"[..], SERVER.len()))));
    assert!((0..CLIENT.len()).all(|cut| greeting(&CLIENT[..cut]) == Ok(None)));
}

#[test]
fn what_is_no_greeting_or_never_ends_is_refused() {
    assert_eq!(greeting(b"GET / HTTP/1.1\r\n"), Err(NotAGreeting));
    let mut endless = CLIENT[..CLIENT.len() - 2].to_vec();
    endless.resize(MAX_LINE - 1, b'x');
    assert_eq!(greeting(&endless), Ok(None));
    endless.push(b'x');
    assert_eq!(greeting(&endless), Err(NotAGreeting));
    assert_eq!(probe(&endless, Dir::Orig, true), Verdict::No);
}

#[test]
fn both_ends_are_one_event() {
    let (events, last) = said(&[(Dir::Orig, CLIENT), (Dir::Resp, SERVER)]);
    assert_eq!(events, [r#"NAME Some("Str(\"1.0\")") Some("Str(\"2.1\")")"#]);
    assert_eq!(last, Next::Bulk);
}

#[test]
fn one_end_alone_is_told_at_the_end() {
    assert_eq!(said(&[(Dir::Resp, SERVER)]).0, [r#"NAME None Some("Str(\"2.1\")")"#]);
    assert_eq!(said(&[]).0, [""; 0]);
}
CASES
