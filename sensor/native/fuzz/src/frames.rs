//! Frames of any link type, one after the other: link layers, tunnels, fragments, connections.

use vigla_core::capture::Frame;
use vigla_core::event::{Event, Time};
use vigla_core::flow::{Config, Networks, Traffic};
use vigla_core::json;
use vigla_core::packet::link::LinkType;

use super::pieces::pieces;

/// Link types by their number; the first byte of a piece chooses, the second says how much time passed (in half seconds).
const LINKS: [u32; 8] = [1, 0, 9, 12, 101, 108, 113, 276];

/// Gives each piece as a frame; every event prints as JSON.
pub fn run(data: &[u8]) {
    let mut traffic = Traffic::new(
        Config {
            flows: 64,
            ..Config::default()
        },
        Networks::default(),
    );
    let mut text = Vec::new();
    let mut print = |event: &Event| {
        text.clear();
        json::event(&mut text, event);
        serde_json::from_slice::<serde::de::IgnoredAny>(&text).expect("an event prints as JSON");
    };
    let mut clock = 1_700_000_000_000_000_000;
    for (number, (lead, bytes)) in pieces(data, 2).enumerate() {
        clock += i64::from(lead[1]) * 500_000_000;
        let frame = Frame {
            ts: Time(clock),
            link: LinkType(LINKS[usize::from(lead[0]) % LINKS.len()]),
            data: bytes,
            orig_len: bytes.len() as u32,
            number: number as u64 + 1,
            offset: 0,
            offloaded: number % 3 == 0,
        };
        traffic.frame(&frame, &mut print);
    }
    traffic.finish(&mut print);
}
