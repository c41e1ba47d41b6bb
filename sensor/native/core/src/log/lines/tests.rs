use jiff::tz::TimeZone;

use super::*;
use crate::event::{OwnedValue, Value};
use crate::log::definition;
use crate::log::time::Reference;

/// A firewall and a web server, as the pack's own definitions describe them.
pub(crate) const SOURCES: &str = r#"{"sources": [
  {"id": "fortigate", "title": {"en": "FortiGate"}, "match": [{"contains": ["date=", " devid=\""]}],
   "parse": {"kind": "kv", "pair": " ", "assign": "=", "quote": "\"", "escape": "\\"},
   "time": [{"field": "eventtime", "format": "epoch_auto"}, {"fields": ["date", "time", "tz"], "format": "%Y-%m-%d %H:%M:%S %z"},
            {"fields": ["date", "time"], "format": "%Y-%m-%d %H:%M:%S"}],
   "events": [
     {"when": {"type": "event", "subtype": "vpn", "action": ["ssl-login-fail", "tunnel-up"]},
      "logsource": {"product": "fortigate", "category": "vpn", "service": "event"},
      "fields": {"src_ip": "remip", "username": "user"},
      "table": {"outcome": {"from": "action", "ssl-login-fail": "failure", "tunnel-up": "success"}}},
     {"when": {"type": "traffic"}, "logsource": {"product": "fortigate", "category": "firewall", "service": "traffic"},
      "fields": {"src_ip": "srcip", "dst_port": {"from": "dstport", "type": "int"}, "bytes": {"derive": "sum(sentbyte, rcvdbyte)"},
                 "vendor_action": "action"},
      "table": {"action": {"from": "action", "close": "accept", "deny": "deny"}}}]},
  {"id": "nginx", "title": {"en": "nginx"}, "match": [{"tag": "nginx"}, {"file_name": "access.log"}],
   "parse": {"kind": "combined"}, "time": [{"field": "time_local", "format": "%d/%b/%Y:%H:%M:%S %z"}],
   "events": [{"when": {"request": {"contains": " HTTP/"}}, "logsource": {"product": "nginx", "category": "webserver"},
     "fields": {"c-ip": "remote_addr", "sc-status": {"from": "status", "type": "int"}},
     "derive": ["request(request)", "uri(cs-uri)"]}]}]}"#;

const REFUSED: &str = r#"<189>date=2026-03-01 time=09:14:07 tz="+0200" devid="FGT60F01" type="event" subtype="vpn" action="ssl-login-fail" user="Άννα" remip=203.0.113.9"#;
const TRAFFIC: &str = r#"date=2026-03-01 time=09:14:08 devid="FGT60F01" eventtime=1772349248000000000 type="traffic" srcip=10.0.0.5 dstport=443 action="start" sentbyte=5 rcvdbyte=6"#;

fn sender(file: Option<&str>) -> Sender {
    let sources = Arc::new(definition::read(SOURCES.as_bytes()).unwrap());
    let profile = Profile {
        device: Arc::from("fw1"),
        file: file.map(str::to_owned),
        pinned: None,
        charset: Charset::default(),
    };
    Sender::new(
        sources,
        profile,
        Clock::new(TimeZone::get("Europe/Athens").unwrap(), Reference::Year(2026)),
    )
}

fn events(sender: &mut Sender, lines: &[&[u8]]) -> Vec<Event> {
    let mut events = Vec::new();
    for line in lines {
        sender.line(line, &mut |event| events.push(event));
    }
    events
}

fn text(event: &Event, name: &str) -> Option<String> {
    match event.get(name)? {
        Value::Str(text) => Some(text.to_owned()),
        other => Some(format!("{other:?}")),
    }
}

#[test]
fn a_firewall_line_becomes_an_event_with_their_fields_beside_ours() {
    let mut sender = sender(None);
    let got = events(&mut sender, &[REFUSED.as_bytes()]);
    let event = &got[0];
    assert_eq!((event.ts, event.path()), (Time(1_772_349_247_000_000_000), "fortigate"));
    assert_eq!(event.logsource().category.as_deref(), Some("vpn"));
    for (name, value) in [
        ("src_ip", "203.0.113.9"),
        ("remip", "203.0.113.9"),
        ("username", "Άννα"),
        ("outcome", "failure"),
        ("type", "event"),
    ] {
        assert_eq!(text(event, name).as_deref(), Some(value), "{name}");
    }
}

#[test]
fn types_sums_and_a_word_of_theirs_under_our_name() {
    let mut sender = sender(None);
    let got = events(&mut sender, &[TRAFFIC.as_bytes()]);
    let event = &got[0];
    assert_eq!(event.ts, Time(1_772_349_248_000_000_000));
    assert_eq!(event.get("dst_port"), Some(Value::Int(443)));
    assert_eq!(event.get("bytes"), Some(Value::Int(11)));
    assert_eq!(event.get("vendor_action"), Some(Value::Str("start")));
    assert_eq!(
        event.get("action"),
        None,
        "'start' is none of our words and must not pass for one"
    );
}

