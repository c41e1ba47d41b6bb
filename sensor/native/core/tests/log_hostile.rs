//! Hostile log input: whatever the bytes and however they are cut, every line is in one bin and nothing else escapes.

use std::sync::Arc;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use vigla_core::event::Time;
use vigla_core::json;
use vigla_core::log::definition;
use vigla_core::log::frame::Framer;
use vigla_core::log::lines::{Profile, Sender};
use vigla_core::log::text::Charset;
use vigla_core::log::time::{Clock, Reference};

/// A definition of each parser kind, all of which a line may fall to by its tag or beginning.
const SOURCES: &str = r#"{"sources": [
  {"id": "kv", "title": {}, "match": [{"startswith": "k"}, {"tag": "kv"}],
   "parse": {"kind": "kv", "escape": "\\"}, "time": [{"field": "t", "format": "epoch_auto"}, {"fields": ["d", "h"], "format": "%Y-%m-%d %H:%M:%S"}],
   "events": [{"when": {"skip": {"present": true}, "x": "y"}, "logsource": {"product": "a"}},
              {"logsource": {"product": "a"}, "fields": {"n": {"from": "a", "type": "int"}, "s": {"derive": "sum(a, b)"}, "l": {"derive": "lower(a)"},
                "e": {"derive": "endpoint(a)"}, "p": {"derive": "endpoint_port(a)"}}, "table": {"o": {"from": "a", "x": "y"}}, "derive": ["url(a)", "uri(b)"]}]},
  {"id": "csv", "title": {}, "match": [{"startswith": "c"}],
   "parse": {"kind": "csv", "columns": ["a", "", "b"], "variants": [{"by": "b", "4": ["c"], "": ["d"]}, {"by": "c", "x": ["e"]}]},
   "events": [{"logsource": {"product": "b"}}]},
  {"id": "json", "title": {}, "match": [{"startswith": "{"}], "parse": {"kind": "json"}, "time": [{"field": "ts", "format": "iso8601"}],
   "events": [{"logsource": {"product": "c"}}]},
  {"id": "pattern", "title": {}, "match": [{"startswith": "p"}],
   "parse": {"kind": "pattern", "templates": {"one": "p {a:until} from {b:ip}:{c:port} {d:quoted}{e:rest}", "two": "p {n:int} {w:word} here"}},
   "events": [{"logsource": {"product": "d"}}]},
  {"id": "web", "title": {}, "match": [{"contains": "["}], "parse": {"kind": "combined"},
   "time": [{"field": "time_local", "format": "%d/%b/%Y:%H:%M:%S %z"}],
   "events": [{"logsource": {"product": "e"}, "derive": ["request(request)", "uri(cs-uri)"]}]}]}"#;

fn sender() -> Sender {
    let profile = Profile {
        device: Arc::from("x"),
        file: None,
        pinned: None,
        charset: Charset::default(),
    };
    let clock = Clock::new(
        TimeZone::get("Europe/Athens").unwrap(),
        Reference::Before(Time(1_772_349_000_000_000_000)),
    );
    Sender::new(Arc::new(definition::read(SOURCES.as_bytes()).unwrap()), profile, clock)
}

/// Events as they are printed, of bytes that come in these pieces.
fn printed(pieces: &[&[u8]]) -> Vec<String> {
    let (mut sender, mut framer, mut out) = (sender(), Framer::default(), Vec::new());
    let mut take = |line: &[u8], sender: &mut Sender| {
        sender.line(line, &mut |event| {
            let mut text = Vec::new();
            json::event(&mut text, &event);
            let text = String::from_utf8(text).expect("printed text is UTF-8");
            serde_json::from_str::<serde_json::Value>(&text).expect("printed text is JSON");
            out.push(text);
        });
    };
    for piece in pieces {
        framer.push(piece, &mut |line| take(line.bytes, &mut sender));
    }
    framer.finish(&mut |line| take(line.bytes, &mut sender));
    sender.too_long(framer.too_long);
    assert!(sender.account.balances(), "{:?}", sender.account);
    out
}

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "k a=1 b=\"x\\\"y\" ",
        "t=1772349000 ",
        "d=2026-10-25 h=03:30:00 ",
        "skip=1 ",
        "c,1,2,4,x,\"q\"\"",
        "{\"ts\": \"2026-03-01T09:14:07Z\", ",
        "\"a\": [{\"b\": 1}, 2]}",
        "p x from 203.0.113.9:443 'q' rest",
        "p -5 word here",
        "203.0.113.9 - - [01/Mar/2026:09:14:07 +0200] \"GET /a%41?b=1 HTTP/1.1\" 200 5 ",
        "\"-\" \"agent\"",
        "<134>Mar  1 09:14:07 fw kv[5]: ",
        "<34>1 2026-03-01T09:14:07Z h kv - - [x@1 a=\"b\\\"\"] ",
        "<134>%ASA-6-302013: ",
        "a=https://u@[2001:db8::1]:8443/x?y ",
        "\u{386}\u{3c2}",
        "\n",
        "\r\n",
        "\0",
    ]);
    prop_oneof![
        8 => words.prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ]
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_give_the_same_events(
        fragments in prop::collection::vec(fragment(), 0..40),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = fragments.concat();
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
        places.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for place in places.into_iter().chain([whole.len()]) {
            pieces.push(&whole[from..place]);
            from = place;
        }
        prop_assert_eq!(printed(&pieces), printed(&[&whole]));
    }
}
