//! `behaviour_scan`: a source that tries many hosts or many ports within five minutes.
//!
//! State: at most [`SOURCES`] sources, least recently seen first out; at most [`ATTEMPTS`] attempts a source within the
//! window, beyond which only counters move. Distinct counts are exact within those bounds.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::HashMap;

use super::Levels;
use crate::event::{Body, Event, EventSink, Fields, LogSource, OwnedValue, Time, Uid, Value};
use crate::stats::{Report, Tally};

/// Sources remembered at once.
pub const SOURCES: usize = 8_192;
/// Attempts remembered per source: 8,192 sources at the cap of both are 24 MiB only if all scan at once; the total below holds then.
pub const ATTEMPTS: usize = 4_096;
/// Attempts remembered over all sources (24 bytes each, with the maps about 24 MiB).
pub const TOTAL: usize = 262_144;
/// The event's fields, in their order.
pub const FIELDS: [&str; 8] = [
    "src_ip", "kind", "hosts", "ports", "attempts", "failed", "window", "uids",
];
const WINDOW: i64 = 300 * 1_000_000_000;
const UIDS: usize = 10;

#[derive(Debug, Clone, Copy)]
struct Attempt {
    at: Time,
    host: IpAddr,
    port: u16,
    failed: bool,
}

#[derive(Debug, Default)]
struct Source {
    attempts: VecDeque<Attempt>,
    hosts: HashMap<IpAddr, u32, foldhash::fast::RandomState>,
    ports: HashMap<u16, u32, foldhash::fast::RandomState>,
    failed: u64,
    uids: Vec<Uid>,
    seen: u64,
    told: (u64, u64),
}

impl Source {
    fn forget_oldest(&mut self) {
        let Some(old) = self.attempts.pop_front() else { return };
        self.failed -= u64::from(old.failed);
        if let Some(n) = self.hosts.get_mut(&old.host) {
            *n -= 1;
            if *n == 0 {
                self.hosts.remove(&old.host);
            }
        }
        if let Some(n) = self.ports.get_mut(&old.port) {
            *n -= 1;
            if *n == 0 {
                self.ports.remove(&old.port);
            }
        }
    }
}

/// Scans by source address.
#[derive(Debug)]
pub struct Scan {
    hosts: Levels,
    ports: Levels,
    sources: HashMap<IpAddr, Source, foldhash::fast::RandomState>,
    clock: u64,
    total: usize,
    logsource: Arc<LogSource>,
    path: Arc<str>,
    evicted: u64,
    truncated: u64,
    events: u64,
}

impl Scan {
    /// Events leave when the number of hosts or of ports reaches a new level.
    pub fn new(hosts: Levels, ports: Levels) -> Self {
        Self {
            hosts,
            ports,
            sources: HashMap::default(),
            clock: 0,
            total: 0,
            logsource: Arc::new(LogSource {
                product: Some("vigla".into()),
                category: Some("behaviour".into()),
                service: Some("scan".into()),
            }),
            path: "behaviour_scan".into(),
            evicted: 0,
            truncated: 0,
            events: 0,
        }
    }

    /// Takes a `conn` event.
    pub fn connection(&mut self, event: &Event, sink: &mut dyn EventSink) {
        let Some(conn) = event.conn else { return };
        let Some(Value::Str(state)) = event.get("conn_state") else {
            return;
        };
        if conn.resp_h.is_multicast() || conn.resp_p == 0 {
            return;
        }
        // Refused, never answered, or reset at once: Zeek's states of a try that led to nothing.
        let failed = matches!(state, "S0" | "REJ" | "RSTOS0" | "RSTRH" | "SH" | "SHR");
        self.clock += 1;
        self.make_room(conn.orig_h);
        let source = self.sources.entry(conn.orig_h).or_default();
        source.seen = self.clock;
        while source
            .attempts
            .front()
            .is_some_and(|old| old.at.0 < event.ts.0.saturating_sub(WINDOW))
        {
            source.forget_oldest();
            self.total -= 1;
        }
        if source.attempts.len() >= ATTEMPTS {
            source.forget_oldest();
            self.total -= 1;
            self.truncated += 1;
        }
        source.attempts.push_back(Attempt {
            at: event.ts,
            host: conn.resp_h,
            port: conn.resp_p,
            failed,
        });
        self.total += 1;
        *source.hosts.entry(conn.resp_h).or_insert(0) += 1;
        *source.ports.entry(conn.resp_p).or_insert(0) += 1;
        source.failed += u64::from(failed);
        if let Some(uid) = event.uid {
            if source.uids.len() == UIDS {
                source.uids.remove(0);
            }
            source.uids.push(uid);
        }
        let reached = (
            self.hosts.reached(source.hosts.len() as u64),
            self.ports.reached(source.ports.len() as u64),
        );
        let grown = reached.0 > source.told.0 || reached.1 > source.told.1;
        source.told = reached; // also downwards: a scan that pauses and starts again is told again
        if grown {
            self.events += 1;
            let told = describe(source, event, conn.orig_h, &self.path, &self.logsource);
            sink.event(told);
        }
    }

    /// Evicts the eighth of the sources seen longest ago when a bound is reached: in one pass, so that a flood of new
    /// sources costs a constant each.
    fn make_room(&mut self, wanted: IpAddr) {
        while (self.sources.len() >= SOURCES && !self.sources.contains_key(&wanted)) || self.total >= TOTAL {
            let mut seen: Vec<u64> = self.sources.values().map(|source| source.seen).collect();
            let eighth = seen.len() / 8;
            let (_, limit, _) = seen.select_nth_unstable(eighth);
            let (limit, before) = (*limit, self.sources.len());
            let total = &mut self.total;
            self.sources.retain(|_, source| {
                let stays = source.seen > limit;
                if !stays {
                    *total -= source.attempts.len();
                }
                stays
            });
            self.evicted += (before - self.sources.len()) as u64;
        }
    }
}

