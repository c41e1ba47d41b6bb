//! Frames out of nothing: Ethernet, IPv4, TCP and UDP with right checksums, and the events they lead to.

pub mod asn1;
pub mod talk;

use std::net::Ipv4Addr;

use vigla_core::capture::Frame;
use vigla_core::event::{Event, Time};
use vigla_core::flow::{Config, Networks, Traffic};
use vigla_core::json;
use vigla_core::packet::link::LinkType;
use vigla_core::stats::{Report, Tally};

pub const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
pub const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

fn sum(bytes: &[u8]) -> u32 {
    bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum()
}

fn fold(mut total: u32) -> u16 {
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    !(total as u16)
}

/// An Ethernet frame with an IPv4 packet; the payload's checksum is written at `checksum_at`.
pub fn frame(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, mut payload: Vec<u8>, checksum_at: usize) -> Vec<u8> {
    let pseudo = sum(&src.octets()) + sum(&dst.octets()) + u32::from(protocol) + payload.len() as u32;
    let checksum = fold(pseudo + sum(&payload));
    payload[checksum_at..checksum_at + 2].copy_from_slice(&checksum.to_be_bytes());
    ethernet(&ipv4(src, dst, protocol, 0, 0, &payload))
}

/// An IPv4 packet; `place` is flags and offset as on the wire.
pub fn ipv4(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, id: u16, place: u16, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    let mut ip = vec![0x45, 0];
    ip.extend(total.to_be_bytes());
    ip.extend(id.to_be_bytes());
    ip.extend(place.to_be_bytes());
    ip.extend([64, protocol, 0, 0]);
    ip.extend(src.octets());
    ip.extend(dst.octets());
    let checksum = fold(sum(&ip));
    ip[10..12].copy_from_slice(&checksum.to_be_bytes());
    ip.extend(payload);
    ip
}

pub fn ethernet(ip: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    frame.extend(ip);
    frame
}

pub fn udp(src: (Ipv4Addr, u16), dst: (Ipv4Addr, u16), data: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(src.1.to_be_bytes());
    datagram.extend(dst.1.to_be_bytes());
    datagram.extend(((8 + data.len()) as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(data);
    frame(src.0, dst.0, 17, datagram, 6)
}

pub fn tcp(src: (Ipv4Addr, u16), dst: (Ipv4Addr, u16), seq: u32, ack: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend(src.1.to_be_bytes());
    segment.extend(dst.1.to_be_bytes());
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(data);
    frame(src.0, dst.0, 6, segment, 16)
}

/// Drives the core and keeps what comes out.
pub struct Run {
    traffic: Traffic,
    pub lines: Vec<serde_json::Value>,
    clock: i64,
    number: u64,
}

impl Run {
    pub fn new(config: Config) -> Self {
        let clock = 1_700_000_000 * 1_000_000_000;
        Self {
            traffic: Traffic::new(config, Networks::default()),
            lines: Vec::new(),
            clock,
            number: 0,
        }
    }

    /// Gives a frame a millisecond after the last.
    pub fn give(&mut self, data: &[u8]) {
        self.wait(1_000_000);
        self.number += 1;
        let frame = Frame {
            ts: Time(self.clock),
            link: LinkType::ETHERNET,
            data,
            orig_len: data.len() as u32,
            number: self.number,
            offset: 0,
            offloaded: false,
        };
        let lines = &mut self.lines;
        self.traffic
            .frame(&frame, &mut |event: &Event| lines.push(parsed(event)));
    }

    pub fn wait(&mut self, nanos: i64) {
        self.clock += nanos;
    }

    pub fn finish(&mut self) {
        let lines = &mut self.lines;
        self.traffic.finish(&mut |event: &Event| lines.push(parsed(event)));
    }

    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.traffic.report(&mut tally);
        tally
    }

    pub fn of(&self, path: &str) -> Vec<&serde_json::Value> {
        self.lines.iter().filter(|line| line["_path"] == path).collect()
    }
}

fn parsed(event: &Event) -> serde_json::Value {
    let mut out = Vec::new();
    json::event(&mut out, event);
    serde_json::from_slice(&out).expect("an event prints as JSON")
}