#[test]
fn windows_1253_reads_as_utf8_does() {
    let (bytes, _, _) = encoding_rs::WINDOWS_1253.encode(REFUSED);
    let mut sender = sender(None);
    let got = events(&mut sender, &[&bytes]);
    assert_eq!(text(&got[0], "username").as_deref(), Some("Άννα"));
    assert_eq!(sender.account.charset, 1);
}

#[test]
fn a_web_line_by_tag_and_by_file_name() {
    let line = r#"203.0.113.40 - - [01/Mar/2026:09:14:07 +0200] "GET /a%20b?x=1 HTTP/1.1" 404 5 "-" "curl""#;
    for (file, line) in [
        (Some("access.log.1"), line.to_owned()),
        (None, format!("Mar  1 09:14:07 web1 nginx: {line}")),
    ] {
        let mut sender = sender(file);
        let got = events(&mut sender, &[line.as_bytes()]);
        assert_eq!(text(&got[0], "cs-uri-decoded").as_deref(), Some("/a b?x=1"), "{line}");
        assert_eq!(got[0].get("sc-status"), Some(Value::Int(404)));
        assert_eq!(got[0].ts, Time(1_772_349_247_000_000_000));
    }
}

#[test]
fn every_line_is_in_one_bin() {
    let mut sender = sender(None);
    let skipped = r#"date=2026-03-01 devid="x" type="utm""#;
    let lines: Vec<&[u8]> = vec![
        REFUSED.as_bytes(),
        skipped.as_bytes(),
        b"who are you",
        b"Mar  1 09:14:07 web1 nginx: not a request",
        b"\xff\xd2",
    ];
    assert_eq!(events(&mut sender, &lines).len(), 1);
    sender.too_long(1);
    let account = &sender.account;
    assert!(account.balances());
    assert_eq!((account.received, account.unmatched, account.too_long), (6, 2, 1));
    assert_eq!(account.skipped.values().sum::<u64>(), 1);
    assert_eq!(account.unparsed.values().sum::<u64>(), 1);
    let mut tally = Tally::default();
    sender.report(&mut tally);
    assert_eq!(tally.get("log.source.nginx.dropped{unparsed}"), 1);
    assert_eq!(tally.get("log.sender.fw1.received"), 6);
    assert_eq!(sender.samples().len(), 2);
}

#[test]
fn every_cut_of_a_line_is_accounted_for() {
    let mut sender = sender(None);
    for cut in 1..REFUSED.len() {
        sender.line(&REFUSED.as_bytes()[..cut], &mut |_| {});
    }
    assert!(sender.account.balances());
    assert_eq!(sender.account.received, REFUSED.len() as u64 - 1);
}

#[test]
fn equal_lines_stay_two_and_a_second_reading_gives_the_same_ids() {
    let uids = |sender: &mut Sender, lines: &[&[u8]]| -> Vec<String> {
        events(sender, lines)
            .iter()
            .map(|event| event.uid.unwrap().as_str().to_owned())
            .collect()
    };
    let (refused, traffic) = (REFUSED.as_bytes(), TRAFFIC.as_bytes());
    let whole = uids(&mut sender(None), &[refused, refused, traffic, refused]);
    assert_eq!(whole.iter().collect::<std::collections::HashSet<_>>().len(), 4);
    let mut first = sender(None);
    let mut got = uids(&mut first, &[refused, refused]);
    let kept = serde_json::to_vec(&first.memory()).unwrap();
    let mut second = sender(None);
    second.resume(serde_json::from_slice(&kept).unwrap());
    got.extend(uids(&mut second, &[traffic, refused]));
    assert_eq!(got, whole);
}

#[test]
fn structured_data_and_header_reach_the_event() {
    let line = r#"<34>1 2026-03-01T07:14:07Z fw1 nginx 5 - [x@1 site="a"] 203.0.113.40 - - [01/Mar/2026:09:14:07 +0200] "GET / HTTP/1.1" 200 5"#;
    let got = events(&mut sender(None), &[line.as_bytes()]);
    for (name, value) in [
        ("sd.x@1.site", "a"),
        ("syslog.host", "fw1"),
        ("syslog.tag", "nginx"),
        ("syslog.process", "5"),
    ] {
        assert_eq!(text(&got[0], name).as_deref(), Some(value), "{name}");
    }
    let fields = match &got[0].body {
        Body::Named(fields) => fields,
        Body::Typed(_) | Body::Line(_) => panic!("a line has named fields"),
    };
    assert!(
        fields
            .values
            .iter()
            .any(|(name, value)| &**name == "status" && *value == OwnedValue::Str("200".into()))
    );
}