fn describe(source: &Source, event: &Event, from: IpAddr, path: &Arc<str>, logsource: &Arc<LogSource>) -> Event {
    let attempts = source.attempts.len() as u64;
    let (hosts, ports) = (source.hosts.len() as u64, source.ports.len() as u64);
    let kind = match (hosts >= 10, ports >= 20) {
        (true, true) => "block",
        (false, true) => "vertical",
        _ => "horizontal",
    };
    let uids = source
        .uids
        .iter()
        .map(|uid| OwnedValue::Str(uid.as_str().to_owned()))
        .collect();
    let values = [
        OwnedValue::Str(from.to_string()),
        OwnedValue::Str(kind.to_owned()),
        OwnedValue::Uint(hosts),
        OwnedValue::Uint(ports),
        OwnedValue::Uint(attempts),
        OwnedValue::Float(source.failed as f64 / attempts as f64),
        OwnedValue::Uint(300),
        OwnedValue::List(uids),
    ];
    let values = FIELDS.iter().map(|name| Arc::from(*name)).zip(values).collect();
    Event {
        ts: event.ts,
        uid: event.uid,
        conn: None,
        body: Body::Named(Box::new(Fields {
            path: path.clone(),
            logsource: logsource.clone(),
            values,
        })),
    }
}

impl Report for Scan {
    fn report(&self, tally: &mut Tally) {
        tally.add("behaviour.scan.events", self.events);
        tally.add("behaviour.scan.sources", self.sources.len() as u64);
        tally.add("behaviour.scan.dropped{evicted}", self.evicted);
        tally.add("behaviour.scan.dropped{truncated}", self.truncated);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::event::{ConnId, Transport};

    fn conn(second: i64, from: u32, host: u32, port: u16, state: &str) -> Event {
        let fields = Fields {
            path: "conn".into(),
            logsource: Arc::new(LogSource::zeek("conn")),
            values: vec![("conn_state".into(), OwnedValue::Str(state.to_owned()))],
        };
        let address = |n: u32| IpAddr::V4(Ipv4Addr::from(n));
        Event {
            ts: Time(second * 1_000_000_000),
            uid: Some(Uid::from_hash(u128::from(host))),
            conn: Some(ConnId {
                orig_h: address(from),
                orig_p: 40_000,
                resp_h: address(host),
                resp_p: port,
                transport: Transport::Tcp,
            }),
            body: Body::Named(Box::new(fields)),
        }
    }

    fn run(scan: &mut Scan, events: impl Iterator<Item = Event>) -> Vec<(u64, u64)> {
        let mut told = Vec::new();
        for event in events {
            scan.connection(&event, &mut |e: &Event| {
                let number = |name| match e.get(name) {
                    Some(Value::Uint(n)) => n,
                    other => panic!("{name} is {other:?}"),
                };
                told.push((number("hosts"), number("ports")));
            });
        }
        told
    }

    fn scan() -> Scan {
        Scan::new(Levels::new(10, vec![30]), Levels::new(20, vec![50]))
    }

    #[test]
    fn a_horizontal_scan_is_told_at_floor_threshold_and_doublings() {
        let told = run(
            &mut scan(),
            (0..130).map(|n| conn(n / 2, 1, 100 + u32::try_from(n).unwrap(), 445, "S0")),
        );
        assert_eq!(told.iter().map(|t| t.0).collect::<Vec<_>>(), [10, 30, 60, 120]);
    }

    #[test]
    fn a_vertical_scan_counts_ports() {
        let told = run(&mut scan(), (1..61).map(|n| conn(1, 1, 7, n, "REJ")));
        assert_eq!(told.iter().map(|t| t.1).collect::<Vec<_>>(), [20, 50]);
    }

    #[test]
    fn hosts_beyond_the_window_are_forgotten() {
        let told = run(
            &mut scan(),
            (0..60).map(|n| conn(i64::from(n) * 60, 1, 100 + n, 445, "S0")),
        );
        assert!(told.is_empty(), "six hosts in five minutes are no scan: {told:?}");
    }

    #[test]
    fn two_sources_are_not_added_up() {
        let told = run(&mut scan(), (0..18).map(|n| conn(1, n % 2, 100 + n, 445, "S0")));
        assert!(told.is_empty());
    }

    #[test]
    fn the_same_host_again_is_one_host() {
        assert!(run(&mut scan(), (0..500).map(|_| conn(1, 1, 7, 443, "SF"))).is_empty());
    }

    #[test]
    fn a_flood_of_sources_stays_within_the_cap_and_is_counted() {
        let mut scan = scan();
        run(&mut scan, (0..20_000).map(|n| conn(1, n, 7, 443, "SF")));
        assert!(scan.sources.len() <= SOURCES);
        let mut tally = Tally::default();
        scan.report(&mut tally);
        assert_eq!(
            tally.get("behaviour.scan.dropped{evicted}") + scan.sources.len() as u64,
            20_000
        );
        assert!(
            scan.sources.contains_key(&IpAddr::V4(Ipv4Addr::from(19_999))),
            "the newest stays"
        );
    }

    #[test]
    fn a_flood_of_one_source_stays_within_the_cap() {
        let mut scan = scan();
        run(&mut scan, (0..50_000).map(|n| conn(1, 1, n, 443, "S0")));
        assert!(scan.total <= ATTEMPTS);
    }
}
