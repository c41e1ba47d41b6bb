//! A capture file: its format, and every frame through all layers to printed events.

use std::io::Cursor;

use vigla_core::capture::Reader;
use vigla_core::event::Event;
use vigla_core::flow::{Config, Networks, Traffic};
use vigla_core::json;

/// Reads `data` as a capture; every event prints as JSON.
pub fn run(data: &[u8]) {
    let Ok(mut reader) = Reader::new("fuzz".to_owned(), Box::new(Cursor::new(data.to_vec()))) else {
        return;
    };
    let mut traffic = Traffic::new(Config::default(), Networks::default());
    let mut text = Vec::new();
    let mut print = |event: &Event| {
        text.clear();
        json::event(&mut text, event);
        serde_json::from_slice::<serde::de::IgnoredAny>(&text).expect("an event prints as JSON");
    };
    while let Some(frame) = reader.next_frame() {
        traffic.frame(&frame, &mut print);
    }
    traffic.finish(&mut print);
}
