//! Log lines through every kind of parser: framing, syslog headers, times, kv, csv, JSON, patterns, web logs.

use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use vigla_core::event::Time;
use vigla_core::json;
use vigla_core::log::definition;
use vigla_core::log::frame::Framer;
use vigla_core::log::lines::{Profile, Sender};
use vigla_core::log::source::Sources;
use vigla_core::log::text::Charset;
use vigla_core::log::time::{Clock, Reference};

const DEFINITIONS: &str = include_str!("logs.json");
static SOURCES: LazyLock<Arc<Sources>> =
    LazyLock::new(|| Arc::new(definition::read(DEFINITIONS.as_bytes()).expect("definitions of the fuzzer's own")));

/// The same events however the bytes are cut, every line in one account, every event JSON.
pub fn run(data: &[u8]) {
    let Some((&cut, text)) = data.split_first() else { return };
    let whole = events(&SOURCES, &[text]);
    let (head, tail) = text.split_at(usize::from(cut).min(text.len()));
    assert_eq!(whole, events(&SOURCES, &[head, tail]), "a cut changes events");
}

/// Events of bytes that come in these pieces, as they are printed.
pub fn events(sources: &Arc<Sources>, pieces: &[&[u8]]) -> Vec<String> {
    let profile = Profile {
        device: Arc::from("x"),
        file: None,
        pinned: None,
        charset: Charset::default(),
    };
    let zone = TimeZone::get("Europe/Athens").expect("a zone of the bundle");
    let clock = Clock::new(zone, Reference::Before(Time(1_772_349_000_000_000_000)));
    let mut sender = Sender::new(Arc::clone(sources), profile, clock);
    let (mut framer, mut out) = (Framer::default(), Vec::new());
    let mut take = |line: &[u8], sender: &mut Sender| {
        sender.line(line, &mut |event| {
            let mut text = Vec::new();
            json::event(&mut text, &event);
            let text = String::from_utf8(text).expect("printed text is UTF-8");
            serde_json::from_str::<serde::de::IgnoredAny>(&text).expect("printed text is JSON");
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
