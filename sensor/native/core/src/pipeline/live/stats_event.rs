//! The `stats` event: what an interface gave and lost since the last one, in the words of Zeek's `stats` log. Rules see it as
//! log source `vigla` / `sensor`.

use std::sync::Arc;

use super::worker::Counted;
use crate::capture::live::Statistics;
use crate::event::{Body, Event, Fields, LogSource, OwnedValue, Time};
use crate::stats::Tally;

/// Names of the event's fields, in their order.
pub const FIELDS: [&str; 20] = [
    "interface",
    "state",
    "pkts_link",
    "pkts_proc",
    "bytes_recv",
    "pkts_dropped",
    "pkts_dropped_card",
    "freezes",
    "gap_percent",
    "checksum_bad",
    "frames_truncated",
    "frames_over_mtu",
    "duplicates",
    "flows",
    "flows_evicted",
    "memory",
    "pkt_lag",
    "gap_start",
    "gap_end",
    "gap_seconds",
];

/// How an interface is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Up,
    /// Switched off, or without a carrier.
    Down,
    /// Not there.
    Absent,
    /// There, and cannot be opened.
    Refused,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Absent => "absent",
            Self::Refused => "refused",
        }
    }
}

/// Counters since the start, as one event saw them.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pkts_link: u64,
    pkts_proc: u64,
    bytes_recv: u64,
    pub(super) pkts_dropped: u64,
    pub(super) card_lost: u64,
    freezes: u64,
    checksum_bad: u64,
    truncated: u64,
    over_mtu: u64,
    duplicates: u64,
    flows: u64,
    evicted: u64,
    lag: i64,
}

impl Told {
    /// `all` is of all interfaces: connections belong to none of them alone.
    pub(super) fn new(kernel: &Statistics, card_lost: u64, counted: &Counted, all: &Tally) -> Self {
        Self {
            pkts_link: kernel.packets,
            pkts_proc: counted.packets,
            bytes_recv: counted.bytes,
            pkts_dropped: kernel.dropped,
            card_lost,
            freezes: kernel.freezes,
            checksum_bad: all.get("packet.bad_checksums"),
            truncated: counted.truncated,
            over_mtu: counted.over_mtu,
            duplicates: all.get("place.duplicates"),
            flows: all.get("flow.open"),
            evicted: all.get("flow.dropped{evicted}"),
            lag: counted.lag,
        }
    }
}

/// What changed between two moments.
pub(super) fn event(ts: Time, interface: &Arc<str>, state: State, before: &Told, after: &Told) -> Event {
    let grown = |get: fn(&Told) -> u64| OwnedValue::Uint(get(after).saturating_sub(get(before)));
    let (link, dropped) = (
        after.pkts_link.saturating_sub(before.pkts_link),
        after.pkts_dropped.saturating_sub(before.pkts_dropped),
    );
    let share = if link == 0 {
        0.0
    } else {
        100.0 * dropped as f64 / link as f64
    };
    let mut values = vec![
        ("interface", OwnedValue::Str(interface.to_string())),
        ("state", OwnedValue::Str(state.name().to_owned())),
        ("pkts_link", OwnedValue::Uint(link)),
        ("pkts_proc", grown(|told| told.pkts_proc)),
        ("bytes_recv", grown(|told| told.bytes_recv)),
        ("pkts_dropped", OwnedValue::Uint(dropped)),
        ("pkts_dropped_card", grown(|told| told.card_lost)),
        ("freezes", grown(|told| told.freezes)),
        ("gap_percent", OwnedValue::Float(share)),
        ("checksum_bad", grown(|told| told.checksum_bad)),
        ("frames_truncated", grown(|told| told.truncated)),
        ("frames_over_mtu", grown(|told| told.over_mtu)),
        ("duplicates", grown(|told| told.duplicates)),
        ("flows", OwnedValue::Uint(after.flows)),
        ("flows_evicted", grown(|told| told.evicted)),
        ("pkt_lag", OwnedValue::Float(after.lag as f64 / 1e9)),
    ];
    if let Some(memory) = resident() {
        values.push(("memory", OwnedValue::Uint(memory)));
    }
    made(ts, values)
}

/// From `since` to `ts` nobody watched: the sensor did not run.
pub(super) fn gap(ts: Time, interface: &Arc<str>, since: Time) -> Event {
    let seconds = |time: Time| OwnedValue::Float(time.0 as f64 / 1e9);
    made(
        ts,
        vec![
            ("interface", OwnedValue::Str(interface.to_string())),
            ("state", OwnedValue::Str("gap".to_owned())),
            ("gap_start", seconds(since)),
            ("gap_end", seconds(ts)),
            ("gap_seconds", seconds(Time(ts.0.saturating_sub(since.0).max(0)))),
        ],
    )
}

fn made(ts: Time, values: Vec<(&'static str, OwnedValue)>) -> Event {
    Event {
        ts,
        uid: None,
        conn: None,
        body: Body::Named(Box::new(Fields {
            path: "stats".into(),
            logsource: Arc::new(LogSource {
                product: Some("vigla".into()),
                category: None,
                service: Some("sensor".into()),
            }),
            values: values.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        })),
    }
}

/// Bytes of this process that are in memory.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Value;

    #[test]
    fn an_event_says_what_changed_and_only_names_that_rules_may_use() {
        let before = Told::default();
        let after = Told {
            pkts_link: 200,
            pkts_proc: 150,
            pkts_dropped: 50,
            ..Told::default()
        };
        let event = event(Time(7), &"eth1".into(), State::Up, &before, &after);
        assert_eq!(event.get("gap_percent"), Some(Value::Float(25.0)));
        assert_eq!(event.get("pkts_dropped"), Some(Value::Uint(50)));
        assert_eq!((event.path(), event.get("state")), ("stats", Some(Value::Str("up"))));
        let gap = gap(Time(9_000_000_000), &"eth1".into(), Time(2_000_000_000));
        assert_eq!(gap.get("gap_seconds"), Some(Value::Float(7.0)));
        for event in [event, gap] {
            event.visit(&mut |name, _| assert!(FIELDS.contains(&name), "{name}"));
        }
    }
}
